// What the page's tests share: the built page on a static host under a sub-path, and Chromium looking at it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

/** The built page: `cargo xtask test` names it; by hand `cargo xtask play` has left it in target/pages/play-page. */
export const pageDir = resolve(process.env.KUBOTTLE_PAGE ?? join(import.meta.dirname, "../../target/pages/play-page"));

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png", ".webmanifest": "application/manifest+json" };

/** Any static host, under a path of its own. */
export async function host(dir = pageDir, base = "/some/where/", port = 0) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    const name = path === base ? "index.html" : path.startsWith(base) ? normalize(path.slice(base.length)) : "..";
    if (name.startsWith("..") || !existsSync(join(dir, name))) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(await readFile(join(dir, name)));
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  return { url, close: () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  } };
}

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files"];

const START = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS };

/**
 * A browser with a new profile, or a profile of its own in one that runs. `visit(url)` opens a page that fails its test on an error or a request to elsewhere;
 * `prepare` may change the page before it loads. `look(url)` also waits for the cluster's nodes.
 */
export async function browser(options = {}, running) {
  const settings = {
    locale: "en-US",
    viewport: { width: 1280, height: 800 },
    // Keeping the page for when there is no network costs every visit; one test is about it.
    serviceWorkers: "block",
    ...options,
  };
  const profile = running ? undefined : await mkdtemp(join(tmpdir(), "kubottle-page-"));
  const context = await (running ? running.newContext(settings) : chromium.launchPersistentContext(profile, { ...START, ...settings }));
  const complaints = [];
  const visit = async (url, prepare) => {
    const page = await context.newPage();
    await prepare?.(page);
    const home = new URL(url);
    page.on("pageerror", (e) => complaints.push(`error: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && complaints.push(`console: ${m.text()}`));
    page.on("request", (r) => {
      const to = new URL(r.url());
      if (!["data:", "blob:"].includes(to.protocol) && to.host !== home.host) complaints.push(`asked ${r.url()}`);
    });
    // A busy machine may take long to compile the engine.
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    return page;
  };
  const look = async (url, prepare) => {
    const page = await visit(url, prepare);
    await page.getByTestId("stage").waitFor();
    await page.locator('[data-testid^="node-"][data-status="Ready"]').first().waitFor();
    return page;
  };
  const close = async () => {
    await context.close();
    if (profile) await rm(profile, { recursive: true, force: true });
  };
  return { look, visit, close, complaints, context };
}

/**
 * For a file of tests: one host and one browser for all of them, in which each has a profile of its own. A test fails on
 * what its page complained about. Gives `open(options, prepare)`, the page when its cluster is there.
 */
export function visits() {
  let site;
  let running;
  let chrome;
  before(async () => {
    site = await host();
    running = await chromium.launch(START);
  });
  after(async () => {
    await running?.close();
    await site?.close();
  });
  afterEach(async () => {
    const complaints = chrome?.complaints ?? [];
    await chrome?.close();
    chrome = undefined;
    assert.deepEqual(complaints, []);
  });
  return async (options, prepare) => {
    chrome = await browser(options, running);
    return chrome.look(site.url, prepare);
  };
}

export const id = (page, name) => page.getByTestId(name);

/** Pastes the text and applies it. */
export async function apply(page, text) {
  await paste(page, text);
  await id(page, "apply").click();
}

/** The same, until it was carried out. */
export async function applied(page, text) {
  await apply(page, text);
  await id(page, "applied").locator("li").first().waitFor();
}

export async function pause(page) {
  await id(page, "pause").click();
  await id(page, "paused").waitFor();
}

/** A pod's manifest; `spec` are more lines of its spec. */
export const pod = (name, spec = "", cpu = "100m") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers: [{name: c, image: nginx, resources: {requests: {cpu: "${cpu}"}}}]\n${spec}`;

/** A pod applied while paused, its decision made and shown. */
export async function decide(page, yaml) {
  await applied(page, yaml);
  await id(page, "step-decision").click();
  // An earlier pod's decision may still be the last one that is shown.
  const [, name] = /name: ([\w-]+)/.exec(yaml);
  await id(page, "last-decision").filter({ hasText: name }).click();
  await id(page, "grid").waitFor();
}

/** Replaces the editor's text the way people do: select all, paste. */
export async function paste(page, text) {
  const content = page.getByTestId("editor").locator(".cm-content").first();
  await content.click();
  await page.keyboard.press("ControlOrMeta+a");
  await content.evaluate((element, yaml) => {
    const data = new DataTransfer();
    data.setData("text/plain", yaml);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

export const pods = (page, prefix) => page.locator(`[data-testid^="pod-default-${prefix}"]`);

/** Waits until exactly `n` elements match. */
export async function count(locator, n, timeout = 30_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const have = await locator.count();
    if (have === n) return;
    if (Date.now() > end) throw new Error(`expected ${n} of ${locator}, there are ${have}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export const manifest = (name) => readFile(join(import.meta.dirname, "../manifests", name), "utf8");
