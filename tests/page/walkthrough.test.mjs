// The scheduling debugger on clusters that are less tidy than a first example: volumes, budgets, gates, several
// schedulers, a thousand nodes; and all of it without a mouse.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, keepWorker } from "./frames.mjs";
import { applied, count, decide, id, pause, pod, visits } from "./harness.mjs";

const visit = visits();

async function open(options, prepare) {
  const page = await visit(options, prepare);
  await pause(page);
  return page;
}

const POINTS = ["PreEnqueue", "QueueSort", "PreFilter", "Filter", "PreScore", "Score", "NormalizeScore", "Reserve", "Permit", "PreBind", "Bind"];

/** Moves a held cycle on from point to point and says at which it stood. */
async function points(page) {
  const at = () => id(page, "held-now").locator("b").first().innerText();
  const passed = [await at()];
  for (let i = 0; i < 14; i += 1) {
    const before = await id(page, "held-now").innerText();
    await id(page, "held-point").click();
    await page.waitForFunction((was) => document.querySelector("[data-testid=held-now]")?.innerText !== was, before);
    if ((await id(page, "held").count()) === 0) break;
    passed.push(await at());
    if (passed.at(-1) === "Bind") break;
  }
  return passed;
}

test("a cycle can be stopped at every extension point it passes, in upstream's order", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "hold").click();
  const claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n";
  await applied(page, claim + pod("disk", "  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]\n"));
  await id(page, "run").click();
  await id(page, "held").waitFor();
  const passed = await points(page);
  const order = POINTS.filter((p) => passed.includes(p));
  assert.deepEqual(passed, order);
  for (const point of ["QueueSort", "PreFilter", "Filter", "PreScore", "Score", "Reserve", "PreBind", "Bind"]) {
    assert.ok(passed.includes(point), `${point} is missing: ${passed}`);
  }
  // Each of them is told on the rail, with the others of this cycle.
  const rail = await id(page, "rail").locator(".phase-name").allInnerTexts();
  assert.deepEqual(rail.filter((p) => passed.includes(p)), passed);
  await id(page, "held-finish").click();
  await id(page, "show-cluster").click();
  await count(page.locator('article [data-testid="pod-default-disk"]'), 1);
});

test("a pod that fits nowhere is held at PostFilter, and its breakpoint can be anywhere", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "breakpoints").click();
  const offered = await id(page, "breakpoint-point").locator("option").allInnerTexts();
  for (const point of [...POINTS, "PostFilter"]) assert.ok(offered.includes(point), point);
  // By keys alone: choose the point, add it, leave.
  await id(page, "breakpoint-point").focus();
  await id(page, "breakpoint-point").selectOption("PostFilter");
  await id(page, "breakpoint-add").focus();
  await page.keyboard.press("Enter");
  await count(id(page, "breakpoint-list").locator("li"), 1);
  await page.keyboard.press("Escape");
  await id(page, "overlay").waitFor({ state: "detached" });
  await applied(page, pod("big", "", "64"));
  await id(page, "run").click();
  await id(page, "held").waitFor();
  await id(page, "held-now").getByText("PostFilter").waitFor();
  // At each of its plugins.
  await id(page, "held-now").getByText("DynamicResources").waitFor();
  await id(page, "held-continue").click();
  await id(page, "held-now").getByText("DefaultPreemption").waitFor();
  await id(page, "held-continue").click();
  await count(id(page, "held"), 0);
  // Off again with the space bar, removed with the enter key.
  await id(page, "breakpoints").click();
  const list = id(page, "breakpoint-list");
  await list.locator("input[type=checkbox]").focus();
  await page.keyboard.press("Space");
  await count(list.locator("li.off"), 1);
  await list.locator("button").focus();
  await page.keyboard.press("Enter");
  await count(list.locator("li"), 0);
});

test("the table without a mouse: arrows move, enter opens a cell, escape closes it", async () => {
  const page = await open();
  await decide(page, pod("big", "", "64"));
  const grid = id(page, "grid");
  await grid.focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("ArrowDown");
  const active = () => grid.getAttribute("aria-activedescendant");
  assert.equal(await active(), "cell-1-0");
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
  assert.equal(await active(), "cell-1-3");
  assert.equal(await grid.locator("#cell-1-3").count(), 1, "what is active is there");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await active(), "cell-1-2");
  await page.keyboard.press("Enter");
  await id(page, "cell-card").waitFor();
  await page.keyboard.press("Escape");
  await count(id(page, "cell-card"), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "grid");
  // From within the card, too: the focus comes back to the table.
  await page.keyboard.press("Enter");
  await id(page, "close-cell").focus();
  await page.keyboard.press("Escape");
  await count(id(page, "cell-card"), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "grid");
});

