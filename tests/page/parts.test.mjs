// Search everywhere, taking back, the presenter's spotlight, the page in a frame, traffic, a full volume.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { everyLook } from "./axe.mjs";
import { keepWorker } from "./frames.mjs";
import { applied, browser, count, host, id, pause, pod, pods, visits } from "./harness.mjs";
import { states } from "./parts_shots.mjs";
import { states as times } from "./time_shots.mjs";

const open = visits();
const ready = (page, name) => page.locator(`[data-testid="pod-default-${name}"][data-state="ready"]`);

test("search finds commands, kinds, lessons, samples, settings and objects by keys alone", async () => {
  const page = await open();
  await applied(page, pod("haystack"));
  await page.locator("body").click({ position: { x: 5, y: 5 } });
  const find = async (words, group, press = "Enter") => {
    await page.keyboard.press("Control+k");
    const input = id(page, "palette-input");
    await input.fill(words);
    const option = page.locator("#palette-list [role=option]", { hasText: group }).first();
    await option.waitFor();
    // The chosen option is what the field says is active.
    const wanted = await option.getAttribute("id");
    for (let n = 0; (await input.getAttribute("aria-activedescendant")) !== wanted; n += 1) {
      assert.ok(n < 60, "it is reached by arrows");
      await page.keyboard.press("ArrowDown");
    }
    assert.equal(await option.getAttribute("aria-selected"), "true");
    await page.keyboard.press(press);
    await count(id(page, "overlay"), 0);
  };
  await find("haystack", "Pod");
  await id(page, "inspector").getByText("haystack").first().waitFor();
  await find("statefulset", "Kind");
  await page.locator('[data-testid="show-objects"][aria-selected="true"]').waitFor();
  await find("pod haystack", "default/haystack");
  await find("theme dark", "Setting");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await find("queues", "View");
  await page.locator('[data-testid="show-queues"][aria-selected="true"]').waitFor();
  await find("first pod", "Lesson", "Escape");
  await find("cronjob", "Samples", "Escape");
  // The sheet of keys, from its key.
  await page.keyboard.press("?");
  for (const key of ["Ctrl K", "Ctrl Z", "Space", "P", "S"]) await id(page, "overlay").getByText(key, { exact: true }).first().waitFor();
});

test("what was done is taken back and done again", async () => {
  const page = await open();
  await applied(page, pod("kept"));
  await ready(page, "kept").waitFor();
  await applied(page, pod("gone"));
  await id(page, "toast").getByText("apply").waitFor();
  await pods(page, "gone").first().waitFor();
  await id(page, "undo").click();
  await count(pods(page, "gone"), 0);
  await count(pods(page, "kept"), 1);
  await id(page, "redo").click();
  await pods(page, "gone").first().waitFor();
  // By keys, of a fault, outside of the editor.
  await id(page, "node-menu-node-2").click();
  await id(page, "kill-node-2").click();
  await id(page, "node-node-2").getByText("power is off").waitFor();
  await page.locator("body").press("Control+z");
  await count(id(page, "node-node-2").getByText("power is off"), 0);
  await page.locator("body").press("Control+Shift+Z");
  await id(page, "node-node-2").getByText("power is off").waitFor();
});

