// What screen readers and weak eyes need, on every view: axe's rules, and what it does not measure.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * Each look is judged by the rules that it can break: names and roles are the same in every colour, so that the dark page
 * is measured for contrast alone; a phone has the light page's colours, in another order.
 */
const LOOKS = [
  { name: "light", options: {}, rules: {} },
  { name: "dark, Korean", options: { colorScheme: "dark", locale: "ko-KR", reducedMotion: "reduce" }, rules: { runOnly: ["color-contrast"] } },
  { name: "phone", options: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, rules: { rules: { "color-contrast": { enabled: false } } } },
];

/** A test for each look. `walk(page, check, name)` goes through views and calls `check(view)` on each. */
export function everyLook(open, walk, prepare) {
  for (const { name, options, rules } of LOOKS) {
    test(`screen readers and contrast: ${name}`, async () => {
      const page = await open(options, prepare);
      const found = [];
      const check = async (view) => {
        if (!(await page.evaluate(() => "axe" in window))) await page.addScriptTag({ path: axe });
        await calm(page);
        const { violations } = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ["violations"], ...rules }), rules);
        for (const v of violations) found.push(`${view}: ${v.id} ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(" | ")}`);
        if (name === "phone") found.push(...(await small(page)).map((what) => `${view}: small ${what}`));
      };
      await walk(page, check, name);
      assert.deepEqual(found, []);
    });
  }
}

/** Until what moves has arrived, but no longer than a change of colour takes: something flows as long as the cluster runs. */
async function calm(page) {
  await page.evaluate(() => {
    const moving = document.getAnimations().map((a) => a.finished);
    return Promise.race([Promise.allSettled(moving), new Promise((done) => setTimeout(done, 300))]);
  });
}

/** Fingers: what is pressed is 44 pixels wide and high. Bookmarks lie as close together as they were made; a list has them, too. */
async function small(page) {
  const found = await page.evaluate(() => {
    const shown = [...document.querySelectorAll("button, select, input:not([type=checkbox]):not([type=radio]):not([hidden]), [role=tab], summary")];
    const out = shown.filter((e) => {
      const r = e.getBoundingClientRect();
      const inside = r.width > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
      return inside && e.checkVisibility({ visibilityProperty: true }) && !e.closest(".prose, .xterm, .cm-editor, .visually-hidden, .scrub-mark") && Math.min(r.width, r.height) < 43.5;
    });
    return out.map((e) => e.dataset.testid || e.className || e.tagName);
  });
  return [...new Set(found)].slice(0, 6);
}
