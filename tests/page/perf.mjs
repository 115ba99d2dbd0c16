// `KUBOTTLE_PAGE=target/parity/web node perf.mjs [CASE [recorded]]`: upstream's scheduler_perf cases in Chromium, in the worker of a
// page, one JSON line each. Processor time is that of the worker's thread.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { browser, host, pageDir } from "./harness.mjs";

const [only = "", recorded] = process.argv.slice(2);

await writeFile(join(pageDir, "perf-worker.js"), `
import init, { Perf, perf_cases } from "./parity.js";
await init();
let perf;
onmessage = ({ data: { what, name, recorded } }) => {
  if (what === "cases") return postMessage(perf_cases());
  if (what === "make") {
    perf?.free();
    perf = new Perf(name, recorded);
    return postMessage(perf.measured());
  }
  const began = performance.now();
  const bound = perf.run();
  postMessage({ bound, seconds: (performance.now() - began) / 1000 });
};
postMessage("ready");
`);
await writeFile(join(pageDir, "index.html"), "<!doctype html><title>perf</title><link rel=icon href=data:,>");

/** Seconds that workers of Chromium were on a processor; NaN where there is no /proc. */
async function onCpu() {
  let sum = NaN;
  for (const pid of (await readdir("/proc").catch(() => [])).filter((p) => /^\d+$/.test(p))) {
    for (const task of await readdir(`/proc/${pid}/task`).catch(() => [])) {
      const at = `/proc/${pid}/task/${task}`;
      const name = await readFile(`${at}/comm`, "utf8").catch(() => "");
      if (!name.startsWith("DedicatedWorker")) continue;
      const stat = await readFile(`${at}/schedstat`, "utf8").catch(() => "0");
      sum = (Number.isNaN(sum) ? 0 : sum) + Number(stat.split(" ")[0]) / 1e9;
    }
  }
  return sum;
}

const site = await host();
const chrome = await browser();
const page = await chrome.visit(site.url);
const ask = (message) => page.evaluate((m) => new Promise((done, fail) => {
  window.worker.onmessage = ({ data }) => done(data);
  window.worker.onerror = (e) => fail(new Error(e.message));
  window.worker.postMessage(m);
}), message);
for (let cases; ; ) {
  // A worker for each case: what one has left behind is no part of the next.
  await page.evaluate(() => new Promise((done) => {
    window.worker?.terminate();
    window.worker = new Worker("./perf-worker.js", { type: "module" });
    window.worker.onmessage = done;
  }));
  cases ??= (await ask({ what: "cases" })).filter((name) => name.startsWith(only));
  const name = cases.shift();
  if (name === undefined) break;
  const of = await ask({ what: "make", name, recorded: recorded === "recorded" });
  const before = await onCpu();
  const { bound, seconds } = await ask({ what: "run" });
  const cpu = (await onCpu()) - before;
  const [pods_per_second, pods_per_cpu_second] = [Math.round(bound / seconds), Math.round(bound / cpu)];
  console.log(JSON.stringify({ bench: "perf", case: name, recorded: recorded === "recorded", bound, of, seconds, pods_per_second, pods_per_cpu_second }));
}
if (chrome.complaints.length > 0) console.log(chrome.complaints);
await chrome.close();
await site.close();
