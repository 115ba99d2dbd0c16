// The scheduling debugger's states for screenshots, at every size, theme and language: each brings a page there.
import { order } from "./frames.mjs";
import { id, pod } from "./harness.mjs";

const ID = 9e6;
const settle = (page, ms = 700) => page.waitForTimeout(ms);
const debug = (page, what) => order(page, [{ command: "debug", id: ID, ...what }]);
const apply = async (page, text) => {
  await order(page, [{ command: "apply", id: ID, mode: "apply", files: [{ name: "shot.yaml", text }] }]);
  await settle(page, 300);
};
const pause = async (page) => {
  await order(page, [{ command: "pause" }]);
  await settle(page, 200);
};

/** The newest decision about what is applied, shown. */
async function decided(page, yaml) {
  await pause(page);
  await apply(page, yaml);
  await order(page, [{ command: "step-decision" }]);
  await settle(page);
  await id(page, "last-decision").click();
  await id(page, "grid").waitFor();
  await settle(page, 300);
}

const TAINTED = "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels: {disk: ssd}}\nspec: {taints: [{key: team, value: payments, effect: NoSchedule}]}\n---\n";
const unfit = async (page) => decided(page, TAINTED + pod("analytics", "  nodeSelector: {disk: ssd}\n", "6"));

async function inspector(page, tab) {
  await id(page, "open-history").click();
  await id(page, tab).click();
  await settle(page);
}

async function held(page, quiz = false) {
  await debug(page, { ask: "hold", quiz });
  await apply(page, TAINTED + pod("web", "  tolerations: [{key: team, operator: Exists}]\n"));
  await id(page, "held").waitFor();
  await settle(page, 300);
}

const cls = (name, value) => `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: ${name}}, value: ${value}}\n---\n`;
const low = (name, priority, node, cpu) => pod(name, `  priorityClassName: ${priority}\n  nodeSelector: {kubernetes.io/hostname: ${node}}\n`, cpu).replace("metadata: {", "metadata: {labels: {app: kept}, ") + "---\n";

export const states = {
  breakpoints: async (page) => {
    await debug(page, { ask: "breakpoints", breakpoints: [{ point: "filter", plugin: "NodeAffinity", whenFails: true }, { pod: "default/analytics", labels: "app=web,tier!=db", node: "node-1" }] });
    await id(page, "show-decision").click();
    await id(page, "breakpoints").click();
    await settle(page);
  },
  held: async (page) => {
    await held(page);
    for (let i = 0; i < 2; i += 1) await debug(page, { ask: "move", to: "next-point" });
    for (let i = 0; i < 4; i += 1) await debug(page, { ask: "move", to: "next-call" });
    await settle(page);
  },
  cell: async (page) => {
    await unfit(page);
    await id(page, "grid").locator(".reason").first().click();
    await settle(page);
  },
  "why-not": async (page) => {
    await unfit(page);
    await inspector(page, "tab-placement");
    await id(page, "why-not-node-1").click();
    await settle(page);
  },
  fixes: async (page) => {
    await unfit(page);
    await id(page, "find-fixes").click();
    await id(page, "fix").first().waitFor();
    await id(page, "fix").first().scrollIntoViewIfNeeded();
    await settle(page, 300);
  },
  "what-if": async (page) => {
    await decided(page, TAINTED + pod("analytics", "  nodeSelector: {disk: ssd}\n"));
    await id(page, "open-what-if").click();
    await id(page, "what-if-kind").selectOption("tolerate-all");
    await id(page, "what-if-go").click();
    await id(page, "what-if-result").waitFor();
    await settle(page);
  },
  guess: async (page) => {
    await held(page, true);
    await id(page, "guess-panel").waitFor();
    await id(page, "grid-node-2").click();
    await settle(page, 300);
  },
  told: async (page) => {
    await states.guess(page);
    await id(page, "guess-reveal").click();
    await id(page, "guess-told").waitFor();
    await settle(page);
  },
  queues: async (page) => {
    await pause(page);
    const gated = pod("gated", "  schedulingGates: [{name: example.com/quota}]\n");
    await apply(page, [pod("one", "  nodeSelector: {disk: ssd}\n"), pod("two", "", "64"), gated, pod("three"), pod("four")].join("---\n"));
    for (let i = 0; i < 3; i += 1) await order(page, [{ command: "step-decision" }]);
    await settle(page, 300);
    await apply(page, "apiVersion: v1\nkind: Node\nmetadata: {name: node-2, labels: {disk: ssd}}\n");
    for (let i = 0; i < 4; i += 1) await order(page, [{ command: "step" }]);
    await settle(page, 300);
    await id(page, "show-queues").click();
    await settle(page);
  },
  history: async (page) => {
    await decided(page, pod("analytics", "  nodeSelector: {disk: ssd}\n"));
    await apply(page, "apiVersion: v1\nkind: Node\nmetadata: {name: node-2, labels: {disk: ssd}}\n");
    await order(page, [{ command: "step-decision" }]);
    await settle(page);
    await inspector(page, "tab-decisions");
  },
  config: async (page) => {
    await id(page, "show-decision").click();
    await id(page, "scheduler-config").click();
    await id(page, "config").waitFor();
    await settle(page);
  },
  preemption: async (page) => {
    const budget = "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: kept}, spec: {minAvailable: 3, selector: {matchLabels: {app: kept}}}}\n---\n";
    await order(page, [{ command: "set-speed", speed: "max" }]);
    await apply(page, cls("low", 10) + cls("middle", 50) + cls("high", 1000) + budget);
    await apply(page, low("batch-a", "low", "node-1", "3") + low("batch-b", "low", "node-2", "1500m") + low("batch-c", "middle", "node-2", "1500m") + low("web-d", "middle", "node-3", "3"));
    await settle(page, 2500);
    await decided(page, pod("checkout", "  priorityClassName: high\n", "3"));
    await id(page, "preemption").scrollIntoViewIfNeeded();
    await settle(page, 300);
  },
};

/** Width, height, theme, locale. */
export const looks = {
  "1280": [1280, 800, "light", "en"],
  "1280-dark-ko": [1280, 800, "dark", "ko"],
  "1920-ko": [1920, 1080, "light", "ko"],
  "1920-dark": [1920, 1080, "dark", "en"],
  "390-ko": [390, 844, "light", "ko"],
  "390-dark": [390, 844, "dark", "en"],
};
