// The scheduling debugger as people use it: hold, step, break, ask why, find fixes, compare, configure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyLook } from "./axe.mjs";
import { applied, count, decide, id, pause, pod, pods, visits } from "./harness.mjs";

const visit = visits();

async function open(options) {
  const page = await visit(options);
  await pause(page);
  return page;
}

/** Holds the next decision; a pod then waits in the middle of it. */
async function hold(page, yaml) {
  await id(page, "show-decision").click();
  await id(page, "hold").click();
  await applied(page, yaml);
  await id(page, "run").click();
  await id(page, "held").waitFor();
}

test("the next decision is held before it happens, stepped through, and let go", async () => {
  const page = await open();
  await hold(page, pod("one", ""));
  const clock = await id(page, "clock").innerText();
  const grid = id(page, "grid");
  await count(grid.locator(".cell.good"), 0);
  // By keys: to the next extension point with the right arrow, call by call with the down arrow.
  await id(page, "rail").focus();
  for (let i = 0; i < 4 && (await id(page, "point-Filter").getAttribute("aria-current")) === null; i += 1) {
    const before = await id(page, "held-now").innerText();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((was) => document.querySelector("[data-testid=held-now]").innerText !== was, before);
  }
  await id(page, "held-now").getByText("Filter").waitFor();
  await count(grid.locator(".cell.good"), 1);
  await page.keyboard.press("ArrowDown");
  await count(grid.locator(".cell.good"), 2);
  await id(page, "held-node").click();
  await id(page, "held-now").getByText("node-2").waitFor();
  assert.equal(await grid.locator(".grid-row.current").getAttribute("data-testid"), "grid-node-2");
  // Nothing of it has happened, and time has stood still.
  await count(grid.locator(".winner"), 0);
  assert.equal(await id(page, "clock").innerText(), clock);
  await id(page, "held-finish").click();
  await count(id(page, "held"), 0);
  await count(pods(page, "one"), 0);
  await id(page, "show-cluster").click();
  await count(page.locator('article [data-testid="pod-default-one"]'), 1);
});

test("a breakpoint stops where it says, and only there", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "breakpoints").click();
  await id(page, "breakpoint-plugin").fill("NodeAffinity");
  await id(page, "breakpoint-fails").check();
  await id(page, "breakpoint-add").click();
  await count(id(page, "breakpoint-list").locator("li"), 1);
  await page.keyboard.press("Escape");
  await id(page, "run").click();
  await applied(page, pod("fine", ""));
  await id(page, "show-cluster").click();
  await count(page.locator('article [data-testid="pod-default-fine"]'), 1);
  await applied(page, pod("picky", "  nodeSelector: {kubernetes.io/hostname: node-2}\n"));
  await id(page, "held").waitFor();
  await id(page, "held-now").getByText("NodeAffinity").waitFor();
  assert.match(await id(page, "held-now").innerText(), /Filter · NodeAffinity · node-1: rejected/);
  await id(page, "held-continue").click();
  await id(page, "held-now").getByText("node-3").waitFor();
  await id(page, "held-continue").click();
  await count(id(page, "held"), 0);
});

test("the learner guesses while the cluster stands still", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "guess").click();
  await hold(page, pod("one", "  nodeSelector: {kubernetes.io/hostname: node-3}\n"));
  await id(page, "guess-panel").waitFor();
  await count(id(page, "grid").locator(".winner, .cell"), 0);
  await id(page, "grid-node-3").click();
  await id(page, "guess-reveal").click();
  await id(page, "guess-told").waitFor();
  assert.equal(await id(page, "guess-told").getAttribute("data-verdict"), "good");
  assert.equal(await id(page, "grid").locator(".winner").getAttribute("data-testid"), "grid-node-3");
});

test("a cell opens to what its plugin looked at, in the language of the page", async () => {
  const page = await open();
  await decide(page, pod("big", "", "64"));
  await id(page, "grid").locator(".reason").first().click();
  const card = id(page, "cell-card");
  await card.getByTestId("inputs").getByText("asks 64, free 4 of 4").waitFor();
  await card.getByText("60 too little").waitFor();
  await id(page, "lang").click();
  await card.getByTestId("inputs").getByText("요청 64").waitFor();
  assert.match(await card.innerText(), /[가-힣]/);
});

test("why not here: every filter answers, for a waiting and for a placed pod", async () => {
  const page = await open();
  await applied(page, "apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\nspec: {taints: [{key: team, value: a, effect: NoSchedule}]}\n");
  await decide(page, pod("one", "  nodeSelector: {kubernetes.io/hostname: node-2}\n"));
  await id(page, "open-history").click();
  await id(page, "tab-placement").click();
  await id(page, "why-not-node-1").click();
  const why = id(page, "why-not");
  await why.getByTestId("verdict-TaintToleration").getByText("untolerated taint").waitFor();
  await why.getByTestId("verdict-NodeAffinity").getByText("didn't match Pod's node affinity/selector").waitFor();
  assert.equal(await why.getAttribute("data-fits"), "false");
  await id(page, "why-not-node-2").click();
  await page.locator('[data-testid=why-not][data-fits="true"]').waitFor();
});

