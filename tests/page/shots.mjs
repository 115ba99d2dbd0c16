// Screenshots of the page's states, to be looked at: node tests/page/shots.mjs http://127.0.0.1:8080/ OUTDIR [NAME...]
// A NAME may hold a * (`preemption-*`, `*-390-ko`). The states of the other _shots.mjs are shot in every look.
// Needs playwright-core and a Chromium (CHROMIUM=/usr/bin/chromium). Reports errors of the console.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { states as consoles } from "./console_shots.mjs";
import { looks, states as debuggers } from "./debugger_shots.mjs";
import { keepWorker } from "./frames.mjs";
import { states as parts } from "./parts_shots.mjs";
import { states as times } from "./time_shots.mjs";

const require = createRequire(process.env.PLAYWRIGHT_FROM ?? import.meta.url);
const { chromium } = require("playwright-core");
const [base, out, ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const id = (page, name) => page.getByTestId(name);
const try_ = async (page, sample) => {
  await id(page, "samples").click();
  await id(page, `sample-${sample}`).click();
  await id(page, "apply").click();
};
const settle = (page, ms = 900) => page.waitForTimeout(ms);

/** name: [width, height, theme, locale, what to do] */
const shots = {
  "embed-900": [900, 560, "light", "en", async (page) => embed(page, "?embed&lesson=first-pod")],
  "embed-900-dark-ko": [900, 560, "dark", "ko", async (page) => embed(page, "?embed&lesson=first-pod")],
  "embed-390": [390, 560, "light", "en", async (page) => embed(page, "?embed&lesson=first-pod")],
  "empty-1280": [1280, 800, "light", "en", async () => {}],
  "cluster-1280": [1280, 800, "light", "en", cluster],
  "cluster-1920-dark-ko": [1920, 1080, "dark", "ko", async (page) => {
    await cluster(page);
    await page.locator("[data-testid^=pod-default-nginx]").first().click();
    await settle(page);
  }],
  "paused-1280-ko": [1280, 800, "light", "ko", async (page) => {
    await id(page, "pause").click();
    await id(page, "try-deployment").click();
    for (let i = 0; i < 6; i += 1) await id(page, "step").click();
    await settle(page, 150);
  }],
  "decision-1920": [1920, 1080, "light", "en", decision],
  "decision-1280-ko": [1280, 800, "light", "ko", decision],
  "decision-normalize-1920-dark": [1920, 1080, "dark", "en", async (page) => {
    await decision(page);
    await id(page, "phase-NormalizeScore").click();
    await settle(page, 300);
  }],
  "decision-failed-1280-dark": [1280, 800, "dark", "en", async (page) => {
    await try_(page, "too-big");
    await settle(page, 1500);
    await id(page, "last-decision").click();
    await settle(page);
  }],
  "why-1920": [1920, 1080, "light", "ko", async (page) => {
    await cluster(page);
    await page.locator("[data-testid^=pod-default-nginx]").first().click();
    await id(page, "tab-why").click();
    await settle(page);
  }],
  "errors-1280": [1280, 800, "light", "en", async (page) => {
    await page.locator(".cm-content").click();
    await page.keyboard.insertText("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n\tname: web\nspec:\n  replica: 3\n");
    await id(page, "apply").click();
    await settle(page);
  }],
  "scheduler-stopped-1280-dark-ko": [1280, 800, "dark", "ko", async (page) => {
    await page.getByTestId("lamp-kube-scheduler").hover();
    await id(page, "power-kube-scheduler").click();
    await id(page, "try-deployment").click();
    await settle(page, 1500);
  }],
  "help-1280": [1280, 800, "light", "en", async (page) => {
    await id(page, "help").click();
    await settle(page, 400);
  }],
  "presenter-decision-1920-ko": [1920, 1080, "light", "ko", async (page) => {
    await id(page, "presenter").click();
    await decision(page);
  }],
  "presenter-decision-1280-dark": [1280, 800, "dark", "en", async (page) => {
    await id(page, "presenter").click();
    await decision(page);
  }],
  "presenter-1920-ko": [1920, 1080, "light", "ko", async (page) => {
    await cluster(page);
    await id(page, "presenter").click();
    await settle(page);
  }],
  "phone": [390, 844, "light", "ko", async (page) => {
    await id(page, "try-deployment").click();
    await settle(page, 3500);
  }],
  "phone-editor": [390, 844, "dark", "en", async (page) => {
    await id(page, "pane-editor").click();
    await settle(page);
  }],
  ...(process.env.HUGE ? { "huge-1920": [1920, 1080, "light", "en", huge], "huge-1280-dark": [1280, 800, "dark", "en", huge] } : {}),
};

async function embed(page, search) {
  await page.goto(base + search);
  await id(page, "lesson").locator("h2").first().waitFor();
  await settle(page, 1500);
}

async function huge(page) {
  await settle(page, 2500);
  const frames = await page.evaluate(() => new Promise((done) => {
    const times = [];
    const tick = (t) => (times.push(t) < 120 ? requestAnimationFrame(tick) : done(times));
    requestAnimationFrame(tick);
  }));
  const gaps = frames.slice(1).map((t, i) => t - frames[i]).sort((a, b) => a - b);
  console.log(`frames: median ${gaps[59].toFixed(1)} ms, 95% ${gaps[112].toFixed(1)} ms`);
}

async function decision(page) {
  await id(page, "try-deployment").click();
  await settle(page, 3000);
  await id(page, "show-decision").click();
  await settle(page);
}

async function cluster(page) {
  await id(page, "try-deployment").click();
  await settle(page, 600);
  await try_(page, "crash-loop");
  await try_(page, "too-big");
  await settle(page, 6000);
}

for (const [state, act] of Object.entries({ ...debuggers, ...consoles, ...times, ...parts })) {
  for (const [look, how] of Object.entries(looks)) shots[`${state}-${look}`] = [...how, act];
}
const matches = (name, pattern) => {
  const [start, end] = pattern.split("*");
  return end === undefined ? name === pattern : name.startsWith(start) && name.endsWith(end);
};
const wanted = (name) => only.length === 0 || only.some((o) => matches(name, o));

for (const [name, [width, height, theme, locale, act]] of Object.entries(shots)) {
  if (!wanted(name)) continue;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale, hasTouch: width < 500 });
  const page = await context.newPage();
  await keepWorker(page);
  page.setDefaultTimeout(15000);
  page.on("console", (m) => m.type() === "error" && console.log(`${name}: ${m.text()}`));
  page.on("pageerror", (e) => console.log(`${name}: ${e.message}`));
  try {
    await page.goto(process.env.HUGE && name.startsWith("huge") ? `${base}?huge` : base);
    await page.locator("[data-engine=ready]").waitFor();
    await settle(page, 500);
    await act(page);
  } catch (error) {
    console.log(`${name}: ${error.message.split("\n")[0]}`);
  }
  await page.screenshot({ path: `${out}/${name}.png` });
  await context.close();
  console.log(name);
}
await browser.close();
