// What a frame costs the page's main thread, told apart by kind and in processor time: this machine may be busy with
// other things and has no GPU, so gaps between frames alone would say more about it than about the page.

/** Before the page's own scripts: keeps the engine's Worker where a measurement can reach it. */
export const keepWorker = (page) => page.addInitScript(() => {
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...args) {
      super(...args);
      window.engineWorker = this;
    }
  };
});

/** Gives the engine commands as the page would. */
export const order = (page, commands) => page.evaluate((list) => {
  for (const command of list) window.engineWorker.postMessage(JSON.stringify(command));
}, commands);

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

/** What main-thread work is called in a trace. Events nest; time is counted where the kind changes. */
const KINDS = {
  script: ["FunctionCall", "EvaluateScript", "v8.run", "FireAnimationFrame", "TimerFire", "EventDispatch", "HandlePostMessage", "RunMicrotasks", "MinorGC", "MajorGC", "V8.GCScavenger"],
  style: ["UpdateLayoutTree", "Document::updateStyle", "RecalculateStyles"],
  layout: ["Layout"],
  paint: ["PrePaint", "Paint", "Layerize", "Commit", "UpdateLayer"],
};
const kindOf = Object.fromEntries(Object.entries(KINDS).flatMap(([kind, names]) => names.map((n) => [n, kind])));

/** Self time by kind, milliseconds of processor time. */
function byKind(events) {
  const sum = { script: 0, style: 0, layout: 0, paint: 0, other: 0 };
  const open = [];
  const close = (until) => {
    while (open.length > 0 && open.at(-1).end <= until) {
      const e = open.pop();
      sum[e.kind] += Math.max(0, e.own) / 1000;
    }
  };
  for (const e of events) {
    close(e.ts);
    const kind = kindOf[e.name] ?? (open.at(-1)?.kind ?? "other");
    const cpu = e.tdur ?? e.dur;
    if (open.length > 0) open.at(-1).own -= cpu;
    open.push({ end: e.ts + e.dur, kind, own: cpu });
  }
  close(Infinity);
  return sum;
}

/** Looks at the page for `seconds` while nothing is done to it (or `act` is). */
export async function measure(page, seconds, act) {
  const cdp = await page.context().newCDPSession(page);
  const chunks = [];
  cdp.on("Tracing.dataCollected", ({ value }) => chunks.push(...value));
  const categories = ["devtools.timeline", "toplevel", "cc", "v8", "blink.user_timing", "disabled-by-default-devtools.timeline", "benchmark", "viz"];
  await cdp.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: categories, excludedCategories: ["*"] } });
  const frames = page.evaluate((ms) => new Promise((done) => {
    const times = [];
    const long = [];
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((e) => e.duration)));
    observer.observe({ type: "longtask" });
    const end = performance.now() + ms;
    const tick = (t) => {
      times.push(t);
      if (performance.now() < end) requestAnimationFrame(tick);
      else {
        observer.disconnect();
        done({ times, long });
      }
    };
    requestAnimationFrame(tick);
  }), seconds * 1000);
  await act?.();
  const { times, long } = await frames;
  const over = new Promise((done) => cdp.once("Tracing.tracingComplete", done));
  await cdp.send("Tracing.end");
  await over;
  await cdp.detach();

  const threads = new Map();
  for (const e of chunks) if (e.name === "thread_name") threads.set(`${e.pid}/${e.tid}`, e.args.name);
  const named = (name) => chunks.filter((e) => e.ph === "X" && (threads.get(`${e.pid}/${e.tid}`) ?? "").startsWith(name)).sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  // The page's renderer is the one that drew frames.
  const main = named("CrRendererMain");
  const busiest = new Map();
  for (const e of main) if (e.name === "FireAnimationFrame") busiest.set(e.pid, (busiest.get(e.pid) ?? 0) + 1);
  const pid = [...busiest].sort((a, b) => b[1] - a[1])[0]?.[0];
  const own = main.filter((e) => e.pid === pid);
  const tasks = own.filter((e) => e.name === "RunTask" || e.name === "ThreadControllerImpl::RunTask").map((e) => (e.tdur ?? e.dur) / 1000).sort((a, b) => a - b);
  const kinds = byKind(own);
  const n = Math.max(1, times.length - 1);
  const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
  const sumOf = (list) => list.reduce((s, e) => s + (e.tdur ?? e.dur) / 1000, 0);
  const raster = sumOf(chunks.filter((e) => e.ph === "X" && e.name === "RasterTask"));
  const perFrame = (v) => v / n;
  return {
    fps: n / seconds,
    gap50: quantile(gaps, 0.5), gap95: quantile(gaps, 0.95), gap99: quantile(gaps, 0.99), gapMax: gaps.at(-1) ?? 0,
    longTasks: long.length, longest: Math.max(0, ...long),
    taskMax: tasks.at(-1) ?? 0, task99: quantile(tasks, 0.99), over16: tasks.filter((t) => t > 16.7).length,
    script: perFrame(kinds.script), style: perFrame(kinds.style), layout: perFrame(kinds.layout), paint: perFrame(kinds.paint), other: perFrame(kinds.other),
    raster: perFrame(raster),
  };
}

