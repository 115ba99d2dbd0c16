// Pictures of the terminal: node terminal_shots.mjs DIRECTORY
import { join } from "node:path";
import { browser, host, id } from "./harness.mjs";

const [to = "."] = process.argv.slice(2);
const site = await host();

async function shot(name, options, work) {
  const chrome = await browser(options);
  const page = await chrome.look(site.url);
  await work(page);
  await page.waitForTimeout(800);
  await page.screenshot({ path: join(to, `${name}.png`) });
  await chrome.close();
}

const run = async (page, ...lines) => {
  for (const line of lines) {
    await page.keyboard.type(`${line}\r`);
    await page.waitForTimeout(1500);
  }
};
const open = async (page) => {
  await page.keyboard.press("Control+Backquote");
  await page.locator(".terminal:not([hidden]) .xterm-rows").waitFor();
};
const LINES = ["kubectl apply -f samples/deployment.yaml", "kubectl get pods -o wide", "kubectl describe deployment | head -12"];

await shot("terminal-1280", { viewport: { width: 1280, height: 800 } }, async (page) => {
  await open(page);
  await run(page, ...LINES);
});
await shot("terminal-1920-dark", { viewport: { width: 1920, height: 1080 }, colorScheme: "dark", locale: "ko-KR" }, async (page) => {
  await open(page);
  await run(page, ...LINES, "echo 안녕하세요, 쿠버네티스");
  await page.keyboard.type("kubectl get p");
  await page.keyboard.press("Tab");
});
await shot("terminal-phone", { viewport: { width: 390, height: 844 }, hasTouch: true }, async (page) => {
  await id(page, "pane-terminal").click();
  await page.locator(".terminal:not([hidden]) .xterm-rows").waitFor();
  await run(page, ...LINES.slice(0, 2));
});
await site.close();
