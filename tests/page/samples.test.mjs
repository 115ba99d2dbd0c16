// The samples about placement, one for each factor that kube-scheduler takes into account, do what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, id, paste, pods, visits } from "./harness.mjs";

const open = visits();

async function sample(code) {
  const page = await open();
  await id(page, "samples").click();
  await id(page, `sample-${code}`).click();
  await id(page, "apply").click();
  await id(page, "applied").locator("li").first().waitFor();
  return page;
}

const on = (page, node, prefix) => id(page, `node-${node}`).locator(`[data-testid^="pod-default-${prefix}"]`);
const waiting = (page, prefix) => id(page, "pending").locator(`[data-testid^="pod-default-${prefix}"]`);
const text = (page) => page.locator(".cm-content").first().evaluate((e) => [...e.querySelectorAll(".cm-line")].map((l) => l.textContent).join("\n"));

/** Changes the editor's text and applies it again, as the sample's comment says. */
async function edit(page, change) {
  await paste(page, change(await text(page)));
  await id(page, "apply").click();
  await id(page, "applied").locator("li").first().waitFor();
}

test("resources: requests add up, and the fourth pod waits", async () => {
  const page = await sample("requests");
  for (const node of ["node-1", "node-2", "node-3"]) await count(on(page, node, "pair"), 1);
  await count(waiting(page, "pair"), 1);
  await id(page, "last-decision").getByText("3 Insufficient cpu").waitFor();
});

test("hardware and software: the pod goes to the node that has both", async () => {
  const page = await sample("hardware");
  await count(on(page, "node-2", "training"), 1);
});

test("policy: a dedicated node takes its team's pods only", async () => {
  const page = await sample("dedicated");
  await count(on(page, "node-1", "payments"), 1);
  await count(pods(page, "shop"), 4);
  await count(pods(page, "shop").and(page.locator('[data-state="ready"]')), 4);
  await count(on(page, "node-1", "shop"), 0);
});

test("policy: a gated pod waits until its gate is taken away", async () => {
  const page = await sample("gated");
  await count(id(page, "queue-gated").locator('[data-testid^="pod-default-needs"]'), 1);
  await edit(page, (t) => t.replace(/ {2}schedulingGates:\n {2}- name: .*\n/, ""));
  await count(pods(page, "needs").and(page.locator('[data-state="ready"]')), 1);
});

test("affinity and anti-affinity: one cache and one web server a node", async () => {
  const page = await sample("affinity");
  for (const node of ["node-1", "node-2", "node-3"]) {
    await count(on(page, node, "cache"), 1);
    await count(on(page, node, "web"), 1);
  }
});

test("data locality: the node that has the image scores higher", async () => {
  const page = await sample("image-locality");
  await count(on(page, "node-3", "first").and(page.locator('[data-state="ready"]')), 1);
  // The kubelet tells of its images with its next status.
  await id(page, "speed").selectOption("30000");
  await page.waitForFunction(() => /D0 00:(0[1-9]|[1-9])/.test(document.querySelector("[data-testid=clock]").innerText));
  await edit(page, (t) => t.replace("replicas: 0", "replicas: 1"));
  await count(on(page, "node-3", "second"), 1);
  // The control plane's view rests between two looks while pods move: until then the button is the first pod's.
  await id(page, "last-decision").getByText("second").waitFor();
  await id(page, "last-decision").click();
  const grid = id(page, "grid");
  await grid.waitFor();
  await id(page, "sort-ImageLocality").click();
  const score = async (node) => Number((await id(page, `grid-${node}`).locator(".score").last().innerText()).match(/^(\d+)/)[1]);
  assert.equal(await id(page, "grid").locator("[role=columnheader]").filter({ hasText: "ImageLocality" }).count(), 1);
  assert.ok((await score("node-3")) > 0);
  assert.equal(await score("node-1"), 0);
});

test("data locality: pods go where their volume is", async () => {
  const page = await sample("volume-locality");
  const ready = page.locator('article [data-testid^="pod-default-"][data-state="ready"]');
  await count(ready, 2);
  const nodes = await ready.evaluateAll((all) => all.map((e) => e.closest("article").dataset.testid));
  assert.equal(new Set(nodes).size, 1, nodes.join(" "));
});

test("data locality: an even spread over zones, though one has more room", async () => {
  const page = await sample("zones");
  await count(on(page, "node-3", "spread"), 2);
  await count(pods(page, "spread"), 4);
});

test("interference: noisy pods keep away from the critical one and from each other", async () => {
  const page = await sample("interference");
  await count(pods(page, "latency").and(page.locator('[data-state="ready"]')), 1);
  await count(waiting(page, "batch"), 1);
  for (const node of ["node-1", "node-2", "node-3"]) {
    const all = page.locator(`[data-testid="node-${node}"] [data-testid^="pod-default-"]`);
    await count(all, 1);
  }
});

test("deadlines: the urgent pod evicts a background pod", async () => {
  const page = await sample("priority");
  await count(pods(page, "background").and(page.locator('[data-state="ready"]')), 3);
  await edit(page, (t) => t.replace("replicas: 0", "replicas: 1"));
  await count(pods(page, "urgent").and(page.locator('[data-state="ready"]')), 1, 60_000);
  await count(waiting(page, "background"), 1);
});

test("deadlines: the pod is ended in time", async () => {
  const page = await sample("deadline");
  await id(page, "speed").selectOption("30000");
  await pods(page, "deadline").and(page.locator('[data-state="failed"]')).waitFor();
});
