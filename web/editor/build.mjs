// Bundles the editor into dist/editor.js, and the terminal, which is loaded when it is opened, into dist/terminal.js. Run by Trunk before each build; does nothing when nothing changed.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const bundles = ["editor", "terminal"];
const out = (name) => join(here, "dist", `${name}.js`);
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const sources = [...readdirSync(join(here, "src")).map((name) => join(here, "src", name)), join(here, "package-lock.json")];

const newest = Math.max(...sources.map(modified));
if (bundles.some((name) => modified(out(name)) <= newest)) {
  if (modified(join(here, "node_modules", ".package-lock.json")) === 0) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: here, stdio: "inherit", shell: process.platform === "win32" });
  }
  const esbuild = join(here, "node_modules", ".bin", "esbuild");
  for (const name of bundles) {
    const entry = `src/${name === "editor" ? "main" : name}.js`;
    const options = ["--bundle", "--format=iife", "--minify", "--target=es2022", "--legal-comments=none", "--loader:.css=text"];
    execFileSync(esbuild, [entry, ...options, `--outfile=${out(name)}`], { cwd: here, stdio: "inherit" });
  }
}