test("what would make it fit: proved edits, one of them shown in the editor, applied and placed", async () => {
  const page = await open();
  await decide(page, pod("big", "", "64"));
  await id(page, "find-fixes").click();
  const offers = id(page, "fix");
  await offers.first().waitFor();
  await offers.first().getByText(/lands on node-\d/).waitFor();
  await id(page, "show-fix").first().click();
  const text = () => page.locator(".cm-content").first().innerText();
  await page.waitForFunction(() => /cpu: "?4/.test(document.querySelector(".cm-content").innerText));
  assert.match(await text(), /kind: Pod/);
  // A bare pod's requests cannot be changed: it is deleted, then applied.
  await id(page, "delete").click();
  await id(page, "applied").getByText("deleted").waitFor();
  await id(page, "apply").click();
  await id(page, "applied").getByText("created").waitFor();
  await id(page, "run").click();
  await id(page, "show-cluster").click();
  await count(page.locator('article [data-testid="pod-default-big"]'), 1);
});

test("what if: both decisions side by side, what differs marked, the cluster as it was", async () => {
  const page = await open();
  await decide(page, pod("big", "", "64"));
  await id(page, "open-what-if").click();
  await id(page, "what-if-value").fill("500m");
  await id(page, "what-if-go").click();
  const result = id(page, "what-if-result");
  await result.waitFor();
  assert.equal(await result.getAttribute("data-moved"), "true");
  await id(page, "what-if-before").getByText("no node fits").waitFor();
  await id(page, "what-if-after").getByText(/node-\d/).waitFor();
  await count(result.locator("tr.differs"), 3);
  // Nodes to which the same happened are counted, and can be looked at alone.
  await id(page, "what-if-kind").selectOption("without-node");
  await id(page, "what-if-go").click();
  const groups = id(page, "what-if-groups").locator("button");
  await count(groups, 3);
  await groups.nth(1).click();
  await count(result.locator("tbody tr"), 1);
  await id(page, "what-if-kind").selectOption("weight");
  await id(page, "what-if-value").fill("lots");
  await id(page, "what-if-go").click();
  await id(page, "what-if").getByText("Give a whole number").waitFor();
  await page.keyboard.press("Escape");
  await id(page, "show-cluster").click();
  await count(id(page, "pending").locator('[data-testid="pod-default-big"]'), 1);
});

test("preemption: candidates, their victims, and the rule that decided with its numbers", async () => {
  const page = await open();
  const cls = (name, value) => `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: ${name}}, value: ${value}}\n---\n`;
  await applied(page, cls("low", 10) + cls("middle", 50) + cls("high", 1000));
  const on = (name, priority, node) => pod(name, `  priorityClassName: ${priority}\n  nodeSelector: {kubernetes.io/hostname: ${node}}\n`, "3");
  await applied(page, [on("a", "middle", "node-1"), on("b", "low", "node-2"), on("c", "middle", "node-3")].join("---\n"));
  for (let i = 0; i < 3; i += 1) await id(page, "step-decision").click();
  await decide(page, pod("checkout", "  priorityClassName: high\n", "3"));
  const panel = id(page, "preemption");
  await panel.locator(".winner").getByText("node-2").waitFor();
  await panel.getByTestId("candidate-node-1").getByText("out: lowest priority").waitFor();
  await panel.getByTestId("candidate-node-2").getByText("priority 10", { exact: true }).waitFor();
  await panel.locator(".decided").getByText("10 against 50, 1 of 3 left").waitFor();
  await id(page, "lang").click();
  await panel.locator(".decided").getByText("10 대 50, 3개 중 1개 남음").waitFor();
});

test("the scheduler's configuration: refused with the field's path, or in force for the next decision", async () => {
  const page = await open();
  await id(page, "show-decision").click();
  await id(page, "scheduler-config").click();
  const editor = page.locator(".config .cm-content");
  const write = async (yaml) => {
    await editor.click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.insertText(yaml);
  };
  const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
  await write(`${head}percentageOfNodesToScore: 300\n`);
  await id(page, "config-set").click();
  await id(page, "config-errors").locator("code").getByText("percentageOfNodesToScore").waitFor();
  await write(`${head}profiles:\n- schedulerName: default-scheduler\n  plugins:\n    score:\n      disabled:\n      - name: ImageLocality\n`);
  await id(page, "config-set").click();
  await id(page, "config-status").getByText("in force").waitFor();
  await page.keyboard.press("Escape");
  await id(page, "overlay").waitFor({ state: "detached" });
  await id(page, "show-cluster").click();
  await decide(page, pod("one", ""));
  await id(page, "sort-NodeResourcesFit").waitFor();
  await count(id(page, "sort-ImageLocality"), 0);
});

everyLook(visit, async (page, check, name) => {
  await id(page, "try-too-big").click();
  await id(page, "last-decision").locator(".icon").waitFor();
  await id(page, "last-decision").click();
  await id(page, "grid").locator(".reason").first().click();
  await id(page, "inputs").waitFor();
  await id(page, "find-fixes").click();
  await id(page, "fix").first().waitFor();
  await check("fixes");
  await id(page, "cell-why-not").click();
  await id(page, "why-not").waitFor();
  await check("why not");
  await id(page, "tab-decisions").click();
  await id(page, "pod-decisions").waitFor();
  await check("history");
  if (name === "phone") await id(page, "pane-stage").click();
  await id(page, "breakpoints").click();
  await check("breakpoints");
  await page.keyboard.press("Escape");
  await id(page, "scheduler-config").click();
  await id(page, "config").waitFor();
  await check("configuration");
  await page.keyboard.press("Escape");
  await id(page, "open-what-if").click();
  await id(page, "what-if-go").click();
  await id(page, "what-if-result").waitFor();
  await check("what if");
  await page.keyboard.press("Escape");
  await id(page, "hold").click();
  if (name === "phone") await id(page, "pane-editor").click();
  if (!(await id(page, "samples").isVisible())) await id(page, "toggle-left").click();
  await id(page, "samples").click();
  await id(page, "sample-node-selector").click();
  await id(page, "apply").click();
  await id(page, "held").waitFor();
  await id(page, "held-point").click();
  await check("held");
});
