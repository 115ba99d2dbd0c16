// Bundles the editor into dist/editor.js. Run by Trunk before each build; does nothing when nothing changed.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist", "editor.js");
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const sources = [...readdirSync(join(here, "src")).map((name) => join(here, "src", name)), join(here, "package-lock.json")];

if (modified(out) <= Math.max(...sources.map(modified))) {
  if (modified(join(here, "node_modules", ".package-lock.json")) === 0) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: here, stdio: "inherit", shell: process.platform === "win32" });
  }
  const esbuild = join(here, "node_modules", ".bin", "esbuild");
  execFileSync(esbuild, ["src/main.js", "--bundle", "--format=iife", "--minify", "--target=es2022", "--legal-comments=none", `--outfile=${out}`], { cwd: here, stdio: "inherit" });
}
