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