const ms = (v) => v.toFixed(1);
export function row(name, m) {
  const main = m.script + m.style + m.layout + m.paint + m.other;
  return `${name}: ${m.fps.toFixed(0)} frames/s, gap median ${ms(m.gap50)} p95 ${ms(m.gap95)} p99 ${ms(m.gap99)} max ${ms(m.gapMax)} ms; ` +
    `main thread ${ms(main)} ms of CPU a frame (script ${ms(m.script)}, style ${ms(m.style)}, layout ${ms(m.layout)}, paint ${ms(m.paint)}, other ${ms(m.other)}), ` +
    `longest task ${ms(m.taskMax)}, over 16.7 ms: ${m.over16}, long tasks ${m.longTasks} (longest ${ms(m.longest)}); raster, off the main thread: ${ms(m.raster)} ms a frame`;
}

/** A cluster of `nodes` nodes and Deployments of `pods` pods together, its clock as fast as it can. */
export async function crowd(page, nodes, pods) {
  const add = (_, i) => ({ command: "add-node", id: 1e6 + i, cpu: "8", memory: "16Gi", pods: "110" });
  await order(page, Array.from({ length: nodes - 3 }, add));
  await page.waitForFunction((n) => document.querySelector("[data-testid=heatmap-summary]")?.innerText.startsWith(`${n} `), nodes, { timeout: 120_000 });
  const parts = 10;
  const text = Array.from({ length: parts }, (_, i) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web-${i}}
spec:
  replicas: ${pods / parts}
  selector: {matchLabels: {app: web-${i}}}
  template:
    metadata: {labels: {app: web-${i}}}
    spec:
      containers:
      - {name: c, image: nginx, resources: {requests: {cpu: 100m, memory: 64Mi}}}
`).join("---\n");
  await order(page, [{ command: "set-speed", speed: "max" }, { command: "apply", id: 2e6, mode: "apply", files: [{ name: "web.yaml", text }] }]);
}

/** Milliseconds from a click on pause or run to the page showing it, the median of `times`. */
export async function latency(page, times = 9) {
  const all = [];
  for (let i = 0; i < times; i += 1) {
    all.push(await page.evaluate(() => new Promise((done) => {
      const find = (id) => document.querySelector(`[data-testid=${id}]`);
      const [now, then] = find("pause") ? ["pause", "run"] : ["run", "pause"];
      const start = performance.now();
      find(now).click();
      const look = () => (find(then) ? done(performance.now() - start) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    })));
    await page.waitForTimeout(200);
  }
  all.sort((a, b) => a - b);
  return { median: all[Math.floor(times / 2)], worst: all.at(-1) };
}
