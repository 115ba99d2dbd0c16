// What must not take long: run with nothing beside it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, apply, count, id, visits } from "./harness.mjs";

const open = visits();

const rows = (page) => id(page, "object-rows").locator('[role="row"][id^="object-"]');

test("ten megabytes are taken in, refused with a reason, and freeze nothing", async () => {
  const page = await open();
  const big = `a: "${"x".repeat(200)}"\n---\n`.repeat(48_000);
  await page.evaluate(() => {
    window.gap = 0;
    let last = performance.now();
    const tick = (t) => {
      window.gap = Math.max(window.gap, t - last);
      last = t;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await apply(page, big);
  await page.getByTestId("diagnostics").getByText("Request entity too large").waitFor();
  await page.getByTestId("editor").getByText("Not kept across reloads").waitFor();
  const gap = await page.evaluate(() => window.gap);
  assert.ok(gap < 1500, `a frame took ${gap} ms`);
});

test("thousands of pods: only the rows in sight are in the page", async () => {
  const page = await open();
  await id(page, "pause").click();
  // Each is an object of its own: nothing has to run for them to be listed.
  const many = Array.from({ length: 3000 }, (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-${String(i).padStart(4, "0")}, labels: {digit: "${i % 10}"}}\n`).join("---\n");
  await applied(page, many);
  await id(page, "show-objects").click();
  await id(page, "kind-ConfigMap").click();
  await id(page, "object-ConfigMap-map-0000").waitFor();
  assert.ok((await rows(page).count()) < 60);
  await id(page, "object-rows").focus();
  await page.keyboard.press("End");
  await id(page, "object-ConfigMap-map-2999").or(rows(page).last()).first().waitFor();
  assert.ok((await rows(page).count()) < 60);
  const began = Date.now();
  await id(page, "objects-search").fill("digit=7 map-29");
  await id(page, "object-ConfigMap-map-2907").waitFor();
  assert.ok(Date.now() - began < 2000, `found after ${Date.now() - began} ms`);
  await count(rows(page), 10);
});
