// The page is kept after one visit: it loads, teaches and has a terminal with the host gone; a new version is offered.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browser, host, id, pageDir } from "./harness.mjs";

const kept = (page) => page.evaluate(async () => {
  const names = await caches.keys();
  const cache = await caches.open(names[0]);
  return { names, files: (await cache.keys()).length, controlled: navigator.serviceWorker.controller !== null };
});

test("after one visit the page needs no network, and a new version is offered", async () => {
  const dir = await mkdtemp(join(tmpdir(), "kubottle-copy-"));
  await cp(pageDir, dir, { recursive: true });
  let site = await host(dir);
  const port = Number(new URL(site.url).port);
  const chrome = await browser({ serviceWorkers: "allow" });
  try {
    let page = await chrome.look(site.url);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const { names, files } = await kept(page);
    assert.equal(names.length, 1);
    assert.ok(names[0].includes("/some/where/") && files > 60, `${names} ${files}`);
    const manifest = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=manifest]").href)).json());
    for (const icon of manifest.icons) assert.equal(await page.evaluate(async (src) => (await fetch(src)).ok, icon.src), true, icon.src);

    // The host is gone.
    await site.close();
    await page.reload();
    await page.locator('[data-testid^="node-"][data-status="Ready"]').first().waitFor();
    await id(page, "first-lesson").click();
    await id(page, "lesson").locator("h2").first().waitFor();
    await page.locator('[data-engine="ready"]').waitFor();
    await page.keyboard.press("Control+Backquote");
    const rows = page.locator(".terminal .xterm-rows");
    await rows.getByText("$").first().waitFor();
    await page.keyboard.type("kubectl get nodes | grep -c Ready\r");
    await rows.getByText(/^[1-9]$/).first().waitFor();
    // With what follows the address, too.
    await page.goto(`${site.url}?embed&lang=ko`);
    await id(page, "in-full").waitFor();
    await page.goto(site.url);

    // Another version is there: it is offered, and taken when it is wanted.
    const worker = join(dir, "sw.js");
    await writeFile(worker, (await readFile(worker, "utf8")).replace(/VERSION = "/, 'VERSION = "new-'));
    site = await host(dir, "/some/where/", port);
    await page.evaluate(() => navigator.serviceWorker.ready.then((r) => r.update()));
    await id(page, "renew").click();
    await page.waitForFunction(async () => (await caches.keys()).some((n) => n.includes("new-")) && (await caches.keys()).length === 1);
    await page.locator('[data-testid^="node-"][data-status="Ready"]').first().waitFor();
    assert.deepEqual(chrome.complaints, []);
  } finally {
    await chrome.close();
    await site.close();
    await rm(dir, { recursive: true, force: true });
  }
});
