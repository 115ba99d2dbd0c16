// The page's icons as PNG, from its SVG: node tests/page/icons.mjs (needs playwright-core and a Chromium).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const at = join(import.meta.dirname, "../../static");
const svg = await readFile(join(at, "favicon.svg"), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
/** File, pixels, how much of them the bottle takes, and what is behind it. A maskable icon may lose its corners. */
const icons = [["192", 192, 0.92, "transparent"], ["512", 512, 0.92, "transparent"], ["full-512", 512, 0.6, "#f6f4ef"]];
for (const [name, size, part, ground] of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>html,body{margin:0;height:100%;display:grid;place-items:center;background:${ground}}svg{width:${part * 100}%}</style>${svg}`);
  await page.screenshot({ path: join(at, "icons", `${name}.png`), omitBackground: ground === "transparent" });
}
await browser.close();
