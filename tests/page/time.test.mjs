// The past, bookmarks, branches, what is waited for, and sharing a state.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, count, id, pause, pod, pods, visits } from "./harness.mjs";

const open = visits();
const ready = (page, name) => page.locator(`[data-testid="pod-default-${name}"][data-state="ready"]`);
const text = (page, name) => id(page, name).innerText();

const web = (replicas, image = "nginx") => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: ${image}}]
`;

/** The scrubber's handle, taken to this part of the way. */
async function scrub(page, part) {
  await id(page, "scrub").evaluate((input, part) => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    set.call(input, String(Math.round(Number(input.max) * part)));
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, part);
}

for (const [locale, words] of [["en-US", { past: "The past is shown", now: "Now" }], ["ko-KR", { past: "지난 시점을 보는 중", now: "지금으로" }]]) {
  test(`the past is shown, stepped through and left again (${locale})`, async () => {
    const page = await open({ locale });
    await applied(page, pod("one"));
    await ready(page, "one").waitFor();
    await applied(page, pod("two"));
    await ready(page, "two").waitFor();
    await pause(page);
    const present = await text(page, "clock");
    // Back by decision: two has no node yet when one is decided.
    await page.locator("body").press("Shift+ArrowLeft");
    await id(page, "past").getByText(words.past).waitFor();
    await count(page.locator(".app.in-past"), 1);
    await page.locator("body").press("Shift+ArrowLeft");
    await count(pods(page, "two"), 0);
    assert.notEqual(await text(page, "clock"), present);
    await count(pods(page, "one"), 1);
    // On by decision, then by single steps.
    await id(page, "step-decision").click();
    await count(pods(page, "two"), 1);
    await id(page, "step").click();
    await page.locator("body").press("ArrowLeft");
    await count(pods(page, "two"), 1);
    // At the very beginning nothing is there.
    await scrub(page, 0);
    await count(pods(page, "one"), 0);
    // Nothing can be changed in the past, and the page says so.
    await id(page, "apply").click();
    await id(page, "notice").waitFor();
    // One key, and everything is as it was.
    await id(page, "now").getByText(words.now).waitFor();
    await page.locator("body").press("n");
    await count(id(page, "past"), 0);
    await ready(page, "two").waitFor();
    assert.equal(await text(page, "clock"), present);
    await id(page, "paused").waitFor();
  });
}

test("the past plays as it was, up to now and on", async () => {
  const page = await open();
  await applied(page, pod("one"));
  await ready(page, "one").waitFor();
  await pause(page);
  await scrub(page, 0);
  await count(pods(page, "one"), 0);
  await id(page, "speed").selectOption("10000");
  await id(page, "run").click();
  await ready(page, "one").waitFor();
  await count(id(page, "past"), 0);
});

test("a bookmark brings a moment back, also after a reload", async () => {
  const page = await open();
  await applied(page, pod("one"));
  await ready(page, "one").waitFor();
  await pause(page);
  await page.locator("body").press("b");
  const mark = page.locator('.scrub-mark');
  await count(mark, 1);
  await id(page, "run").click();
  await applied(page, pod("two"));
  await ready(page, "two").waitFor();
  await mark.click();
  await id(page, "past").waitFor();
  await count(pods(page, "two"), 0);
  await id(page, "now").click();
  await ready(page, "two").waitFor();
  await page.waitForTimeout(2500);
  await page.reload();
  await count(mark, 1);
});

test("a branch changes one thing, and the two are compared", async () => {
  const page = await open();
  await applied(page, web(2));
  await count(page.locator('[data-testid^="pod-default-web"][data-state="ready"]'), 2);
  await pause(page);
  await scrub(page, 1);
  await id(page, "decision-back").click();
  await id(page, "past").waitFor();
  await id(page, "branch-here").click();
  await count(id(page, "past"), 0);
  await applied(page, web(4));
  await id(page, "run").click();
  await count(page.locator('[data-testid^="pod-default-web"][data-state="ready"]'), 4);
  await pause(page);
  await id(page, "branches").click();
  await count(id(page, "branch-list").locator("li.branch"), 2);
  await id(page, "compare-0").click();
  await id(page, "comparison").waitFor();
  const objects = id(page, "compare-objects");
  await objects.getByText("spec.replicas").first().waitFor();
  await objects.locator("li.here").first().waitFor();
  await id(page, "compare-decisions").locator("tbody tr").first().waitFor();
  // Back to where it came from: nothing of the branch is there.
  await id(page, "switch-0").click();
  await page.keyboard.press("Escape");
  await count(page.locator('[data-testid^="pod-default-web"][data-state="ready"]'), 2);
});

test("the cluster runs until something is so", async () => {
  const page = await open();
  await pause(page);
  await applied(page, web(3));
  await id(page, "run-until").click();
  await id(page, "until-what").selectOption("rollout");
  await id(page, "until-name").fill("web");
  await id(page, "until-go").click();
  await count(page.locator('[data-testid^="pod-default-web"][data-state="ready"]'), 3);
  await id(page, "paused").waitFor();
  await id(page, "run-until").click();
  await id(page, "until-what").selectOption("time");
  await id(page, "until-seconds").fill("300");
  const before = await text(page, "clock");
  await id(page, "until-go").click();
  await page.waitForFunction((before) => document.querySelector('[data-testid="clock"]').innerText !== before, before);
  await id(page, "paused").waitFor();
});

test("a state is shared as a link, a code and a file, and opens the same", async () => {
  const page = await open();
  await applied(page, pod("one"));
  await ready(page, "one").waitFor();
  await pause(page);
  const clock = await text(page, "clock");
  await id(page, "share-open").click();
  await id(page, "share-qr").waitFor();
  const link = await id(page, "share-link").inputValue();
  assert.match(link, /#state=k1\.[A-Za-z0-9_-]+$/);
  assert.ok(link.length < 1800, `${link.length} characters`);
  const [download] = await Promise.all([page.waitForEvent("download"), id(page, "share-file").click()]);
  assert.equal(download.suggestedFilename(), "cluster.kubottle");
  // Another browser's page: here the same one, with another cluster.
  await page.goto("about:blank");
  await page.goto(link);
  await ready(page, "one").waitFor();
  assert.equal(await text(page, "clock"), clock);
  assert.ok(!page.url().includes("#state"));
  // The file does the same.
  await applied(page, pod("two"));
  await id(page, "run").click();
  await ready(page, "two").waitFor();
  await id(page, "share-open").click();
  await id(page, "share-pick").setInputFiles(await download.path());
  await count(pods(page, "two"), 0);
  await ready(page, "one").waitFor();
});
