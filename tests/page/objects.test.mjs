// The list of all objects: every kind with its number, search over all of them, and the inspector from there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, count, id, visits } from "./harness.mjs";

const open = visits();

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {image: {type: string}}}}}}
`;
const deployment = (name, replicas) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, labels: {team: ${name}}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: nginx}]}
`;
const rows = (page) => id(page, "object-rows").locator('[role="row"][id^="object-"]');
const number = async (page, kind) => Number((await id(page, `kind-${kind}`).locator("b").innerText()).replace(/\D/g, ""));

test("every kind is counted, custom kinds too, and an object opens in the inspector", async () => {
  const page = await open();
  await applied(page, DEFINITION);
  await applied(page, "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: mine, labels: {app: tab}}\nspec: {image: x}\n");
  await id(page, "show-objects").click();
  await id(page, "kind-CronTab").waitFor();
  assert.equal(await number(page, "CronTab"), 1);
  assert.equal(await number(page, "Node"), 3);
  assert.ok((await number(page, "ClusterRole")) > 30);
  await id(page, "kind-CronTab").click();
  await id(page, "objects-command").getByText("kubectl get crontabs.stable.example.com -A").waitFor();
  await id(page, "object-CronTab-mine").click();
  await id(page, "inspector-name").getByText("mine").waitFor();
  await id(page, "tab-yaml").click();
  await id(page, "object-yaml").getByText("image: x").waitFor();
});

test("search goes over names, namespaces and labels of all kinds", async () => {
  const page = await open();
  await applied(page, deployment("shop", 2));
  await id(page, "show-objects").click();
  await id(page, "objects-search").fill("app=shop");
  await count(id(page, "object-rows").locator('[data-testid^="object-Pod-shop-"]'), 2);
  await id(page, "objects-search").fill("team=shop");
  await count(rows(page), 1);
  await id(page, "object-Deployment-shop").waitFor();
  await id(page, "objects-search").fill("no such thing");
  await id(page, "objects-clear").click();
  assert.equal(await id(page, "objects-search").inputValue(), "");
  await id(page, "objects-namespace").selectOption("default");
  await id(page, "kind-Deployment").click();
  await count(rows(page), 1);
});

test("the list is worked by keys alone", async () => {
  const page = await open();
  await id(page, "show-objects").click();
  const kinds = id(page, "kinds");
  await kinds.focus();
  await page.keyboard.press("End");
  await kinds.locator('[aria-selected="true"]:not([data-testid="kind-all"])').waitFor();
  await page.keyboard.press("Home");
  await page.locator('[data-testid="kind-all"][aria-selected="true"]').waitFor();
  await id(page, "kind-Node").click();
  await count(rows(page), 3);
  await id(page, "object-rows").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await id(page, "inspector-name").getByText("node-2").waitFor();
});

test("a kind without objects offers a sample", async () => {
  const page = await open();
  await id(page, "show-objects").click();
  await id(page, "kind-Ingress").click();
  await id(page, "objects-nothing").getByText("There is no Ingress yet.").waitFor();
  await id(page, "objects-sample").click();
  await id(page, "editor").getByText("kind: Ingress").first().waitFor();
});
