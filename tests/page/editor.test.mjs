// The editor knows the kinds: it completes, explains, marks and formats, and shows what applying would change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, apply, count, id, paste, pods, visits } from "./harness.mjs";

const open = visits();

const content = (page) => id(page, "yaml-editor").locator(".cm-content");
/** Types at the end of the text, and waits for what is offered. */
async function offered(page, text, keys) {
  await paste(page, text);
  await page.keyboard.press("Control+End");
  await page.keyboard.type(keys);
  await page.keyboard.press("Control+Space");
  // What was offered for an earlier key stays, disabled, until this one's is known.
  const list = page.locator(".cm-tooltip-autocomplete:not(.cm-tooltip-autocomplete-disabled) li");
  await list.first().waitFor();
  return list.locator(".cm-completionLabel").allInnerTexts();
}
const marks = (page) => page.locator(".cm-lintRange");

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: nginx:1.27
`;

test("fields, values and kinds are offered where they belong", async () => {
  const page = await open();
  const fields = await offered(page, DEPLOYMENT, "        imagePu");
  assert.equal(fields[0], "imagePullPolicy");
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "imagePullPolicy" }).click();
  assert.match(await content(page).innerText(), /image: nginx:1.27\n\s+imagePullPolicy: /);

  const top = await offered(page, "apiVersion: apps/v1\nkind: Deployment\nspec:\n", "  ");
  assert.ok(top.includes("selector") && top.includes("template") && !top.includes("containers"), top.join());
  const kinds = await offered(page, "apiVersion: batch/v1\n", "kind: ");
  assert.deepEqual(kinds.toSorted(), ["CronJob", "Job"]);
  assert.ok((await offered(page, "", "Dep")).includes("Deployment"));
  await page.locator(".cm-tooltip-autocomplete li", { hasText: "Deployment" }).click();
  assert.match(await content(page).innerText(), /^apiVersion: apps\/v1\nkind: Deployment/);
});

test("Enter ends the line whatever is offered", async () => {
  const page = await open();
  await offered(page, "apiVersion: v1\n", "kind: Pod");
  await page.keyboard.press("Enter");
  await page.keyboard.type("metadata:");
  assert.equal((await content(page).innerText()).trim(), "apiVersion: v1\nkind: Pod\nmetadata:");
});

test("what the schema does not know is marked while it is written, in the page's language", async () => {
  const page = await open();
  await paste(page, DEPLOYMENT.replace("replicas: 2", "replica: 2").replace("name: web\nspec", "name: web\n  labels: {a: 1}\nspec"));
  await marks(page).nth(1).waitFor();
  await page.locator(".cm-lintRange", { hasText: "replica" }).hover();
  await page.locator(".cm-diagnostic", { hasText: 'unknown field "spec.replica". Did you mean replicas?' }).waitFor();
  await id(page, "lang").click();
  await page.locator(".cm-lintRange", { hasText: /^1$/ }).hover();
  await page.locator(".cm-diagnostic", { hasText: "metadata.labels.a 필드는 string 값이어야 하는데 integer 값입니다" }).waitFor();
});

test("a field under the pointer says what it is for", async () => {
  const page = await open();
  await paste(page, DEPLOYMENT);
  await content(page).getByText("replicas", { exact: true }).hover();
  const about = page.locator(".cm-about");
  await about.waitFor();
  const text = await about.innerText();
  assert.match(text, /spec\.replicas\s+integer/);
  assert.match(text, /Number of desired pods/);
});

test("custom resources are completed and checked by their definition", async () => {
  const page = await open();
  const schema = "{type: object, properties: {spec: {type: object, required: [cronSpec], properties: {cronSpec: {type: string}, replicas: {type: integer}}}}}";
  await applied(page, `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: ${schema}}}
`);
  await content(page).blur();
  await content(page).focus();
  const fields = await offered(page, "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: a}\nspec:\n", "  ");
  assert.deepEqual(fields.toSorted(), ["cronSpec", "replicas"]);
});

test("formatting keeps comments and what the text says", async () => {
  const page = await open();
  await paste(page, "# mine\nkind:   Pod\napiVersion: v1\nmetadata:\n    name: a # the name\n");
  await id(page, "format").click();
  await page.waitForFunction(() => document.querySelector(".cm-content").innerText.startsWith("# mine\nkind: Pod\n"));
  assert.equal((await content(page).innerText()).trim(), "# mine\nkind: Pod\napiVersion: v1\nmetadata:\n  name: a # the name");
});

test("the differences are shown before they are applied", async () => {
  const page = await open();
  await applied(page, DEPLOYMENT);
  await paste(page, DEPLOYMENT.replace("replicas: 2", "replicas: 3"));
  await id(page, "diff").click();
  await id(page, "differences").waitFor();
  await id(page, "differences").locator(".cm-changedLine", { hasText: "replicas: 3" }).waitFor();
  await id(page, "apply-differences").click();
  await id(page, "applied").getByText("deployment.apps/web configured").waitFor();
  await id(page, "diff").click();
  await id(page, "applied").getByText("deployment.apps/web unchanged (server dry run)").waitFor();
  assert.equal(await id(page, "differences").count(), 0);
  await apply(page, "kind: Nonsense\n");
  await id(page, "diagnostics").waitFor();
});

test("an object of the cluster is opened as a file, changed and applied", async () => {
  const page = await open();
  await applied(page, DEPLOYMENT);
  await count(pods(page, "web"), 2);
  await pods(page, "web").first().click();
  await id(page, "tab-owners").click();
  await id(page, "inspector").getByRole("button", { name: /Deployment/ }).click();
  await id(page, "inspector").getByText("Deployment · default").waitFor();
  await id(page, "edit-object").click();
  await id(page, "editor").getByText("web.yaml").first().waitFor();
  const text = await content(page).innerText();
  assert.match(text, /^apiVersion: apps\/v1\nkind: Deployment\n/);
  assert.doesNotMatch(text, /resourceVersion|last-applied|uid:|\nstatus:/);
  await applied(page, text.replace("replicas: 2", "replicas: 3"));
  await count(pods(page, "web"), 3);
});
