// The page's programs come in two parts: the second follows the first, or is asked for when it is needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, host } from "./harness.mjs";

/** A page whose requests for the rest of a program are `answer`ed so. */
async function visit(answer, use) {
  const site = await host();
  const chrome = await browser();
  try {
    await use(await chrome.visit(site.url, (page) => page.route(/_rest-[0-9a-f]+\.wasm$/, answer)), chrome.complaints);
  } finally {
    await chrome.close();
    await site.close();
  }
}

async function kubectl(page) {
  const rows = page.locator(".terminal .xterm-rows");
  await rows.getByText("$").first().waitFor();
  await page.keyboard.type("kubectl get nodes -o name\r");
  return rows;
}

test("what has not come in time is fetched when it is needed", async () => {
  const asked = [];
  let answered;
  const done = new Promise((resolve) => { answered = resolve; });
  await visit(async (route) => {
    asked.push(route.request().resourceType());
    // What is fetched on the side takes longer than this test.
    if (asked.at(-1) === "fetch") await done;
    await route.continue().catch(() => {});
  }, async (page, complaints) => {
    await page.locator('[data-testid^="node-"][data-status="Ready"]').first().waitFor();
    await page.keyboard.press("Control+Backquote");
    await (await kubectl(page)).getByText(/^node\/node-1/).first().waitFor();
    assert.ok(asked.includes("xhr"), asked.join());
    assert.deepEqual(complaints, []);
    answered();
  });
});

/** Answers for one of the two rests, until it is `there`. */
function without(rest) {
  const state = { there: false };
  state.answer = (route) => rest.test(route.request().url()) && !state.there ? route.fulfill({ status: 503, body: "" }) : route.continue();
  return state;
}

test("the page's rest cannot be had at first: it asks, and goes on", async () => {
  const web = without(/web_rest-/);
  await visit(web.answer, async (page) => {
    const said = [];
    page.on("dialog", async (dialog) => {
      said.push(dialog.message());
      // The second time the network is back.
      web.there = said.length > 1;
      await dialog.accept();
    });
    const editor = page.getByTestId("editor").locator(".cm-content").first();
    await editor.click();
    await page.keyboard.type("# mine\n");
    await page.keyboard.press("Control+Backquote");
    // What is typed while a dialog is open goes nowhere: it is typed again, as anybody would.
    for (let tries = 3; ; tries--) {
      const node = (await kubectl(page)).getByText(/^node\/node-1/).first();
      if (await node.waitFor({ timeout: 15_000 }).then(() => true, () => false)) break;
      assert.ok(tries > 1, "nothing is shown");
      await page.keyboard.press("Control+c");
    }
    assert.equal(said.length, 2);
    assert.match(said[0], /The rest of the page .*_rest-[0-9a-f]+\.wasm: 503/);
    assert.match(await editor.innerText(), /# mine/);
  });
});

test("the engine's rest cannot be had: it is told, and what was typed is still there", async () => {
  const engine = without(/worker_rest-/);
  await visit(engine.answer, async (page) => {
    const editor = page.getByTestId("editor").locator(".cm-content").first();
    await editor.click();
    await page.keyboard.type("# mine\n");
    await page.keyboard.press("Control+Backquote");
    await kubectl(page);
    await page.getByRole("alert").getByText(/_rest-[0-9a-f]+\.wasm: 503/).first().waitFor();
    assert.match(await editor.innerText(), /# mine/);
    engine.there = true;
    await page.reload();
    await editor.getByText("# mine").waitFor();
  });
});
