// The terminal with kubectl: the shell beside the cluster, and xterm.js in the dock below the stage.
import assert from "node:assert/strict";
import { test } from "node:test";
import { id, visits } from "./harness.mjs";

const open = visits();
const DOTS = 30_000;

/** All that the shown terminal has on its screen, wide characters and all. */
const screen = (page) => page.locator('.terminal[data-testid]:not([hidden]) .xterm-rows').first().evaluate((rows) => [...rows.children].map((row) => row.textContent.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd());

async function until(page, what, timeout = DOTS) {
  const end = Date.now() + timeout;
  for (;;) {
    const text = await screen(page);
    if (typeof what === "function" ? what(text) : text.includes(what)) return text;
    if (Date.now() > end) throw new Error(`${what} did not come:\n${text}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The dock is opened and made large enough for a test to see all of it. */
async function terminal(options) {
  const page = await open({ viewport: { width: 1280, height: 900 }, ...options });
  await page.keyboard.press("Control+Backquote");
  await page.locator(".terminal[data-testid]:not([hidden]) .xterm-rows").waitFor();
  await until(page, "$");
  return page;
}

/** A line until its prompt is back. */
async function line(page, text) {
  await page.keyboard.press("Control+l");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  const all = await until(page, (shown) => /\$$/.test(shown) && !shown.endsWith(`$ ${text}`) && shown.split("\n").length > 1);
  return all.split("\n").slice(1, -1).join("\n");
}

test("get, apply, scale, rollout and describe do what they do elsewhere", async () => {
  const page = await terminal();
  assert.equal(await line(page, "kubectl apply -f samples/deployment.yaml"), "deployment.apps/nginx-deployment created");
  assert.equal(await line(page, "kubectl delete -f samples/deployment.yaml --wait=false"), 'deployment.apps "nginx-deployment" deleted from default namespace');
  await line(page, "kubectl create deployment web --image=nginx --replicas=2");
  assert.match(await line(page, "kubectl scale deployment web --replicas=4"), /deployment.apps\/web scaled/);
  assert.match(await line(page, "kubectl rollout status deployment/web"), /successfully rolled out/);
  assert.equal(await line(page, "k get pods -l app=web --no-headers | grep -c Running"), "4");
  assert.match(await line(page, "kubectl describe deployment web | head -3"), /^Name: +web\nNamespace: +default/);
  assert.equal(await line(page, "kubectl get deploy web -o jsonpath='{.spec.replicas}'"), "4");
});

test("a watch and a log go on until Ctrl-C", async () => {
  const page = await terminal();
  await line(page, "kubectl run one --image=nginx");
  await line(page, "kubectl wait --for=condition=Ready pod/one");
  await page.keyboard.press("Control+l");
  await page.keyboard.type("kubectl logs -f one\r");
  await until(page, "start worker process");
  await page.keyboard.press("Control+c");
  await until(page, (text) => text.endsWith("$"));
  await page.keyboard.type("kubectl get pods -w\r");
  await until(page, /./.test.bind(/one +1\/1/));
  await page.keyboard.press("Control+c");
  assert.equal(await line(page, "echo $?"), "130");
});

test("a shell in a container takes every key", async () => {
  const page = await terminal();
  await line(page, "kubectl run one --image=nginx");
  await line(page, "kubectl wait --for=condition=Ready pod/one");
  await page.keyboard.press("Control+l");
  await page.keyboard.type("kubectl exec -it one -- bash\r");
  await until(page, "root@one:/#");
  await page.keyboard.type("echo $((6*7))\r");
  await until(page, "\n42\n");
  await page.keyboard.type("exit\r");
  await until(page, (text) => text.endsWith("\n$"));
});

test("Tab completes, and the history comes back", async () => {
  const page = await terminal();
  await line(page, "kubectl run one --image=nginx");
  await page.keyboard.type("kubectl desc");
  await page.keyboard.press("Tab");
  await until(page, "kubectl describe");
  await page.keyboard.type("po/");
  await page.keyboard.press("Tab");
  await until(page, "describe po/one");
  await page.keyboard.press("Control+c");
  await page.keyboard.press("ArrowUp");
  await until(page, (text) => text.endsWith("$ kubectl run one --image=nginx"));
  await page.keyboard.press("Control+c");
  await page.reload();
  await id(page, "stage").waitFor();
  await page.keyboard.press("Control+Backquote");
  await page.locator(".terminal[data-testid]:not([hidden]) .xterm-rows").waitFor();
  await page.keyboard.press("ArrowUp");
  await until(page, (text) => text.endsWith("$ kubectl run one --image=nginx"));
});

test("files: the editor's, standard input, and what is written", async () => {
  const page = await terminal();
  const said = await line(page, "kubectl create deployment web --image=nginx --dry-run=client -o yaml > web.yaml && ls");
  assert.match(said, /web\.yaml/);
  await id(page, "editor").getByText("web.yaml").first().waitFor();
  assert.match(await line(page, "kubectl apply -f web.yaml"), /deployment.apps\/web created/);
  await page.keyboard.press("Control+l");
  await page.keyboard.type("cat <<EOF | kubectl apply -f -\rapiVersion: v1\rkind: ConfigMap\rmetadata: {name: typed}\rEOF\r");
  await until(page, "configmap/typed created");
});

test("several terminals, both languages", async () => {
  const page = await terminal({ locale: "ko-KR" });
  await id(page, "tab-terminal").getByText("터미널").waitFor();
  await line(page, "echo 안녕하세요");
  await until(page, "\n안녕하세요\n");
  await id(page, "terminal-new").click();
  await id(page, "terminal-tab-2").waitFor();
  await until(page, (text) => text === "$");
  assert.match(await line(page, "kubectl get ns"), /kube-system +Active/);
  await id(page, "terminal-tab-1").click();
  await until(page, "안녕하세요");
  await page.keyboard.press("Control+Backquote");
});
