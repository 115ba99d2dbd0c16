// The list of objects, the cloud's console, the panels and acting as somebody else, to screen readers and for contrast.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { states } from "./console_shots.mjs";
import { keepWorker } from "./frames.mjs";
import { visits } from "./harness.mjs";

const open = visits();
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

for (const [name, options] of [
  ["light", {}],
  ["dark, Korean", { colorScheme: "dark", locale: "ko-KR" }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
]) {
  test(`screen readers and contrast: ${name}`, async () => {
    const page = await open(options, keepWorker);
    const found = [];
    for (const state of ["objects", "cloud", "panel-service", "panel-job", "acting"]) {
      await states[state](page);
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const v of violations) found.push(`${state}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`);
    }
    assert.deepEqual(found, []);
  });
}
