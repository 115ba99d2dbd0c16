// `cargo xtask bundle`: the one file that runs from a disk, in the other browser family. Left out where there is no Firefox.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { manifest } from "./harness.mjs";

const file = resolve(process.env.KUBOTTLE_SINGLE ?? "../../kubottle.html");
const onPath = (name) => (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, name)).find(existsSync);
const firefox = process.env.FIREFOX ?? onPath("firefox") ?? onPath("firefox-esr");

function missing() {
  if (!firefox) return "no Firefox on PATH; FIREFOX may name one";
  return existsSync(file) ? false : `${file} is not there: cargo xtask bundle`;
}

test("kubottle.html runs from file:// in Firefox", { skip: missing() }, async () => {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true });
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    page.setDefaultTimeout(60_000);
    const complaints = [];
    page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && complaints.push(`console: ${m.text()}`));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('[data-testid^="node-"][data-status="Ready"]');

    await page.click('[data-testid="editor"] .cm-content');
    await page.keyboard.down("Control");
    await page.keyboard.press("a");
    await page.keyboard.up("Control");
    // Firefox gives a made-up paste event no contents.
    const text = await manifest("deployment.yaml");
    await page.evaluate((yaml) => document.execCommand("insertText", false, yaml), text);
    await page.click('[data-testid="apply"]');
    await page.waitForFunction(
      () => document.querySelectorAll('[data-testid^="pod-default-nginx-deployment-"][data-state="ready"]').length === 3,
    );
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
});
