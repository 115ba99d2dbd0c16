// What must hold for people who come to the page: nothing is lost, nothing freezes, everything is reachable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyLook } from "./axe.mjs";
import { apply, count, manifest, paste, pause, pods, visits } from "./harness.mjs";

const open = visits();

const ready = (page, prefix) => pods(page, prefix).and(page.locator('[data-state="ready"]'));
const text = (page) => page.locator(".cm-content").first().innerText();

test("an answer alone does not touch the clock", async () => {
  const page = await open();
  await pause(page);
  const before = await page.getByTestId("clock").innerText();
  await apply(page, "kind: Nonsense\n");
  await page.getByTestId("diagnostics").waitFor();
  assert.equal(await page.getByTestId("clock").innerText(), before);
  await apply(page, await manifest("pod.yaml"));
  await page.getByTestId("applied").waitFor();
  assert.equal(await page.getByTestId("clock").innerText(), before);
  assert.equal(await page.getByTestId("speed").inputValue(), "1000");
});

test("a decision that never comes moves nothing and says so", async () => {
  const page = await open();
  await pause(page);
  const before = await page.getByTestId("clock").innerText();
  await page.getByTestId("step-decision").click();
  await page.getByTestId("notice").waitFor();
  assert.equal(await page.getByTestId("clock").innerText(), before);
});

test("a reload comes back paused, at its speed, with its cluster", async () => {
  const page = await open();
  await apply(page, await manifest("pod.yaml"));
  await ready(page, "nginx").waitFor();
  await page.getByTestId("speed").selectOption("2000");
  await pause(page);
  const clock = await page.getByTestId("clock").innerText();
  await page.waitForTimeout(2500);
  await page.reload();
  await ready(page, "nginx").waitFor();
  await page.getByTestId("paused").waitFor();
  assert.equal(await page.getByTestId("clock").innerText(), clock);
  assert.equal(await page.getByTestId("speed").inputValue(), "2000");
});

test("a full storage is told of, and the text stays", async () => {
  const page = await open({}, (p) => p.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  }));
  await paste(page, await manifest("pod.yaml"));
  await page.getByTestId("editor").getByText("Not kept across reloads").waitFor();
  assert.match(await text(page), /nginx:1.14.2/);
  await page.getByTestId("apply").click();
  await ready(page, "nginx").waitFor();
});

test("an engine that crashes loses no text and comes back with its cluster", async () => {
  const page = await open({}, (p) => p.addInitScript(() => {
    const Plain = window.Worker;
    window.Worker = class extends Plain {
      constructor(...args) {
        super(...args);
        window.engineWorker = this;
      }
    };
  }));
  await apply(page, await manifest("pod.yaml"));
  await ready(page, "nginx").waitFor();
  await page.waitForTimeout(2500);
  await page.evaluate(() => window.engineWorker.dispatchEvent(new ErrorEvent("error", { message: "unreachable" })));
  await page.getByTestId("broken").getByText("unreachable").waitFor();
  assert.match(await text(page), /nginx:1.14.2/);
  await page.getByTestId("restart").click();
  await ready(page, "nginx").waitFor();
});

test("nodes: added, cordoned, drained, killed, revived, removed", async () => {
  const page = await open();
  await apply(page, await manifest("deployment.yaml"));
  await count(ready(page, "nginx-deployment-"), 3);
  const node = (n) => page.getByTestId(`node-node-${n}`);
  const act = async (n, what) => {
    await page.getByTestId(`node-menu-node-${n}`).click();
    await page.getByTestId(`${what}-node-${n}`).click();
  };
  await act(1, "cordon");
  await node(1).getByText("cordoned").waitFor();
  await act(1, "uncordon");
  await act(1, "drain");
  await node(1).getByText("no pods").waitFor();
  await count(ready(page, "nginx-deployment-"), 3);
  await act(2, "kill");
  await node(2).getByText("power is off").waitFor();
  await page.getByTestId("speed").selectOption("30000");
  await page.locator('[data-testid="node-node-2"]:not([data-status="Ready"])').waitFor();
  await act(2, "revive");
  await page.locator('[data-testid="node-node-2"][data-status="Ready"]').waitFor();
  await act(3, "remove");
  await node(3).waitFor({ state: "detached" });
  await page.getByTestId("add-node").click();
  await page.getByTestId("new-node-count").fill("2");
  await page.getByTestId("new-node-add").click();
  await count(page.locator('article[data-testid^="node-"][data-status="Ready"]'), 4);
});

