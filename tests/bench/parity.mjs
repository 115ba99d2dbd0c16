// The engine as wasm under Node. PKG is the module that wasm-bindgen wrote.
//   node parity.mjs PKG trace NODES SECONDS SEED < manifests   prints the trace's hash
//   node parity.mjs PKG lessons < [text, ...]                  what becomes of each lesson, a line each
//   node parity.mjs PKG bench                                  what crates/parity/examples/bench.rs measures natively
//   node parity.mjs PKG perf [CASE [recorded]]                 its scheduler_perf cases alone
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [pkg, what, ...rest] = process.argv.slice(2);
const { Perf, Placement, deployment_ready, perf_cases, prove_lesson, trace_hash } = createRequire(import.meta.url)(resolve(pkg));

if (what === "trace") {
  const [nodes, seconds, seed] = rest.map(Number);
  console.log(trace_hash(readFileSync(0, "utf8"), nodes, seconds, seed));
} else if (what === "lessons") {
  for (const text of JSON.parse(readFileSync(0, "utf8"))) console.log(prove_lesson(text).trim().replaceAll("\n", "; "));
} else {
  const print = (value) => console.log(JSON.stringify(value));
  /** Seconds this thread was on a processor: what a busy machine does not change. NaN where there is no /proc. */
  const onCpu = () => {
    try {
      return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e9;
    } catch {
      return NaN;
    }
  };
  const timed = (run) => {
    const [began, cpu] = [performance.now(), onCpu()];
    const result = run();
    return [result, (performance.now() - began) / 1000, onCpu() - cpu];
  };
  const perf = (name, recorded) => {
    const perf = new Perf(name, recorded);
    const [bound, seconds, cpu] = timed(() => perf.run());
    const of = perf.measured();
    perf.free();
    const [pods_per_second, pods_per_cpu_second] = [Math.round(bound / seconds), Math.round(bound / cpu)];
    print({ bench: "perf", case: name, recorded, bound, of, seconds, pods_per_second, pods_per_cpu_second });
  };
  const cases = perf_cases();
  if (what === "perf") {
    for (const name of cases.filter((n) => n.startsWith(rest[0] ?? ""))) perf(name, rest[1] === "recorded");
    process.exit();
  }
  for (const replicas of [3, 30, 100, 300, 1000]) {
    const [virtual_ms, seconds] = timed(() => deployment_ready(replicas, Math.max(3, Math.floor(replicas / 100) + 1)));
    print({ bench: "deployment", replicas, seconds, virtual_ms });
  }
  for (const [nodes, pods] of [[100, 1000], [1000, 10_000], [5000, 10_000]]) {
    for (const kubelets of [false, true]) {
      const placement = new Placement(nodes, pods, kubelets);
      const [bound, seconds] = timed(() => placement.run());
      placement.free();
      print({ bench: "placement", nodes, pods, kubelets, bound, seconds, pods_per_second: Math.round(bound / seconds) });
    }
  }
  // What recording everything costs, in the same run.
  for (const [name, recorded] of [...cases.map((name) => [name, false]), [cases[0], true]]) perf(name, recorded);
}
