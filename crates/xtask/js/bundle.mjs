// node bundle.mjs PAGE DIST SINGLE: the built page for any static host (DIST), and as one HTML file that
// runs from a disk (SINGLE), where a page may load neither modules, nor workers, nor wasm from beside itself.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [page, dist, single] = process.argv.slice(2);

const kb = (bytes) => `${(bytes / 1000).toFixed(0)} KB`;

function files(dir) {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

// dist/: the page as it was built.
rmSync(dist, { recursive: true, force: true });
cpSync(page, dist, { recursive: true });

// The single file.
const TYPES = { ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".woff": "font/woff" };
const local = (url) => {
  const path = join(dist, url.replace(/[?#].*$/, ""));
  return !/^(data:|[a-z]+:\/\/)/i.test(url) && existsSync(path) ? path : undefined;
};
const dataUrl = (path) => `data:${TYPES[extname(path)] ?? "application/octet-stream"};base64,${readFileSync(path).toString("base64")}`;
const css = (path) => readFileSync(path, "utf8").replace(/url\(\s*["']?([^"')]+)["']?\s*\)/g, (all, url) => {
  const target = local(join(dirname(path).slice(dist.length), url));
  return target ? `url(${dataUrl(target)})` : all;
});
const attribute = (tag, name) => tag.match(new RegExp(`\\b${name}\\s*=\\s*["']?([^"'\\s>]+)`, "i"))?.[1];
// Inside a script element `</script` would end it.
const js = (text) => text.replace(/<\/script/gi, "<\\/script").replace(/<!--/g, "<\\!--");
const packed = (path) => (path ? gzipSync(readFileSync(path), { level: 9 }).toString("base64") : "");

let html = readFileSync(join(dist, "index.html"), "utf8");

const start = html.match(/<script[^>]*type=["']?module["']?[^>]*>([\s\S]*?)<\/script>/i);
const glue = start?.[1].match(/from\s*['"]([^'"]+\.js)['"]/)?.[1];
// A program is in two parts (crates/xtask/parts), or whole.
const firstOf = (text) => text?.match(/module_or_path:\s*['"]([^'"]+\.wasm)['"]/)?.[1];
const restOf = (text) => text?.match(/parts\(['"]([^'"]+\.wasm)['"]\)/)?.[1];
const wasm = firstOf(start?.[1]);
const wasmRest = restOf(start?.[1]);
if (!glue || !wasm) throw new Error("index.html does not start the page the way Trunk writes it");
html = html.replace(start[0], "");

const loader = files(dist).find((f) => f.endsWith("_loader.js"));
if (!loader) throw new Error("no worker loader in the built page");
const loads = readFileSync(loader, "utf8");
const workerJs = join(dirname(loader), loads.match(/importScripts\(\s*['"`]([^'"`]+)/)[1]);
const workerWasm = join(dirname(loader), firstOf(loads));
const workerRest = restOf(loads) && join(dirname(loader), restOf(loads));
const partsJs = readFileSync(join(here, "../parts/parts.js"), "utf8");

const main = `
${partsJs}
import init from ${JSON.stringify("./" + basename(glue))};
async function unpack(id) {
  const text = atob(document.getElementById(id).textContent);
  if (text === "") return undefined;
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
// Unpacked when the first of them is asked for.
let lessons;
window.kubottleLessons = async (name) => {
  lessons ??= unpack("kubottle-lessons").then((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
  const text = (await lessons)[name];
  if (text === undefined) throw new Error(name);
  return text;
};
async function start() {
  const packed = ["kubottle-page", "kubottle-page-rest", "kubottle-engine", "kubottle-engine-rest"];
  const [page, pageRest, first, rest] = await Promise.all(packed.map(unpack));
  const script = document.getElementById("kubottle-worker").textContent;
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  // The first message is the engine itself; what it says after that is the protocol.
  window.kubottleWorker = () => {
    const worker = new Worker(url);
    worker.postMessage({ first, rest });
    return worker;
  };
  if (pageRest) parts(pageRest);
  await init({ module_or_path: page });
}
start();
`;
const bundled = await esbuild.build({
  stdin: { contents: main, resolveDir: dist, loader: "js" },
  bundle: true,
  format: "iife",
  minify: true,
  target: "es2022",
  write: false,
  logOverride: { "empty-import-meta": "silent" },
});
const worker = `${readFileSync(workerJs, "utf8")}
${partsJs}
self.onmessage = ({ data }) => {
  self.onmessage = null;
  if (data.rest) parts(data.rest);
  wasm_bindgen({ module_or_path: data.first });
};`;

html = html.replace(/<link\b[^>]*>/gi, (tag) => {
  const rel = attribute(tag, "rel")?.toLowerCase() ?? "";
  const path = local(attribute(tag, "href") ?? "");
  if (/preload|manifest|apple/.test(rel)) return "";
  if (rel === "stylesheet" && path) return `<style>${css(path)}</style>`;
  if (/icon/.test(rel) && path) return tag.replace(attribute(tag, "href"), dataUrl(path));
  return tag;
});
html = html.replace(/<script\b([^>]*)><\/script>/gi, (tag, attributes) => {
  const path = local(attribute(attributes, "src") ?? "");
  return path ? `<script>${js(readFileSync(path, "utf8"))}</script>` : tag;
});
// Kept in <head>: the page clears <body>. A function as replacement: the texts hold `$&`.
const texts = Object.fromEntries(readdirSync(join(dist, "lessons")).map((name) => [name, readFileSync(join(dist, "lessons", name), "utf8")]));
const inlined = [
  `<script type="text/plain" id="kubottle-lessons">${gzipSync(JSON.stringify(texts), { level: 9 }).toString("base64")}</script>`,
  `<script type="text/plain" id="kubottle-page">${packed(join(dist, wasm))}</script>`,
  `<script type="text/plain" id="kubottle-page-rest">${packed(wasmRest && join(dist, wasmRest))}</script>`,
  `<script type="text/plain" id="kubottle-engine">${packed(workerWasm)}</script>`,
  `<script type="text/plain" id="kubottle-engine-rest">${packed(workerRest)}</script>`,
  `<script type="text/plain" id="kubottle-schemas">${packed(join(dist, "schemas.json"))}</script>`,
  `<script type="text/plain" id="kubottle-help">${packed(join(dist, "help.txt"))}</script>`,
  `<script type="text/plain" id="kubottle-terminal">${js(readFileSync(join(dist, "terminal.js"), "utf8"))}</script>`,
  `<script type="text/plain" id="kubottle-worker">${js(worker)}</script>`,
  `<script>addEventListener("DOMContentLoaded", () => {${js(bundled.outputFiles[0].text)}});</script>`,
].join("\n");
html = html.replace(/<\/head>/i, () => `${inlined}\n</head>`);
writeFileSync(single, html);
console.log(`${single}: ${kb(html.length)}`);
