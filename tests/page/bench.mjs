// What the page costs: bytes, seconds from opening to the first Running pod, and Deployments in the browser's own
// cluster with its clock as fast as it can; then what a frame costs with 1,000 nodes and 10,000 pods.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { crowd, keepWorker, latency, measure, order, row } from "./frames.mjs";
import { browser, count, host, pageDir, paste, pods } from "./harness.mjs";

const files = (dir) => readdirSync(dir).flatMap((name) => {
  const path = join(dir, name);
  return statSync(path).isDirectory() ? files(path) : [path];
});
const sum = (pack) => files(pageDir).reduce((total, f) => total + pack(readFileSync(f)).length, 0);
const kb = (n) => `${Math.round(n / 1000)} KB`;
console.log(`page: ${kb(sum((b) => b))}, gzip ${kb(sum(gzipSync))}, brotli ${kb(sum(brotliCompressSync))}`);

const deployment = (replicas) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: nginx}
`;

const site = await host();
const chrome = await browser();
const started = performance.now();
const page = await chrome.look(site.url);
console.log(`page load to nodes Ready: ${((performance.now() - started) / 1000).toFixed(2)} s`);
await page.getByTestId("speed").selectOption({ index: (await page.getByTestId("speed").locator("option").count()) - 1 });
for (const replicas of [3, 30]) {
  await paste(page, deployment(replicas));
  const begun = performance.now();
  await page.getByTestId("apply").click();
  await count(pods(page, "web-").and(page.locator('[data-state="ready"]')), replicas, 120_000);
  const name = replicas === 3 ? "first Deployment (3 replicas)" : `${replicas} replicas`;
  console.log(`${name} from click to all Ready: ${((performance.now() - begun) / 1000).toFixed(2)} s`);
  if (replicas === 3) console.log(`page load to a running Deployment: ${((performance.now() - started) / 1000).toFixed(2)} s`);
}
await chrome.close();

const [NODES, PODS] = [1000, 10_000];
const big = await browser();
const crowded = await big.look(site.url, keepWorker);
await crowd(crowded, NODES, PODS);
await crowded.waitForFunction((n) => document.querySelector("[data-testid=heatmap-summary]").innerText.includes(` ${n} `), PODS, { timeout: 120_000 });
console.log(row(`${NODES} nodes, ${PODS} pods, scheduled as fast as it goes`, await measure(crowded, 6)));
await order(crowded, [{ command: "set-speed", speed: { times: 1000 } }]);
await crowded.waitForTimeout(1000);
console.log(row(`${NODES} nodes, ${PODS} pods, at 1x`, await measure(crowded, 6)));
const { median, worst } = await latency(crowded);
console.log(`pause or run, from click to shown: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`);
await big.close();
await site.close();
