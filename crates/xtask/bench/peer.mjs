// node peer.mjs REPLICAS: seconds that webernetes takes from applying a Deployment to all replicas Ready, its clock
// pushed on as fast as it follows.
import { BaseImage, Cluster } from "@ngrok/webernetes";

const replicas = Number(process.argv[2]);

class Web extends BaseImage {
  static imageName = "web";
  static imageVersion = "1";
  defaultCommand = ["server"];
  async exec(ctx) {
    return await ctx.waitUntilKilled();
  }
}

const cluster = new Cluster({ nodes: Math.max(3, Math.ceil(replicas / 100)) });
cluster.registerImage(Web);
let done = false;
const turn = () => new Promise((go) => setImmediate(go));
const pushed = (async () => {
  while (!done) {
    cluster.clock.step(100);
    await turn();
  }
})();
await cluster.init();
const labels = { app: "web" };
const started = performance.now();
await cluster.apply([
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } },
    },
  },
]);
for (;;) {
  const deployment = await cluster.api.appsv1.readNamespacedDeployment({ name: "web", namespace: "default" });
  if (deployment.status?.readyReplicas === replicas) break;
  if (performance.now() - started > 300_000) throw new Error(`only ${deployment.status?.readyReplicas ?? 0} of ${replicas} were Ready after 300 s`);
  await new Promise((go) => setTimeout(go, 5));
}
console.log(((performance.now() - started) / 1000).toFixed(3));
done = true;
await pushed;
process.exit(0);
