// States of the list of objects, the cloud's console and the inspector's panels for screenshots.
import { order } from "./frames.mjs";
import { id, pod } from "./harness.mjs";

const ID = 8e6;
const settle = (page, ms = 900) => page.waitForTimeout(ms);
const apply = (page, text) => order(page, [{ command: "apply", id: ID, mode: "apply", files: [{ name: "shot.yaml", text }] }]);
const fast = (page) => order(page, [{ command: "set-speed", speed: { times: 20000 } }]);
const editor = async (page) => {
  if (await id(page, "pane-editor").isVisible()) await id(page, "pane-editor").click();
  // On a laptop the inspector has taken its place.
  else if (!(await id(page, "acting").isVisible())) await id(page, "toggle-left").click();
};
const stage = async (page) => {
  if (await id(page, "pane-stage").isVisible()) await id(page, "pane-stage").click();
};
const inspect = async (page, kind, name) => {
  await stage(page);
  await id(page, "show-objects").click();
  const narrow = id(page, "kinds-narrow");
  await id(page, "object-rows").waitFor();
  if (await narrow.isVisible()) await narrow.selectOption(await narrow.locator("option", { hasText: new RegExp(`^${kind} \\(`) }).first().getAttribute("value"));
  else await id(page, `kind-${kind}`).click();
  await id(page, "objects-search").fill(name);
  await id(page, `object-${kind}-${name}`).click();
  await settle(page);
};

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop, tier: front}}
spec:
  replicas: 5
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop, tier: front}}
    spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 100m}}}]}
`;
const BALANCER = "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {type: LoadBalancer, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}\n";
const JOB = `apiVersion: batch/v1
kind: Job
metadata: {name: squares}
spec:
  completions: 24
  parallelism: 3
  completionMode: Indexed
  backoffLimitPerIndex: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, 'test $JOB_COMPLETION_INDEX != 5 && sleep 2']}]
`;
const QUOTA = `apiVersion: v1
kind: ResourceQuota
metadata: {name: team-quota}
spec: {hard: {pods: "6", requests.cpu: "1", requests.memory: 2Gi, services.loadbalancers: "1", count/jobs.batch: "4"}}
---
${DEPLOYMENT}${BALANCER}`;

export const states = {
  objects: async (page) => {
    await apply(page, DEPLOYMENT + BALANCER);
    await settle(page, 2500);
    await id(page, "show-objects").click();
    await settle(page);
  },
  "objects-pods": async (page) => {
    await apply(page, `${DEPLOYMENT}---\n${pod("too-big", "", "64")}`);
    await settle(page, 2500);
    await id(page, "show-objects").click();
    await id(page, "object-rows").waitFor();
    if (await id(page, "kind-Pod").isVisible()) await id(page, "kind-Pod").click();
    await settle(page);
  },
  cloud: async (page) => {
    await order(page, [{ command: "cloud", id: ID, order: "connect" }]);
    await fast(page);
    await apply(page, DEPLOYMENT + BALANCER);
    await settle(page, 4000);
    await order(page, [{ command: "cloud", id: ID, order: "trouble", failures: 300, delay_ms: 2000 }, { command: "cloud", id: ID, order: "stop-instance", node: "node-2" }]);
    await settle(page, 2500);
    await stage(page);
    await id(page, "show-cloud").click();
    await settle(page);
  },
  "cloud-none": async (page) => {
    await id(page, "show-cloud").click();
    await settle(page);
  },
  "cloud-diagram": async (page) => {
    await order(page, [{ command: "cloud", id: ID, order: "connect" }]);
    await apply(page, DEPLOYMENT + BALANCER);
    await settle(page, 4000);
  },
  "panel-job": async (page) => {
    await apply(page, JOB);
    await order(page, [{ command: "set-speed", speed: { times: 3000 } }]);
    await settle(page, 5000);
    await inspect(page, "Job", "squares");
  },
  "panel-quota": async (page) => {
    await apply(page, QUOTA);
    await settle(page, 3000);
    await inspect(page, "ResourceQuota", "team-quota");
  },
  "panel-service": async (page) => {
    await apply(page, DEPLOYMENT + BALANCER);
    await settle(page, 3000);
    await inspect(page, "Service", "shop");
  },
  "panel-role": async (page) => {
    await inspect(page, "ClusterRole", "system:kube-scheduler");
  },
  acting: async (page) => {
    await editor(page);
    await id(page, "acting").click();
    await id(page, "act-as-user").check();
    await id(page, "act-as-name").fill("jane");
    await settle(page, 300);
  },
  refused: async (page) => {
    await editor(page);
    await id(page, "acting").click();
    await id(page, "act-as-user").check();
    await id(page, "act-as-name").fill("jane");
    await id(page, "act-as-go").click();
    await page.locator(".cm-content").click();
    await page.keyboard.insertText(DEPLOYMENT);
    await id(page, "apply").click();
    await settle(page);
  },
};
