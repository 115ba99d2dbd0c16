// webernetes in a page: `start()` makes its cluster, `deploy(name, replicas)` applies a Deployment, `ready(name)` counts
// its pods that are Ready. `tests/page/peer_bench.mjs` looks at it from outside, as at ours.
import { BaseImage, Cluster } from "@ngrok/webernetes";

class Web extends BaseImage {
  static imageName = "nginx";
  static imageVersion = "1.14.2";
  defaultCommand = ["server"];
  async exec(ctx) {
    ctx.listenHttp(80, async () => ({ statusCode: 200, body: "" }));
    return await ctx.waitUntilKilled();
  }
}

let cluster;
const pods = new Map();

globalThis.start = async () => {
  cluster = new Cluster();
  cluster.registerImage(Web);
  await cluster.init();
  cluster.informer("pods", (type, pod) => {
    const ready = pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True");
    if (type === "delete" || !ready) pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, pod.metadata.labels?.app);
  });
};

globalThis.deploy = (name, replicas) => cluster.apply([{
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "nginx", image: "nginx:1.14.2", ports: [{ containerPort: 80 }] }] },
    },
  },
}]);

globalThis.ready = (name) => [...pods.values()].filter((app) => app === name).length;
