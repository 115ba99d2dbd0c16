// The page that `kubottle serve` serves shows that server's cluster.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { browser, manifest, pageDir, paste, pods } from "./harness.mjs";

async function serve() {
  const dir = await mkdtemp(join(tmpdir(), "kubottle-serve-"));
  const args = ["serve", "--coredns", "false", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--state", dir, "--sim-nodes", "2", "--wasm-nodes", "0", "--page", pageDir, "--kubeconfig", join(dir, "config")];
  const child = spawn(process.env.KUBOTTLE_BIN, args, { cwd: dir, env: { ...process.env, HOME: dir }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const url = await new Promise((found, failed) => {
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
    lines.on("line", (line) => {
      const address = line.match(/http:\/\/[^\s,]+/);
      if (address) found(address[0]);
    });
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  };
  return { url, stop };
}

test("the server's page shows the server's cluster", { skip: process.env.KUBOTTLE_BIN ? false : "KUBOTTLE_BIN is not set" }, async () => {
  const server = await serve();
  const chrome = await browser({ ignoreHTTPSErrors: true });
  try {
    const page = await chrome.look(new URL("/", server.url).href);
    await page.locator("meta[name=kubottle-server]").waitFor({ state: "attached" });
    await paste(page, await manifest("pod.yaml"));
    await page.getByTestId("apply").click();
    await pods(page, "nginx").and(page.locator('[data-state="ready"]')).waitFor();
    // The terminal's shell is the server's.
    await page.keyboard.press("Control+Backquote");
    const rows = page.locator(".terminal .xterm-rows");
    await rows.getByText("$").first().waitFor();
    await page.keyboard.type("kubectl get pods | grep -c Running\r");
    await rows.getByText(/^1$/).first().waitFor();
    assert.deepEqual(chrome.complaints, []);
  } finally {
    await chrome.close();
    await server.stop();
  }
});
