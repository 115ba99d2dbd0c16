// The terminal, lessons, the editor's helpers, sharing and search: for screen readers, contrast and fingers; a decision's totals
// on a projector.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { keepWorker } from "./frames.mjs";
import { id, visits } from "./harness.mjs";
import { states } from "./parts_shots.mjs";
import { states as times } from "./time_shots.mjs";

const open = visits();

test("a projector at 1280 shows a decision's totals", async () => {
  const page = await open();
  await id(page, "try-deployment").click();
  await id(page, "last-decision").locator(".icon").waitFor();
  await id(page, "presenter").click();
  await id(page, "show-decision").click();
  await id(page, "grid").locator(".grid-row .total").first().waitFor();
  const ends = await page.evaluate(() => {
    const right = (e) => e.getBoundingClientRect().right;
    const grid = document.querySelector("[data-testid=grid]");
    return { grid: right(grid), totals: [...grid.querySelectorAll(".grid-head > .num, .grid-row > .total")].map(right) };
  });
  assert.ok(ends.totals.length > 1 && ends.totals.every((t) => t <= ends.grid + 0.5), JSON.stringify(ends));
});

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
for (const [name, options] of [
  ["light", {}],
  ["dark, Korean", { colorScheme: "dark", locale: "ko-KR", reducedMotion: "reduce" }],
  ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
]) {
  test(`screen readers and contrast: ${name}`, async () => {
    const page = await open(options, keepWorker);
    const found = [];
    const check = async (where) => {
      if (!(await page.evaluate(() => "axe" in window))) await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      for (const v of violations) found.push(`${where}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`);
      if (name !== "phone") return;
      // Fingers: what is pressed is 44 pixels wide and high. Bookmarks lie as close together as they were made; a list has them, too.
      const small = await page.evaluate(() => {
        const shown = [...document.querySelectorAll("button, select, input:not([type=checkbox]):not([hidden]), [role=tab], summary")];
        const out = shown.filter((e) => {
          const r = e.getBoundingClientRect();
          const inside = r.width > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
          return inside && e.checkVisibility({ visibilityProperty: true }) && !e.closest(".prose, .xterm, .cm-editor, .visually-hidden, .scrub-mark") && Math.min(r.width, r.height) < 43.5;
        });
        return out.map((e) => e.dataset.testid || e.className || e.tagName);
      });
      if (small.length > 0) found.push(`${where}: small ${[...new Set(small)].slice(0, 6).join(", ")}`);
    };
    for (const state of ["lesson", "terminal", "contents", "completion", "diff", "keys"]) {
      await states[state](page);
      await check(state);
      await page.keyboard.press("Escape");
    }
    await times.share(page);
    await check("share");
    await page.keyboard.press("Escape");
    await states.palette(page);
    await check("palette");
    await page.keyboard.press("Escape");
    assert.deepEqual(found, []);
    if (options.reducedMotion) {
      const moving = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--calm"));
      assert.match(moving, /^0m?s$/);
    }
  });
}
