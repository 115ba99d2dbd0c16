// `cargo xtask bundle`: the one file that runs from a disk.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { browser, count, manifest, paste, pods } from "./harness.mjs";

const file = resolve(process.env.KUBOTTLE_SINGLE ?? "../../kubottle.html");

test("kubottle.html runs from file://", { skip: existsSync(file) ? false : `${file} is not there: cargo xtask bundle` }, async () => {
  const chrome = await browser();
  try {
    const page = await chrome.look(pathToFileURL(file).href);
    await paste(page, await manifest("deployment.yaml"));
    await page.getByTestId("apply").click();
    await count(pods(page, "nginx-deployment-").and(page.locator('[data-state="ready"]')), 3);
    await page.keyboard.press("Control+Backquote");
    const rows = page.locator(".terminal .xterm-rows");
    await rows.getByText("$").first().waitFor();
    await page.keyboard.type("kubectl get pods | grep -c Running\r");
    await rows.getByText(/^3$/).first().waitFor();
    assert.deepEqual(chrome.complaints, []);
  } finally {
    await chrome.close();
  }
});