test("a menu opens within the window, also at its lower edge", async () => {
  const page = await open();
  await page.getByTestId("node-menu-node-1").click();
  const box = await page.getByRole("menu").boundingBox();
  assert.ok(box.y >= 0 && box.y + box.height <= 800, JSON.stringify(box));
});

test("nothing moves when pods wait and when the scheduler stops", async () => {
  const page = await open();
  const top = () => page.getByTestId("node-node-1").evaluate((e) => e.getBoundingClientRect().top);
  const before = await top();
  await page.getByTestId("power-kube-scheduler").click();
  await apply(page, (await manifest("deployment.yaml")).replace("replicas: 3", "replicas: 40"));
  await page.getByTestId("queue-none").getByText("40").first().waitFor();
  assert.equal(await top(), before);
  await page.getByTestId("power-kube-scheduler").click();
  await count(page.getByTestId("queue-none"), 0);
  assert.equal(await top(), before);
});

test("delete takes back what apply made", async () => {
  const page = await open();
  await apply(page, await manifest("deployment.yaml"));
  await count(ready(page, "nginx-deployment-"), 3);
  await page.getByTestId("delete").click();
  await page.getByTestId("applied").getByText('deployment.apps "nginx-deployment" deleted').waitFor();
  await count(pods(page, "nginx-deployment-"), 0, 60_000);
});

test("keys alone: run and pause, step, palette, help, back", async () => {
  const page = await open();
  await page.locator("body").press("Space");
  await page.getByTestId("paused").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("?");
  await page.getByTestId("overlay").waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("overlay").waitFor({ state: "detached" });
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByTestId("palette-input").fill("node-2");
  await page.keyboard.press("Enter");
  await page.getByTestId("inspector-name").getByText("node-2").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("section.dock.right").waitFor({ state: "hidden" });
});

test("the timeline's lanes can be walked by keys", async () => {
  const page = await open();
  await pause(page);
  await page.locator(".lanes").focus();
  await page.keyboard.press("ArrowLeft");
  const last = await page.locator(".lanes-foot .hover b").innerText();
  await page.keyboard.press("ArrowLeft");
  assert.notEqual(await page.locator(".lanes-foot .hover b").innerText(), last);
  await page.keyboard.press("Enter");
  await page.getByTestId("why").waitFor();
});

test("many nodes become a map that keys can walk", async () => {
  const page = await open();
  await page.getByTestId("add-node").click();
  await page.getByTestId("new-node-count").fill("80");
  await page.getByTestId("new-node-add").click();
  await page.getByTestId("heatmap-summary").getByText("83 nodes").waitFor();
  const map = page.getByTestId("heatmap").locator("canvas");
  await map.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.getByTestId("heatmap-hover").getByText("node-10 ").waitFor();
  await page.keyboard.press("Enter");
  await page.getByTestId("inspector-name").getByText("node-10").waitFor();
});

everyLook(open, async (page, check, name) => {
  const pane = async (pane) => {
    if (name === "phone") await page.getByTestId(`pane-${pane}`).click();
  };
  await check("empty");
  await page.getByTestId("try-deployment").click();
  await count(page.locator('[data-testid^="pod-default-"][data-state="ready"]'), 3);
  await check("running");
  await page.locator('[data-testid^="pod-default-"]').first().click();
  await page.getByTestId("columns").waitFor();
  for (const tab of ["summary", "why", "events", "yaml", "decisions"]) {
    await page.getByTestId(`tab-${tab}`).click();
    await check(tab);
  }
  await pane("timeline");
  await page.getByTestId("timeline-list").click();
  await check("timeline");
  await pane("stage");
  await page.getByTestId("show-decision").click();
  await page.getByTestId("grid").waitFor();
  await check("decision");
  await page.getByTestId("walk-into").click();
  await page.getByTestId("phase-Score").click();
  await check("walk");
  await page.getByTestId("phase-all").click();
  await page.getByTestId("grid").locator(".score").first().click();
  await page.getByTestId("cell-card").waitFor();
  await check("cell");
  await page.getByTestId("guess").click();
  await page.getByTestId("guess-panel").waitFor();
  await check("guess");
  await page.getByTestId("show-queues").click();
  await page.getByTestId("board").waitFor();
  await check("queues");
  await pane("editor");
  if (!(await page.getByTestId("samples").isVisible())) await page.getByTestId("toggle-left").click();
  await page.getByTestId("samples").click();
  await check("samples");
  await page.keyboard.press("Escape");
  await page.getByTestId("help").click();
  await check("help");
});
