// What the inspector works out of some kinds: jobs' indexes, next times, quotas, endpoints, volumes, roles.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, count, id, visits } from "./harness.mjs";

const visit = visits();
/** Wide enough for the editor beside the inspector. */
const open = () => visit({ viewport: { width: 1920, height: 1000 } });

/** Applies the text and opens the object that its line `n` of the results names. */
async function look(page, text, n = 0) {
  await applied(page, text);
  await id(page, "applied").locator("li button").nth(n).click();
}

test("an Indexed Job shows each index, a CronJob its next times", async () => {
  const page = await open();
  await id(page, "speed").selectOption("10000");
  await look(page, `apiVersion: batch/v1
kind: Job
metadata: {name: squares}
spec:
  completions: 4
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, command: [sh, -c, "echo $JOB_COMPLETION_INDEX"]}]
`);
  await count(id(page, "job-indexes").locator("li"), 4);
  await count(id(page, "job-indexes").locator('[data-state="succeeded"]'), 4, 60_000);
  await id(page, "panel-job").getByText("4 of 4").waitFor();

  await look(page, `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "30 3 * * *"
  timeZone: Asia/Seoul
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}
`);
  await count(id(page, "cron-next").locator("li"), 5);
  assert.match(await id(page, "cron-next").locator("li").first().innerText(), /\d{4}-\d\d-\d\d 03:30:00\+09:00/);
});

test("a quota shows what is used of it", async () => {
  const page = await open();
  await look(page, `apiVersion: v1
kind: ResourceQuota
metadata: {name: small}
spec: {hard: {pods: "4", requests.cpu: "1"}}
---
apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 250m}}}]}
`);
  const panel = id(page, "panel-quota");
  await panel.getByText("1 of 4").waitFor();
  await panel.getByText("250m of 1").waitFor();
  await count(panel.locator('[role="meter"][aria-valuenow="25"]'), 2);
});

test("a Service shows the ways in and the endpoints behind it, a claim what it is bound to", async () => {
  const page = await open();
  await id(page, "speed").selectOption("10000");
  await look(page, `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers: [{name: c, image: nginx, volumeMounts: [{name: d, mountPath: /d}]}]
  volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]
`);
  await id(page, "panel-routes").getByText("*:30080").waitFor();
  await id(page, "panel-endpoints").getByText("1 of 1 ready").waitFor();
  await id(page, "panel-endpoints").getByRole("button", { name: "Pod web" }).click();
  await id(page, "panel-volumes").getByText("Bound").waitFor();
  await id(page, "panel-volumes").getByRole("button", { name: "PersistentVolumeClaim data" }).click();
  await id(page, "panel-volumes").getByRole("button", { name: "Pod web" }).waitFor();
});

test("an autoscaler shows what it measures and its curve", async () => {
  const page = await open();
  await look(page, `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
`);
  const panel = id(page, "panel-hpa");
  await panel.getByText("between 2 and 5").waitFor();
  await panel.getByText("60%").waitFor();
  await panel.getByRole("img").waitFor();
});

test("a request is followed from a pod to the container that answers, by keyboard", async () => {
  const page = await open();
  await id(page, "speed").selectOption("10000");
  await look(page, `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 8080, targetPort: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: nginx}]}
`);
  const panel = id(page, "panel-follow");
  assert.equal(await id(page, "follow-url").inputValue(), "http://web.default:8080/");
  await id(page, "panel-endpoints").getByText("1 of 1").waitFor({ timeout: 60_000 });
  await id(page, "follow-from").fill("default/web");
  await id(page, "follow-url").press("Enter");
  await id(page, "follow-result").getByText("HTTP 200").waitFor();
  const stages = await id(page, "follow-hops").locator("> li").evaluateAll((all) => all.map((li) => li.dataset.stage));
  assert.deepEqual(stages.slice(0, 3), ["client", "dns", "service"]);
  assert.equal(stages.at(-1), "answer");
  await panel.getByText("Welcome to nginx!").waitFor();
  await id(page, "follow-url").fill("http://nobody/");
  await id(page, "follow-url").press("Enter");
  await id(page, "follow-hops").locator("li.ends").getByText("nobody is called nobody").waitFor();
});
