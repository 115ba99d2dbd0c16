// What can be made to go wrong from the page, and mended.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, count, id, pod, visits } from "./harness.mjs";

const open = visits();
const lamp = (page, process, state) => page.locator(`[data-testid="lamp-${process}"][data-state="${state}"]`);

async function fault(page, process, code) {
  await id(page, `lamp-${process}`).hover();
  await id(page, `faults-${process}`).click();
  await id(page, `${code}-${process}`).click();
}

test("a component is crashed and comes back, paused and goes on, slowed and made fast again", async () => {
  const page = await open();
  await fault(page, "kube-controller-manager", "crash");
  await lamp(page, "kube-controller-manager", "crashed").waitFor();
  await id(page, "speed").selectOption("10000");
  await lamp(page, "kube-controller-manager", "running").waitFor();
  await fault(page, "kube-scheduler", "pause");
  await lamp(page, "kube-scheduler", "paused").waitFor();
  await applied(page, pod("waits"));
  await count(id(page, "pending").locator('[data-testid="pod-default-waits"]'), 1);
  await fault(page, "kube-scheduler", "resume");
  await page.locator('[data-testid="pod-default-waits"][data-state="ready"]').waitFor();
  await fault(page, "kube-scheduler", "slow");
  await id(page, "slow-kube-scheduler").getByText("×10").waitFor();
  await fault(page, "kube-scheduler", "fast");
  await count(id(page, "slow-kube-scheduler"), 0);
});

test("a node that is cut off becomes NotReady and comes back", async () => {
  const page = await open();
  await id(page, "speed").selectOption("30000");
  await id(page, "node-menu-node-2").click();
  await id(page, "cut-node-2").click();
  await id(page, "cut-off-node-2").waitFor();
  await page.locator('[data-testid="node-node-2"]:not([data-status="Ready"])').waitFor();
  await id(page, "node-menu-node-2").click();
  await id(page, "heal-node-2").click();
  await page.locator('[data-testid="node-node-2"][data-status="Ready"]').waitFor();
});

test("an image that cannot be pulled keeps its pod from starting", async () => {
  const page = await open();
  await id(page, "images").click();
  await id(page, "block-image-name").fill("nginx");
  await id(page, "block-image").click();
  await id(page, "blocked-images").getByText("nginx").waitFor();
  await page.keyboard.press("Escape");
  await applied(page, pod("web"));
  await page.locator('[data-testid="pod-default-web"][data-state="back-off"]').waitFor();
  await id(page, "images").click();
  await id(page, "blocked-images").getByRole("button").click();
  await count(id(page, "blocked-images").locator("li"), 0);
  await page.keyboard.press("Escape");
  await id(page, "speed").selectOption("30000");
  await page.locator('[data-testid="pod-default-web"][data-state="ready"]').waitFor();
});
