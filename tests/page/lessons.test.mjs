// A newcomer takes the first lesson, in both languages; it survives a reload; lessons come from files, too.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { id, pageDir, visits } from "./harness.mjs";

const open = visits();

const held = (page, name) => page.locator(`[data-testid="${name}"][data-holds="true"]`).waitFor();
const done = (page, n) => page.locator(`[data-testid="lesson"][data-done="${n}"]`).waitFor();

async function firstLesson(page) {
  await id(page, "first-lesson").click();
  await page.locator('[data-testid="lesson"][data-lesson="first-pod"]').waitFor();
}

for (const [locale, title] of [["en-US", "A cluster, and its first Pod"], ["ko-KR", "클러스터와 첫 번째 파드"]]) {
  test(`the first lesson, followed by hand (${locale})`, async () => {
    const page = await open({ locale });
    await firstLesson(page);
    assert.equal(await id(page, "lesson-title").innerText(), title);
    // A guess, and what came true.
    await id(page, "choice-1-1").click();
    await id(page, "reveal-1").waitFor();
    assert.match(await id(page, "choice-1-3").getAttribute("class"), /right/);
    assert.match(await id(page, "choice-1-1").getAttribute("class"), /wrong/);
    // The manifest goes into the editor; ticks follow the cluster.
    await id(page, "choice-2-2").click();
    assert.equal(await id(page, "tick-2-1").getAttribute("data-holds"), "false");
    await page.locator('[data-testid="step-2"] [data-file="hello.yaml"]').click();
    await id(page, "apply").click();
    await id(page, "left-lesson").click();
    await held(page, "tick-2-2");
    await done(page, 2);
    assert.match(await id(page, "choice-2-2").getAttribute("class"), /right/);
    await id(page, "choice-3-2").click();
    await id(page, "hint").click();
    assert.equal(await id(page, "hints").locator("li").count(), 1);
    await id(page, "left-editor").click();
    await id(page, "delete").click();
    await id(page, "left-lesson").click();
    await page.locator('[data-testid="lesson"][data-done="3"]').waitFor({ timeout: 60_000 });
    await id(page, "recap").waitFor();
    await id(page, "next-lesson").click();
    await page.locator('[data-testid="lesson"][data-lesson="deployment"]').waitFor();
    await id(page, "lesson-contents").click();
    await page.locator('[data-testid="lesson-first-pod"] .box.holds').waitFor();
  });
}

test("a lesson goes on after a reload, in the other language, and shows its solution", async () => {
  const page = await open();
  await firstLesson(page);
  await id(page, "choice-1-3").click();
  await done(page, 1);
  await id(page, "show-me").click();
  await done(page, 2);
  await page.waitForTimeout(2_500);
  await page.reload();
  await done(page, 2);
  assert.equal(await page.locator('[data-testid="pod-default-hello"]').count(), 1, "its cluster is back");
  assert.match(await id(page, "choice-1-3").getAttribute("class"), /right/);
  await id(page, "lang").click();
  assert.equal(await id(page, "lesson-title").innerText(), "클러스터와 첫 번째 파드");
  await id(page, "lesson-leave").click();
  await id(page, "contents").waitFor();
});

test("the table of contents shows what there is to learn, and opens files", async () => {
  const page = await open();
  await id(page, "left-lesson").click();
  await id(page, "by-topic").click();
  await page.getByText("EndpointSlice controller").waitFor();
  const good = await readFile(join(pageDir, "lessons/101-first-pod.md"), "utf8");
  const choose = async (name, text) => {
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), id(page, "lesson-file").click()]);
    await chooser.setFiles({ name, mimeType: "text/markdown", buffer: Buffer.from(text) });
  };
  await choose("bad.md", good.replace("minutes: 8", "minuts: 8"));
  await id(page, "lesson-problems").getByText("minuts").waitFor();
  await id(page, "lesson-problems").getByRole("button").click();
  await choose("good.md", good);
  await page.locator('[data-testid="lesson"][data-lesson="first-pod"]').waitFor();
});
