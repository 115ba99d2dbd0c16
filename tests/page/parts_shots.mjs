// States of the terminal, lessons, the editor's helpers, search, traffic and presenting, for screenshots and screen readers.
import { order } from "./frames.mjs";
import { id } from "./harness.mjs";

const ID = 9e6;
const settle = (page, ms = 700) => page.waitForTimeout(ms);
const apply = (page, text) => order(page, [{ command: "apply", id: ID, mode: "apply", files: [{ name: "shop.yaml", text }] }]);
const visible = (page, name) => id(page, name).isVisible();
/** On a phone panes are chosen by the tabs at the foot. */
const pane = async (page, name) => {
  if (await visible(page, `pane-${name}`)) await id(page, `pane-${name}`).click();
};

const SHOP = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: registry.k8s.io/hpa-example, resources: {requests: {cpu: 100m}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
`;

const write = async (page, text) => {
  await pane(page, "editor");
  if (await visible(page, "left-editor")) await id(page, "left-editor").click();
  const content = id(page, "editor").locator(".cm-content").first();
  await content.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(text);
};

export const states = {
  terminal: async (page) => {
    if (await visible(page, "pane-terminal")) await id(page, "pane-terminal").click();
    else await page.keyboard.press("Control+Backquote");
    await page.locator(".terminal:not([hidden]) .xterm-rows").waitFor();
    for (const line of ["kubectl apply -f samples/deployment.yaml", "kubectl get pods -o wide", "kubectl get po"]) {
      await page.keyboard.type(line);
      await page.keyboard.press(line.endsWith("po") ? "Tab" : "Enter");
      await settle(page, 1200);
    }
  },
  contents: async (page) => {
    if (await visible(page, "pane-lesson")) await id(page, "pane-lesson").click();
    else await id(page, "left-lesson").click();
    await settle(page);
  },
  lesson: async (page) => {
    await pane(page, "stage");
    await id(page, "first-lesson").click();
    await id(page, "lesson").locator("h2").first().waitFor();
    await settle(page, 1500);
  },
  completion: async (page) => {
    await write(page, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  re");
    await page.keyboard.press("Control+Space");
    await settle(page);
  },
  diff: async (page) => {
    await apply(page, SHOP);
    await settle(page);
    await write(page, SHOP.replace("replicas: 2", "replicas: 4"));
    await id(page, "diff").click();
    await id(page, "differences").waitFor();
    await settle(page);
  },
  palette: async (page) => {
    await apply(page, SHOP);
    await settle(page);
    await id(page, "palette").click();
    await id(page, "palette-input").fill("shop");
    await settle(page);
  },
  keys: async (page) => {
    await id(page, "help").click();
    await settle(page);
  },
  traffic: async (page) => {
    await apply(page, SHOP);
    await settle(page, 2500);
    await id(page, "palette").click();
    await id(page, "palette-input").fill("service shop");
    await page.locator("#palette-list [role=option]", { hasText: "default/shop" }).first().click();
    await id(page, "traffic-start").click();
    await order(page, [{ command: "set-speed", speed: { times: 10000 } }]);
    await settle(page, 5000);
    await order(page, [{ command: "set-speed", speed: { times: 1000 } }]);
    await settle(page);
  },
  presenter: async (page) => {
    await apply(page, SHOP);
    await settle(page, 2500);
    if (!(await visible(page, "presenter"))) return;
    await id(page, "presenter").click();
    await id(page, "spotlight-button").click();
    await id(page, "node-node-1").hover();
    await settle(page);
  },
};
