// `KUBOTTLE_PAGE=… node travel_bench.mjs`: how long it takes from moving the timeline's handle until the cluster as it was then is on
// the screen, in a session of 10,000 scheduling decisions, at moments all over it.
import { keepWorker, order } from "./frames.mjs";
import { browser, host, id } from "./harness.mjs";

const NODES = Number(process.env.NODES ?? 200);
const PODS = Number(process.env.PODS ?? 10_000);
const LOOKS = Number(process.env.LOOKS ?? 60);

const deployment = (name, replicas) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: c, image: nginx}]
---
`;

/** Milliseconds from the move to a frame that shows another time; nothing when the time there is the same. */
const look = (page, part) => page.evaluate((part) => new Promise((done) => {
  const find = (id) => document.querySelector(`[data-testid=${id}]`);
  const input = find("scrub");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const before = find("clock").innerText;
  const begun = performance.now();
  set.call(input, String(Math.round(Number(input.max) * part)));
  input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const wait = () => {
    const now = performance.now() - begun;
    if (find("clock").innerText !== before) done(now);
    else if (now > 3000) done(undefined);
    else requestAnimationFrame(wait);
  };
  requestAnimationFrame(wait);
}), part);

const site = await host();
const chrome = await browser();
const page = await chrome.look(site.url, keepWorker);
page.setDefaultTimeout(600_000);
await order(page, Array.from({ length: NODES - 3 }, (_, i) => ({ command: "add-node", id: 1e6 + i, cpu: "32", memory: "64Gi", pods: "110" })));
await page.waitForFunction((n) => document.querySelector("[data-testid=heatmap-summary]")?.innerText.startsWith(`${n} `), NODES);
const files = [{ name: "web.yaml", text: Array.from({ length: 10 }, (_, i) => deployment(`web-${i}`, PODS / 10)).join("") }];
const begun = performance.now();
await order(page, [{ command: "apply", id: 2e6, mode: "apply", files }]);
await page.waitForFunction((n) => (document.querySelector("[data-testid=heatmap-summary]")?.innerText ?? "").replaceAll(",", "").includes(`${n} `), PODS);
await id(page, "speed").selectOption({ label: "100×" }).catch(() => {});
await page.waitForTimeout(5000);
await id(page, "pause").click();
console.log(`${PODS} pods on ${NODES} nodes after ${((performance.now() - begun) / 1000).toFixed(0)} s: ${await id(page, "heatmap-summary").innerText()}`);
const took = [];
for (let i = 1; i <= LOOKS; i += 1) {
  const ms = await look(page, (i * 0.381966) % 1);
  if (ms !== undefined) took.push(ms);
  await page.waitForTimeout(200);
}
took.sort((a, b) => a - b);
const at = (q) => took[Math.min(took.length - 1, Math.floor(took.length * q))]?.toFixed(0);
console.log(`time travel: ${took.length} of ${LOOKS} moments at another second, shown after ${at(0.5)} ms (90% ${at(0.9)}, worst ${at(1)})`);
if (chrome.complaints.length > 0) console.log(chrome.complaints);
await chrome.close();
await site.close();
