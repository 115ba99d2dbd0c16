// A scheduling decision as people read it: walked, grouped, sorted, opened cell by cell, guessed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, decide, id, manifest, paste, pause, pod, visits } from "./harness.mjs";

const visit = visits();

async function open(options) {
  const page = await visit(options);
  await pause(page);
  return page;
}

const names = (page) => id(page, "grid").locator("[role=rowheader]").allInnerTexts();

test("a decision is walked step by step, by buttons and by keys, and the table fills", async () => {
  const page = await open();
  await decide(page, pod("one"));
  const grid = id(page, "grid");
  await count(grid.locator(".winner"), 1);

  // Filter: one node after the other; nothing ahead is told.
  await id(page, "phase-PreFilter").click();
  await count(grid.locator(".cell.good"), 0);
  await id(page, "walk-into").click();
  assert.equal(await id(page, "phase-Filter").getAttribute("aria-selected"), "true");
  await count(grid.locator(".grid-row.current"), 1);
  const one = await grid.locator(".cell.good").count();
  assert.ok(one > 0);
  assert.match(await id(page, "now").innerText(), /^1\/3\s*node-\d passes all/);
  await id(page, "walk-into").click();
  await count(grid.locator(".cell.good"), 2 * one);
  await id(page, "walk-back").click();
  await count(grid.locator(".cell.good"), one);
  await count(grid.locator(".winner"), 0);
  await count(id(page, "explanation").locator(".verdict-big.good"), 0);

  // By keys: across phases with left and right, within one with up and down.
  await id(page, "phase-Filter").focus();
  await page.keyboard.press("ArrowRight");
  await count(grid.locator(".cell.good"), 3 * one);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  assert.equal(await id(page, "phase-Score").getAttribute("aria-selected"), "true");
  await count(grid.locator(".score"), await grid.locator(".grid-row.current .score").count());
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await id(page, "phase-NormalizeScore").getAttribute("aria-selected"), "true");
  await count(grid.locator(".winner"), 0);
  await page.keyboard.press("ArrowRight");
  await count(grid.locator(".winner"), 1);
  await page.keyboard.press("End");
  assert.equal(await id(page, "phase-all").getAttribute("aria-selected"), "true");
});

test("cells open with the mouse and with keys: verdicts, sums, totals", async () => {
  const page = await open();
  await decide(page, pod("one", "  nodeSelector: {kubernetes.io/hostname: node-2}\n"));
  const grid = id(page, "grid");
  await id(page, "only-NodeAffinity").waitFor();
  await grid.locator(".reason", { hasText: "didn't match" }).first().click();
  await id(page, "cell-card").getByText("NodeAffinity").first().waitFor();
  await id(page, "cell-verdict").getByText("rejected").waitFor();
  await id(page, "close-cell").click();
  await count(id(page, "cell-card"), 0);
  // The winner's total, by keys: the first line is a group's.
  await grid.focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  const totals = id(page, "cell-totals");
  await totals.waitFor();
  const numbers = (await totals.locator("tbody td").allInnerTexts()).map(Number);
  const total = Number(await totals.locator("tfoot td").first().innerText());
  assert.equal(numbers.reduce((a, b) => a + b, 0), total);
  assert.ok(total > 0);
});

test("nodes are grouped, filtered, searched and sorted", async () => {
  const page = await open();
  await id(page, "node-menu-node-1").click();
  await id(page, "cordon-node-1").click();
  await id(page, "node-node-1").getByText("cordoned").waitFor();
  await decide(page, pod("one"));
  const grid = id(page, "grid");
  await grid.getByText("Rejected by NodeUnschedulable: 1").waitFor();
  await id(page, "only-NodeUnschedulable").click();
  assert.deepEqual(await names(page), ["node-1"]);
  await id(page, "only-NodeUnschedulable").click();
  await id(page, "grid-by").selectOption("reason");
  await grid.getByText("node(s) were unschedulable: 1").waitFor();
  await id(page, "grid-by").selectOption("nothing");
  await id(page, "sort-name").click();
  assert.deepEqual(await names(page), ["node-1", "node-2", "node-3"]);
  await id(page, "sort-name").click();
  assert.deepEqual(await names(page), ["node-3", "node-2", "node-1"]);
  assert.equal(await grid.locator("[role=columnheader]").first().getAttribute("aria-sort"), "ascending");
  await id(page, "grid-search").fill("node-3");
  assert.deepEqual(await names(page), ["node-3"]);
  await id(page, "grid-search").fill("nowhere");
  await id(page, "grid-nothing").waitFor();
});

test("you be the scheduler: nothing is told before the pick, and then what it costs", async () => {
  const page = await open();
  await id(page, "node-menu-node-1").click();
  await id(page, "cordon-node-1").click();
  await id(page, "node-node-1").getByText("cordoned").waitFor();
  await id(page, "show-decision").click();
  await id(page, "guess").click();
  await paste(page, pod("one", "  nodeSelector: {kubernetes.io/os: linux}\n"));
  await id(page, "apply").click();
  await id(page, "applied").waitFor();
  await id(page, "step-decision").click();
  await id(page, "guess-panel").waitFor();
  await id(page, "guess-asks").getByText("kubernetes.io/os=linux").waitFor();
  const grid = id(page, "grid");
  await count(grid.locator(".winner"), 0);
  await count(grid.locator(".cell, .score, .grid-group"), 0);
  assert.equal(await id(page, "guess-reveal").isDisabled(), true);
  assert.doesNotMatch(await id(page, "decisions").innerText(), /→ node/);

  // Keys alone: to the first row, pick it, reveal.
  await grid.focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Space");
  await id(page, "guess-pick").getByText("node-1").waitFor();
  await id(page, "guess-reveal").focus();
  await page.keyboard.press("Enter");
  const told = id(page, "guess-told");
  await told.getByText("NodeUnschedulable refuses it").waitFor();
  assert.equal(await told.getAttribute("data-verdict"), "bad");
  await count(grid.locator(".winner"), 1);
});

test("a pod that fits nowhere is told in upstream's words, and no node is the right guess", async () => {
  const page = await open();
  await decide(page, await manifest("pod.yaml").then((y) => `${y.trimEnd()}\n  nodeSelector: {disk: ssd}\n`));
  await id(page, "message").getByText("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector").waitFor();
  await id(page, "guess").click();
  await id(page, "guess-nowhere").click();
  await id(page, "guess-reveal").click();
  assert.equal(await id(page, "guess-told").getAttribute("data-verdict"), "good");
});