test("a pod's attempts: what changed in between, and which event brought it back", async () => {
  const page = await open();
  await decide(page, pod("picky", "  nodeSelector: {disk: ssd}\n"));
  await applied(page, "apiVersion: v1\nkind: Node\nmetadata: {name: node-2, labels: {disk: ssd}}\n");
  await id(page, "step-decision").click();
  await id(page, "open-history").click();
  await id(page, "tab-decisions").click();
  const second = id(page, "attempt-2");
  await second.locator(".attempt-result").getByText("node-2").waitFor();
  await second.locator(".between").getByText("a node's labels changed").waitFor();
  await second.locator(".between").getByText("NodeAffinity").waitFor();
  const changes = await second.locator(".between ul").innerText();
  assert.match(changes, /node-2/);
  await id(page, "attempt-1").getByText("didn't match Pod's node affinity").waitFor();
});

test("preemption that breaks a budget says so, candidate by candidate", async () => {
  const page = await open();
  const cls = (name, value) => `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: ${name}}, value: ${value}}\n---\n`;
  const budget = "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: kept}, spec: {minAvailable: 2, selector: {matchLabels: {app: kept}}}}\n---\n";
  const on = (name, app, node) => pod(name, `  priorityClassName: low\n  nodeSelector: {kubernetes.io/hostname: ${node}}\n`, "3").replace("metadata: {", `metadata: {labels: {app: ${app}}, `);
  await applied(page, cls("low", 10) + cls("high", 1000) + budget + [on("a", "kept", "node-1"), on("b", "kept", "node-2"), on("c", "free", "node-3")].join("---\n"));
  await id(page, "run").click();
  await id(page, "show-cluster").click();
  for (const name of ["a", "b", "c"]) await count(page.locator(`article [data-testid="pod-default-${name}"]`), 1);
  await page.waitForTimeout(6000);
  await pause(page);
  await decide(page, pod("checkout", "  priorityClassName: high\n", "3"));
  const panel = id(page, "preemption");
  await panel.waitFor();
  assert.equal(await panel.locator(".winner").getAttribute("data-testid"), "candidate-node-3");
  assert.equal(await id(page, "candidate-node-1").getAttribute("data-out-by"), "pdb-violations");
  await id(page, "candidate-node-1").locator(".warn").first().waitFor();
  assert.equal(await id(page, "preemption-rules").getAttribute("data-rule"), "pdb-violations");
});

test("two schedulers: each pod is decided by the profile that it names", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "scheduler-config").click();
  const editor = page.locator(".config .cm-content");
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: plain
  plugins:
    score:
      disabled:
      - name: "*"
`);
  await id(page, "config-set").click();
  await id(page, "config-status").getByText("in force").waitFor();
  await page.keyboard.press("Escape");
  await id(page, "overlay").waitFor({ state: "detached" });
  await id(page, "show-cluster").click();
  await decide(page, pod("usual"));
  await id(page, "sort-NodeResourcesFit").waitFor();
  await id(page, "show-cluster").click();
  await decide(page, pod("plain", "  schedulerName: plain\n"));
  await count(id(page, "sort-NodeResourcesFit"), 0);
  // Nobody is called by that name: it waits outside all queues.
  await applied(page, pod("lost", "  schedulerName: nobody\n"));
  await id(page, "step").click();
  await id(page, "show-queues").click();
  await id(page, "board").getByText(/1 more/).waitFor();
});

test("a thousand nodes: grouped by reason, searched, and only those in sight in the page", async () => {
  const page = await visit({}, keepWorker);
  await crowd(page, 1000, 0);
  // Until the last of them is ready.
  await page.waitForTimeout(5000);
  await pause(page);
  await decide(page, pod("picky", "  nodeSelector: {kubernetes.io/hostname: node-777}\n"));
  const grid = id(page, "grid");
  await id(page, "only-NodeAffinity").waitFor();
  assert.ok((await grid.locator(".grid-row").count()) < 60, "only the rows in sight are in the page");
  await id(page, "grid-search").fill("node-777");
  await count(grid.locator(".grid-row"), 1);
  assert.equal(await grid.locator(".grid-row").getAttribute("data-testid"), "grid-node-777");
  await count(grid.locator(".winner"), 1);
});
