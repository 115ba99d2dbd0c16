// A pod that does not work: the inspector says why, and what was seen to mend it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, id, pods, visits } from "./harness.mjs";

const open = visits();
const deployment = (image) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "${image}"}]}
`;

test("a wrong image is told in one sentence, a remedy is tried in a copy, carried out and helps", async () => {
  const page = await open();
  await applied(page, deployment("ngnix:1.25"));
  await pods(page, "web").first().click();
  const sentence = id(page, "diagnosis-sentence");
  await sentence.getByText("the registry has no image ngnix:1.25, or does not give it to strangers").waitFor();
  await id(page, "diagnosis").locator(".evidence q").first().waitFor();
  await id(page, "try-remedies").click();
  const helps = page.locator('[data-testid="remedy"].helps').first();
  await helps.getByText("Use the image nginx:1.25").waitFor();
  assert.match(await helps.innerText(), /Deployment\/web spec\.template\.spec\.containers\[c\]\.image/);
  assert.match(await helps.innerText(), /Works in the copy after \d+ s/);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/diagnosis.png` });
  await helps.getByTestId("carry-out").click();
  await page.locator('[data-testid^="pod-default-web"][data-state="ready"]').first().waitFor();

  // In Korean, of a pod that fits nowhere, the scheduler is asked.
  await id(page, "lang").click();
  await id(page, "close-inspector").click();
  await applied(page, "apiVersion: v1\nkind: Pod\nmetadata: {name: big}\nspec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 100}}}]}\n");
  await id(page, "pod-default-big").click();
  await sentence.getByText("파드를 받아 줄 노드가 없습니다. 가장 많은 이유: Insufficient cpu (노드 3개)").waitFor();
  await id(page, "find-fixes").waitFor();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/diagnosis-ko.png` });
});

test("a remedy for what has changed since is refused in words, and changes nothing", async () => {
  const page = await open();
  await applied(page, deployment("ngnix:1.25"));
  await pods(page, "web").first().click();
  await id(page, "try-remedies").click();
  const helps = page.locator('[data-testid="remedy"].helps').first();
  await helps.getByText("Use the image nginx:1.25").waitFor();
  // The inspector has taken the editor's room. The pod stays as long as its successor is not ready.
  await id(page, "toggle-left").click();
  await applied(page, deployment("ngnix:1.26"));
  await pods(page, "web").nth(1).waitFor();
  await helps.getByTestId("carry-out").click();
  await id(page, "notice").getByText("Nothing was changed").waitFor();
  assert.equal(await page.locator('[data-testid^="pod-default-web"][data-state="ready"]').count(), 0);
});
