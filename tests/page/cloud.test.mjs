// The toy cloud's console: a cluster in a cloud, what it has there, and what can go wrong with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, count, id, visits } from "./harness.mjs";

const open = visits();

const BALANCER = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {type: LoadBalancer, selector: {app: shop}, ports: [{port: 80}]}\n";

/** A new cluster in the cloud, at ten times the speed. */
async function inTheCloud(page) {
  await id(page, "engine").click();
  await id(page, "fresh").click();
  await id(page, "new-cluster-cloud").check();
  await id(page, "new-cluster-start").click();
  await id(page, "power-cloud-controller-manager").waitFor({ state: "attached" });
  await id(page, "speed").selectOption("10000");
  await id(page, "show-cloud").click();
  await id(page, "console").waitFor();
}
const state = (page, node) => id(page, `instance-state-${node}`);

test("a cluster is in no cloud until it is asked for, and comes back in it", async () => {
  const page = await open();
  assert.equal(await id(page, "lamp-cloud-controller-manager").count(), 0);
  await id(page, "show-cloud").click();
  await id(page, "cloud-none").waitFor();
  await id(page, "cloud-new").click();
  await id(page, "new-cluster-cloud").check();
  await id(page, "new-cluster-start").click();
  await count(id(page, "cloud-instances").locator("tbody tr"), 3);
  await count(id(page, "cloud-routes").locator("tbody tr"), 3);
  await page.waitForTimeout(2500);
  await page.reload();
  await id(page, "show-cloud").click();
  await count(id(page, "cloud-instances").locator("tbody tr"), 3);
});

test("a running cluster can be moved into the cloud", async () => {
  const page = await open();
  await id(page, "show-cloud").click();
  await id(page, "cloud-connect").click();
  await count(id(page, "cloud-instances").locator("tbody tr"), 3);
  await id(page, "show-cluster").click();
  await id(page, "component-service-lb-controller").or(id(page, "open-console")).first().waitFor();
});

test("a load balancer comes with its Service, and its targets tell their health", async () => {
  const page = await open();
  await inTheCloud(page);
  await applied(page, BALANCER);
  const balancer = id(page, "balancer-default/shop");
  await balancer.getByText("203.0.113.10").waitFor();
  await balancer.getByText("active").waitFor();
  await count(balancer.locator(".targets .good"), 3);
  await id(page, "instance-menu-node-2").click();
  await id(page, "stop-node-2").click();
  await state(page, "node-2").getByText("stopped").waitFor();
  await balancer.locator(".targets .bad").or(balancer.locator(".targets .good").nth(1)).first().waitFor();
  await id(page, "cloud-calls").getByText("EnsureLoadBalancer").first().waitFor();
  await id(page, "instance-menu-node-2").click();
  await id(page, "start-node-2").click();
  await state(page, "node-2").getByText("running").waitFor();
});

test("instances are added and terminated, and the Node of a terminated one is deleted", async () => {
  const page = await open();
  await inTheCloud(page);
  await id(page, "cloud-add").click();
  await id(page, "add-m1.large").click();
  await id(page, "instance-node-4").getByText("m1.large").waitFor();
  await id(page, "instance-menu-node-1").click();
  await id(page, "terminate-node-1").click();
  await count(id(page, "instance-node-1"), 0);
  await id(page, "show-cluster").click();
  await id(page, "node-node-4").waitFor();
  await count(id(page, "node-node-1"), 0, 60_000);
});

test("a cloud that fails says so in its calls; a zone's failure takes its instances", async () => {
  const page = await open();
  await inTheCloud(page);
  await id(page, "cloud-failures").selectOption("1000");
  await applied(page, BALANCER);
  await id(page, "cloud-calls").locator(".failed").first().waitFor();
  await id(page, "cloud-failed-only").click();
  assert.equal(await id(page, "cloud-calls").locator("li:not(.failed)").count(), 0);
  assert.equal(await id(page, "cloud-failures").inputValue(), "1000");
  await id(page, "cloud-failures").selectOption("0");
  await id(page, "balancer-default/shop").waitFor({ timeout: 60_000 });
  await id(page, "zone-toy-1a").click();
  await id(page, "cloud-instances").getByText("zone down").first().waitFor();
});

test("cloud-controller-manager is a process of its own in the diagram", async () => {
  const page = await open();
  await inTheCloud(page);
  await id(page, "show-cluster").click();
  await id(page, "lamp-cloud-controller-manager").hover();
  await id(page, "power-cloud-controller-manager").click();
  await page.locator('[data-testid="lamp-cloud-controller-manager"][data-state="stopped"]').waitFor();
  // Nobody initializes a new node now.
  await id(page, "add-node").click();
  await id(page, "new-node-add").click();
  await id(page, "node-node-4").locator(".taint").getByText("uninitialized").waitFor();
  await id(page, "open-console").click();
  await id(page, "console").waitFor();
});
