// `KUBOTTLE_PAGE=… node decision_bench.mjs`: how long a decision over 5,000 nodes takes from the click that opens it to its table on the screen.
import { keepWorker, order } from "./frames.mjs";
import { browser, host } from "./harness.mjs";

const NODES = Number(process.env.NODES ?? 5000);
const TIMES = 9;

const pod = (name, spec) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers: [{name: c, image: nginx, resources: {requests: {cpu: 100m}}}]\n${spec}---\n`;

/** Milliseconds from the click to a frame with rows of the table, and to all rows being there. */
const opening = (page) => page.evaluate((nodes) => new Promise((done) => {
  const find = (id) => document.querySelector(`[data-testid=${id}]`);
  const begun = performance.now();
  let shown;
  find("last-decision").click();
  const look = () => {
    const grid = find("grid");
    if (shown === undefined && grid?.querySelector(".grid-row")) shown = performance.now() - begun;
    const count = Number(grid?.getAttribute("aria-rowcount") ?? 0);
    if (shown !== undefined && count > nodes) done({ shown, all: performance.now() - begun });
    else if (performance.now() - begun > 10_000) done({ shown, all: Infinity });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}), NODES);

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const row = (name, list) => {
  const part = (key) => `${median(list.map((x) => x[key])).toFixed(0)} ms (worst ${Math.max(...list.map((x) => x[key])).toFixed(0)})`;
  const [first] = list;
  console.log(`${name}: shown after ${part("shown")}, all rows after ${part("all")}; the first time, from the engine: ${first.shown.toFixed(0)} and ${first.all.toFixed(0)} ms`);
};

const site = await host();
const chrome = await browser();
const page = await chrome.look(site.url, keepWorker);
page.setDefaultTimeout(180_000);
await order(page, Array.from({ length: NODES - 3 }, (_, i) => ({ command: "add-node", id: 1e6 + i, cpu: "8", memory: "16Gi", pods: "110" })));
await page.waitForFunction((n) => document.querySelector("[data-testid=heatmap-summary]")?.innerText.startsWith(`${n} `), NODES);
await page.getByTestId("pause").click();
for (const [name, spec] of [["feasible", ""], ["unfit", "  nodeSelector: {disk: ssd}\n"]]) {
  const before = await page.evaluate(() => document.querySelector("[data-testid=last-decision]")?.innerText ?? "");
  await order(page, [{ command: "apply", id: 2e6, mode: "apply", files: [{ name: "pod.yaml", text: pod(name, spec) }] }, { command: "step-decision" }]);
  await page.waitForFunction((was) => (document.querySelector("[data-testid=last-decision]")?.innerText ?? "") !== was, before);
  await page.waitForTimeout(1500);
  const all = [];
  for (let i = 0; i < TIMES; i += 1) {
    all.push(await opening(page));
    await page.getByTestId("show-cluster").click();
    await page.getByTestId("last-decision").waitFor();
    await page.waitForTimeout(400);
  }
  row(`a decision over ${NODES} nodes, ${name}`, all);
}
if (chrome.complaints.length > 0) console.log(chrome.complaints);
await chrome.close();
await site.close();
