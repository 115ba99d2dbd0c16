// `KUBOTTLE_PAGE=… KUBOTTLE_PEER=webernetes.js node peer_bench.mjs [PODS]`: what a learner's browser downloads, waits for
// and holds in memory, ours beside webernetes, each in a browser of its own. PODS (100,000) is how many ours is filled
// with in the end; the peer is given 1,000 and two minutes.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { basename, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { crowd, keepWorker } from "./frames.mjs";
import { browser, host, pageDir, paste, pods } from "./harness.mjs";

const PODS = Number(process.argv[2] ?? 100_000);
const PEER_LIMIT_S = 120;
const peerFile = process.env.KUBOTTLE_PEER;

const packed = (path) => brotliCompressSync(readFileSync(path)).length;
const mb = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const files = (dir) => readdirSync(dir).flatMap((name) => {
  const path = join(dir, name);
  return statSync(path).isDirectory() ? files(path) : [path];
});

/**
 * Which part of the download a file is. The first two are what a visit needs until pods run; the rest of both programs follows
 * while they do; what is left is fetched with the first screen (editor) or when somebody asks for it.
 */
const PARTS = {
  "rest of both": /^(web|worker)_rest/,
  engine: /^worker/,
  page: /^(web|index|sw|favicon|manifest|icons)|\.css$/,
  "editor and terminal": /^(editor|terminal|schemas)/,
};
const part = (path) => Object.keys(PARTS).find((p) => PARTS[p].test(basename(path))) ?? "lessons and help";
const sizes = {};
for (const path of files(pageDir)) sizes[part(path)] = (sizes[part(path)] ?? 0) + packed(path);
const peer = peerFile ? `; webernetes' library ${mb(packed(peerFile))}` : "";
console.log(`download, brotli: ${Object.entries(sizes).map(([name, n]) => `${name} ${mb(n)}`).join(", ")}${peer}`);

/** What the page's process holds, now and at most so far, in MB. The largest renderer is the page's. */
async function memory(chrome) {
  const cdp = await chrome.context.browser().newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  await cdp.detach();
  const of = processInfo.filter((p) => p.type === "renderer").map((p) => {
    const status = readFileSync(`/proc/${p.id}/status`, "utf8");
    const field = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) * 1.024e-3);
    return [field("VmRSS"), field("VmHWM")];
  });
  return of.sort((a, b) => b[0] - a[0])[0];
}
const held = ([now, most]) => `${now} MB, at most ${most} MB so far`;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Polls until `look` says that there are `n`, or the time is up (a page may be too busy to answer); the last number and the seconds. */
async function reached(look, n, seconds) {
  const began = performance.now();
  let there = 0;
  for (;;) {
    const left = seconds * 1000 - (performance.now() - began);
    there = await Promise.race([look(), pause(left).then(() => undefined)]) ?? there;
    const took = (performance.now() - began) / 1000;
    if (there >= n || took >= seconds) return { there, took };
    await pause(n > 100 ? 500 : 20);
  }
}

const site = await host();
const first = await browser();
let began = performance.now();
const page = await first.look(site.url);
await page.getByTestId("speed").selectOption({ index: (await page.getByTestId("speed").locator("option").count()) - 1 });
await paste(page, "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1}\nspec: {containers: [{name: web, image: nginx}]}\n");
await page.getByTestId("apply").click();
await pods(page, "web-1").and(page.locator('[data-state="ready"]')).waitFor();
console.log(`opened to the first pod Ready: ${((performance.now() - began) / 1000).toFixed(2)} s; ${held(await memory(first))}`);
await first.close();

for (const [nodes, n] of [[1000, 10_000], [5000, PODS]]) {
  const chrome = await browser();
  const filled = await chrome.look(site.url, keepWorker);
  const summary = () => filled.evaluate(() => document.querySelector("[data-testid=heatmap-summary]").innerText);
  await crowd(filled, nodes, n);
  const look = async () => Number(/, (\d+) /.exec(await summary())?.[1] ?? 0);
  const { there, took } = await reached(look, n, 1800);
  console.log(`${nodes} nodes, ${there} pods: there after ${took.toFixed(0)} s (${Math.round(there / took)} a second); ${held(await memory(chrome))}`);
  await chrome.close();
}
await site.close();

if (peerFile) {
  const script = readFileSync(peerFile);
  const server = createServer((request, response) => {
    const js = request.url.endsWith(".js");
    response.writeHead(200, { "content-type": js ? "text/javascript" : "text/html" });
    response.end(js ? script : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="peer.js"></script>');
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const chrome = await browser();
  began = performance.now();
  const theirs = await chrome.visit(`http://127.0.0.1:${server.address().port}/`);
  await theirs.waitForFunction(() => globalThis.start);
  await theirs.evaluate(() => globalThis.start());
  const count = (name) => () => theirs.evaluate((n) => globalThis.ready(n), name);
  const deploy = (name, n) => theirs.evaluate(([a, b]) => globalThis.deploy(a, b), [name, n]);
  await deploy("one", 1);
  await reached(count("one"), 1, PEER_LIMIT_S);
  console.log(`webernetes, opened to the first pod Ready: ${((performance.now() - began) / 1000).toFixed(2)} s; ${held(await memory(chrome))}`);
  await deploy("many", 1000);
  const { there, took } = await reached(count("many"), 1000, PEER_LIMIT_S);
  console.log(`webernetes, ${there} of 1000 pods Ready after ${took.toFixed(0)} s; ${held(await memory(chrome))}`);
  await chrome.close();
  server.closeAllConnections();
  server.close();
}
