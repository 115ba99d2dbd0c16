// The page in Chromium, from the editor to the stage.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, count, manifest, pods, visits } from "./harness.mjs";

const open = visits();

test("a pasted Deployment is admitted, scheduled and started", async () => {
  const page = await open();
  await apply(page, await manifest("deployment.yaml"));
  await page.getByTestId("applied").getByText("deployment.apps/nginx-deployment created").waitFor();
  await count(pods(page, "nginx-deployment-").and(page.locator('[data-state="ready"]')), 3);
  await pods(page, "nginx-deployment-").first().click();
  await page.getByTestId("inspector").getByText("nginx-deployment-").first().waitFor();
});

test("nothing is applied unless everything is sound", async () => {
  const page = await open();
  await apply(page, await manifest("bad/second.yaml"));
  const said = page.getByTestId("diagnostics");
  await said.getByText("Second_Is_Not").first().waitFor();
  assert.match(await said.innerText(), /9/);
  await count(page.getByTestId("applied").locator("li"), 0);

  for (const [name, words] of [
    ["bad/tabs.yaml", "found character that cannot start any token"],
    ["bad/duplicate-key.yaml", 'key "a" already set in map'],
    ["bad/alias-bomb.yaml", "document contains excessive aliasing"],
    ["bad/unknown-field.yaml", 'unknown field "spec.containers[0].imagee"'],
    ["bad/wrong-type.yaml", "cannot unmarshal string"],
  ]) {
    await apply(page, await manifest(name));
    await page.getByTestId("diagnostics").getByText(words).first().waitFor();
  }
  await count(page.locator('[data-testid^="pod-default-"]'), 0);
});

test("every process of the control plane has its lamp", async () => {
  const page = await open();
  for (const process of ["kube-scheduler", "kube-controller-manager", "local-path-provisioner"]) {
    assert.equal(await page.getByTestId(`lamp-${process}`).getAttribute("data-state"), "running");
  }
  await page.getByTestId("lamp-local-path-provisioner").hover();
  await page.getByTestId("power-local-path-provisioner").click();
  await page.locator('[data-testid="lamp-local-path-provisioner"][data-state="stopped"]').waitFor();
});

test("without a scheduler pods wait; with it they run", async () => {
  const page = await open();
  await page.getByTestId("power-kube-scheduler").click();
  await page.locator('[data-testid="lamp-kube-scheduler"]:not([data-state="running"])').waitFor();
  await apply(page, await manifest("deployment.yaml"));
  await count(page.getByTestId("pending").locator('[data-testid^="pod-default-nginx"]'), 3);
  await page.getByTestId("power-kube-scheduler").click();
  await count(pods(page, "nginx-deployment-").and(page.locator('[data-state="ready"]')), 3);
});

test("a decision can be stepped to and read", async () => {
  const page = await open();
  await page.getByTestId("pause").click();
  await page.getByTestId("paused").waitFor();
  await apply(page, await manifest("pod.yaml"));
  await page.getByTestId("step-decision").click();
  await page.getByTestId("last-decision").click();
  const grid = page.getByTestId("grid");
  await grid.waitFor();
  await count(grid.locator(".winner"), 1);
  assert.match(await grid.innerText(), /NodeResourcesFit/);
});

test("a reload keeps the cluster and the text", async () => {
  const page = await open();
  await apply(page, await manifest("pod.yaml"));
  await pods(page, "nginx").and(page.locator('[data-state="ready"]')).waitFor();
  await page.waitForTimeout(2500);
  await page.reload();
  await pods(page, "nginx").and(page.locator('[data-state="ready"]')).waitFor();
  await page.getByTestId("editor").getByText("nginx:1.14.2").first().waitFor();
});

test("Korean and English, light and dark", async () => {
  const page = await open();
  const before = await page.getByTestId("apply").innerText();
  await page.getByTestId("lang").click();
  assert.equal(await page.locator("html").getAttribute("lang"), "ko");
  assert.notEqual(await page.getByTestId("apply").innerText(), before);
  const colour = () => page.locator("body").evaluate((b) => getComputedStyle(b).backgroundColor);
  const light = await colour();
  await page.getByTestId("theme").click();
  await page.waitForTimeout(400);
  if ((await colour()) === light) {
    await page.getByTestId("theme").click();
    await page.waitForTimeout(400);
  }
  assert.notEqual(await colour(), light);
});

test("what a newcomer sees first", async () => {
  const page = await open();
  await page.getByTestId("welcome").waitFor();
  await page.getByTestId("try-deployment").click();
  await count(page.locator('[data-testid^="pod-default-"][data-state="ready"]'), 3);
});
