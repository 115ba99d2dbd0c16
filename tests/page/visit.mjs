// node visit.mjs OUT: a first visit to a page whose programs note which of their functions run. Writes their numbers, one a
// line, to OUT/web.ran and OUT/worker.ran: they become what is downloaded first.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { browser, count, host, id, pods } from "./harness.mjs";

const out = process.argv[2];
const site = await host();
const chrome = await browser();
try {
  const page = await chrome.look(site.url);
  // What is typed is kept whatever comes.
  await id(page, "editor").locator(".cm-content").first().click();
  await page.keyboard.type("# a word\n");
  await id(page, "try-deployment").click();
  await count(pods(page, "").and(page.locator('[data-state="ready"]')), 3);
  await pods(page, "").first().click();
  await id(page, "inspector").waitFor();
  // What comes only with time: heartbeats, checkpoints of the past, the kubelets' housekeeping.
  await id(page, "speed").selectOption({ label: "10×" });
  await page.waitForTimeout(4000);
  const ran = async (name, where) => writeFile(join(out, `${name}.ran`), (await where.evaluate(() => globalThis.ran())).join("\n"));
  await ran("web", page);
  await ran("worker", page.workers()[0]);
} finally {
  await chrome.close();
  await site.close();
}
