// The scheduler's queues as a board, and a pod's attempts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, id, paste, pause, pod, visits } from "./harness.mjs";

const open = visits();

test("every waiting pod is on the board, with why and for how long", async () => {
  const page = await open();
  await id(page, "show-queues").click();
  await id(page, "board").getByText("No pod waits").waitFor();
  await pause(page);
  await paste(page, pod("unfit", "  nodeSelector: {disk: ssd}\n---\n") + pod("gated", "  schedulingGates: [{name: example.com/wait}]\n"));
  await id(page, "apply").click();
  await id(page, "applied").waitFor();
  await id(page, "step-decision").click();
  const unfit = id(page, "board-unschedulable").getByTestId("queued-unfit");
  await unfit.getByText("NodeAffinity").waitFor();
  await unfit.getByText("attempts: 1").waitFor();
  await id(page, "board-gated").getByTestId("queued-gated").waitFor();

  // A node that gets the label wakes the pod: it waits out its back-off, counted in virtual time, then it is placed.
  await paste(page, "apiVersion: v1\nkind: Node\nmetadata: {name: node-2, labels: {disk: ssd}}\n");
  await id(page, "apply").click();
  await id(page, "applied").getByText("node-2").waitFor();
  for (let i = 0; i < 12 && (await id(page, "countdown-unfit").count()) === 0; i += 1) await id(page, "step").click();
  const left = async () => id(page, "countdown-unfit").innerText();
  const before = await left();
  assert.match(before, /^\d+(\.\d)?m?s$/);
  await id(page, "step-decision").click();
  await count(id(page, "queued-unfit"), 0);

  // The pod's history: two attempts, the newest first.
  await id(page, "show-decision").click();
  await id(page, "open-history").click();
  const attempts = id(page, "pod-decisions").locator(":scope > li");
  await count(attempts, 2);
  assert.match(await attempts.first().innerText(), /node-2/);
  assert.match(await attempts.last().innerText(), /didn't match Pod's node affinity/);
});

test("a pod is held back by its gate, until its owner removes that in the editor", async () => {
  const page = await open();
  await id(page, "show-queues").click();
  await paste(page, pod("quota", "  schedulingGates:\n  - name: example.com/quota\n"));
  await id(page, "apply").click();
  const gated = id(page, "board-gated").getByTestId("queued-quota");
  await gated.getByText("SchedulingGates").waitFor();
  // Time passes, and nobody tries it.
  await page.waitForTimeout(1500);
  await count(gated, 1);
  await count(gated.getByText("attempts"), 0);

  // Its owner takes the two lines out of the manifest and applies it.
  const editor = id(page, "editor").locator(".cm-content").first();
  await editor.locator(".cm-line", { hasText: "name: example.com/quota" }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("Shift+Home");
  await page.keyboard.press("Shift+ArrowUp");
  await page.keyboard.press("Shift+Home");
  await page.keyboard.press("Delete");
  assert.doesNotMatch(await editor.innerText(), /schedulingGates|example\.com/);
  await id(page, "apply").click();
  await count(gated, 0);
  await id(page, "show-cluster").click();
  await count(page.locator('article [data-testid="pod-default-quota"]'), 1);
  await id(page, "last-decision").click();
  await id(page, "open-history").click();
  const attempts = id(page, "pod-decisions").locator(":scope > li");
  await count(attempts, 1);
  assert.match(await attempts.first().innerText(), /node-\d/);
});