test("while time stands still, one deed after the other is taken back and done again, with a Korean keyboard too", async () => {
  const page = await open();
  await pause(page);
  for (const name of ["one", "two", "three"]) {
    await applied(page, pod(name));
    await count(pods(page, name), 1);
  }
  await page.locator("body").click({ position: { x: 5, y: 5 } });
  for (const name of ["three", "two", "one"]) {
    await page.keyboard.press("Control+z");
    await count(pods(page, name), 0);
  }
  await id(page, "toast").getByText("Taken back").waitFor();
  for (const name of ["one", "two", "three"]) {
    await count(pods(page, name), 0);
    await page.evaluate(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ㅋ", code: "KeyZ", ctrlKey: true, shiftKey: true, bubbles: true })));
    await count(pods(page, name), 1);
  }
});

test("when the list of lessons cannot be read, the page begins without the lesson that its address asks for", async () => {
  const site = await host();
  const chrome = await browser();
  try {
    const page = await chrome.look(`${site.url}?lesson=first-pod`, (p) => p.route(/lessons\/index\.json/, (route) => route.fulfill({ body: "{" })));
    await id(page, "notice").getByText("There is no lesson of this name").waitFor();
    assert.deepEqual(chrome.complaints, []);
  } finally {
    await chrome.close();
    await site.close();
  }
});

test("the presenter's stage is clean, has a spotlight, and shows a decision's totals", async () => {
  const page = await open();
  await applied(page, pod("one"));
  await ready(page, "one").waitFor();
  await page.locator("body").click({ position: { x: 5, y: 5 } });
  await page.keyboard.press("p");
  await count(page.locator(".dock.open"), 0);
  await page.keyboard.press("s");
  const light = id(page, "spotlight");
  await id(page, "node-node-1").locator(".bars").hover();
  await page.waitForFunction(() => {
    const [light, node] = ["spotlight", "node-node-1"].map((t) => document.querySelector(`[data-testid=${t}]`).getBoundingClientRect());
    return Math.abs(light.left + 6 - node.left) < 2 && Math.abs(light.width - 12 - node.width) < 2;
  });
  await page.keyboard.press("s");
  await count(light, 0);
  await id(page, "show-decision").click();
  const total = id(page, "grid").locator(".total").first();
  await total.waitFor();
  const box = await total.boundingBox();
  assert.ok(box.x + box.width <= 1280, `the total ends at ${box.x + box.width}`);
  await page.keyboard.press("Escape");
  await count(id(page, "grid"), 0);
  await page.keyboard.press("Escape");
  await page.locator('html[data-presenter="off"]').waitFor();
});

test("another page shows a lesson or a state in a frame, and keeps nothing", async () => {
  const site = await host();
  const outer = createServer((request, response) => response.writeHead(200, { "content-type": "text/html" }).end(html));
  let html = `<!doctype html><title>x</title><body style="margin:0"><iframe src="${site.url}?embed&lesson=first-pod&lang=ko&theme=dark" width="1000" height="600" style="border:0" title="k"></iframe>`;
  await new Promise((done) => outer.listen(0, "127.0.0.1", done));
  const chrome = await browser({ permissions: ["clipboard-read", "clipboard-write"] });
  try {
    // The snippet that the dialog gives shows this state.
    const full = await chrome.look(site.url);
    await applied(full, pod("framed"));
    await ready(full, "framed").waitFor();
    await pause(full);
    await id(full, "engine").click();
    await id(full, "share").click();
    const snippet = await id(full, "share-embed").inputValue();
    assert.match(snippet, /^<iframe src="http:.*\?embed#state=/);
    await id(full, "share-embed-copy").click();
    assert.equal(await full.evaluate(() => navigator.clipboard.readText()), snippet);
    await full.close();

    const page = await chrome.context.newPage();
    await page.goto(`http://127.0.0.1:${outer.address().port}/`);
    const lesson = page.frameLocator("iframe");
    await lesson.getByTestId("lesson").locator("h2").first().waitFor();
    await lesson.locator('[data-engine="ready"]').waitFor();
    assert.equal(await lesson.locator("html").getAttribute("lang"), "ko");
    assert.equal(await lesson.locator("html").getAttribute("data-theme"), "dark");
    for (const name of ["palette", "toggle-left", "engine", "show-objects"]) await count(lesson.getByTestId(name).and(lesson.locator(":visible")), 0);
    assert.match(await lesson.getByTestId("in-full").getAttribute("href"), /\?lesson=first-pod&lang=ko$/);

    html = `<!doctype html><title>x</title>${snippet}`;
    await page.reload();
    const state = page.frameLocator("iframe");
    await state.locator('[data-testid="pod-default-framed"]').waitFor();
    await count(state.locator(".dock.open"), 0);
    assert.match(await state.getByTestId("in-full").getAttribute("href"), /\/#state=/);

    // In full the lesson begins, and the address forgets it.
    const again = await chrome.visit(`${site.url}?lesson=first-pod`);
    await id(again, "lesson").locator("h2").first().waitFor();
    await again.waitForFunction(() => !location.search.includes("lesson"));
  } finally {
    await chrome.close();
    await site.close();
    outer.closeAllConnections();
    outer.close();
  }
});

const app = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: registry.k8s.io/hpa-example, resources: {requests: {cpu: 200m}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
`;

test("traffic from a Service's panel loads its pods until the autoscaler adds more; it stops", async () => {
  const page = await open();
  await applied(page, app);
  await page.locator('[data-testid^="pod-default-web-"][data-state="ready"]').waitFor();
  const inspect = async (words, kind) => {
    await id(page, "palette").click();
    await id(page, "palette-input").fill(words);
    await page.locator("#palette-list [role=option]", { hasText: kind }).filter({ hasText: "default/web" }).first().click();
  };
  await inspect("service web", "Service");
  await id(page, "traffic-rate").fill("20");
  await id(page, "traffic-start").click();
  await id(page, "traffic-state").getByText("running").waitFor();
  await id(page, "panel-traffic").getByText("steady").waitFor();
  await id(page, "speed").selectOption("10000");
  await id(page, "endpoint-cpu").first().waitFor();
  await page.locator('[data-testid^="pod-default-web-"][data-state="ready"]').nth(2).waitFor({ timeout: 60_000 });
  await id(page, "traffic-scaler").click();
  await id(page, "panel-hpa").locator("polyline.current").waitFor();
  await inspect("service web", "Service");
  await id(page, "traffic-stop").click();
  await id(page, "traffic-start").waitFor();
  await count(pods(page, "traffic-web"), 0);
});

const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, "while true; do date >> /data/log || echo refused; sleep 1; done"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`;

test("a volume is filled up and has room again", async () => {
  const page = await open();
  await applied(page, claim);
  await ready(page, "writer").click();
  await id(page, "fill-volume").click();
  await id(page, "volume-full").waitFor();
  await id(page, "tab-logs").click();
  await id(page, "inspector").getByText("refused").first().waitFor();
  await id(page, "tab-summary").click();
  await id(page, "free-volume").click();
  await id(page, "fill-volume").waitFor();
});

test("with the control plane as a node its static pods are on the stage and start again", async () => {
  const page = await open();
  await id(page, "engine").click();
  await id(page, "fresh").click();
  await id(page, "new-cluster-control-plane").check();
  await id(page, "new-cluster-start").click();
  const scheduler = page.locator('[data-testid^="pod-kube-system-kube-scheduler-"]');
  await scheduler.and(page.locator('[data-state="ready"]')).waitFor();
  await id(page, "lamp-kube-scheduler").hover();
  await id(page, "faults-kube-scheduler").click();
  await id(page, "crash-kube-scheduler").click();
  await page.locator('[data-testid="lamp-kube-scheduler"]:not([data-state="running"])').waitFor();
  await id(page, "speed").selectOption("10000");
  await page.locator('[data-testid="lamp-kube-scheduler"][data-state="running"]').waitFor();
  await scheduler.and(page.locator('[data-state="ready"]')).waitFor();
});

everyLook(open, async (page, check, name) => {
  for (const state of ["lesson", "terminal", "contents", "completion", "diff", "keys"]) {
    await states[state](page);
    await check(state);
    await page.keyboard.press("Escape");
  }
  await times.share(page);
  await check("share");
  await page.keyboard.press("Escape");
  await states.traffic(page);
  await check("traffic");
  await states.palette(page);
  await check("palette");
  await page.keyboard.press("Escape");
  if (name.startsWith("dark")) {
    const moving = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--calm"));
    assert.match(moving, /^0m?s$/);
  }
}, keepWorker);
