// webernetes, the TypeScript cluster: a Deployment of N replicas from apply to all Ready. Prints seconds of real time, or
// how many were Ready when its time was up: with 1,000 it sometimes comes to rest before all are.
import { BaseImage, Cluster } from "@ngrok/webernetes";

const LIMIT_S = 240;

class Web extends BaseImage {
  static imageName = "nginx";
  static imageVersion = "1.14.2";
  defaultCommand = ["server"];
  async exec(ctx) {
    ctx.listenHttp(80, async () => ({ statusCode: 200, body: "" }));
    return await ctx.waitUntilKilled();
  }
}

const replicas = Number(process.argv[2]);
const cluster = new Cluster();
cluster.registerImage(Web);
await cluster.init();
const began = performance.now();
const ready = new Set();
setTimeout(() => {
  console.log(`>${LIMIT_S} (${ready.size})`);
  process.exit(0);
}, LIMIT_S * 1000);
const done = new Promise((resolve) => {
  cluster.informer("pods", (type, pod) => {
    const isReady = pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
    if (type !== "delete" && isReady) ready.add(pod.metadata.name);
    if (ready.size >= replicas) resolve();
  });
});
await cluster.apply([
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "nginx", image: "nginx:1.14.2", ports: [{ containerPort: 80 }] }] },
      },
    },
  },
]);
await done;
console.log(((performance.now() - began) / 1000).toFixed(3));
process.exit(0);
