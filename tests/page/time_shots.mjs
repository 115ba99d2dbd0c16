// States of the past, branches, sharing and "run until" for screenshots.
import { order } from "./frames.mjs";
import { id } from "./harness.mjs";

const ID = 9e6;
const settle = (page, ms = 900) => page.waitForTimeout(ms);
const web = (replicas) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: nginx}]}
`;
const apply = (page, text) => order(page, [{ command: "apply", id: ID, mode: "apply", files: [{ name: "shop.yaml", text }] }]);
const time = (page, what, more = {}) => order(page, [{ command: "time", id: ID, time: what, ...more }]);

async function session(page) {
  await apply(page, web(4));
  await settle(page, 4000);
  await time(page, "mark", { name: "" });
  await apply(page, web(7));
  await settle(page, 3000);
}
async function past(page) {
  await session(page);
  for (let i = 0; i < 4; i += 1) await time(page, "decision-back");
  await settle(page);
}
async function branches(page) {
  await past(page);
  await time(page, "branch", { name: "" });
  await apply(page, web(2));
  await order(page, [{ command: "run" }]);
  await settle(page, 4000);
  await order(page, [{ command: "compare", id: ID, branch: 0 }]);
  await settle(page);
}
const overlay = (name) => async (page) => {
  if (await id(page, "pane-timeline").isVisible()) await id(page, "pane-timeline").click();
  else if (await id(page, "tab-timeline").isVisible()) await id(page, "tab-timeline").click();
  await id(page, name).click();
  await settle(page);
};

export const states = {
  past,
  "past-timeline": async (page) => {
    await past(page);
    if (await id(page, "pane-timeline").isVisible()) await id(page, "pane-timeline").click();
    await settle(page, 300);
  },
  branches: async (page) => {
    await branches(page);
    await overlay("branches")(page);
  },
  share: async (page) => {
    await session(page);
    await overlay("share-open")(page);
  },
  until: overlay("run-until"),
};
