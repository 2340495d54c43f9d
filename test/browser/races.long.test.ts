/** What somebody who hunts a race does with the page: break C-1 by hand, see the fix hold, prove it, take the schedule to the command line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { type Lab, openLab, whyNot } from "./chromium.ts";

const C1 = "#/race/ioreq-unmap-window";
const folder = mkdtempSync(join(tmpdir(), "vmexit-races-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Keys that lose the write: guest0 three times, the toolstack until it is done, guest0 twice. */
const LOSING = "111222222222211";

const stepIs = (page: Page, at: number) =>
  expect.poll(() => page.locator(".position").textContent()).toContain(`step ${at} of`);

async function press(page: Page, keys: string): Promise<void> {
  await page.getByRole("button", { name: "guest0" }).waitFor();
  for (const key of keys) await page.keyboard.press(key);
}

describe.skipIf(whyNot)("the page of races", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it("C-1 is broken by hand, tried again with the fix, and proved", async () => {
    const { page, errors, close } = await lab.open("#/race");
    await page.getByRole("searchbox").fill("unmap window lost");
    await page.getByRole("searchbox").fill("ioreq-unmap");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1 }).filter({ hasText: "A write is lost" }).waitFor();
    await page.getByRole("button", { name: "Play the scheduler" }).click();
    await press(page, LOSING);
    await page.getByText("You broke it in 15 steps.").waitFor();
    expect(await page.locator("vx-race-lanes").getByText("THE WRITE OF 1 IS DROPPED").count()).toBe(1);
    await page.getByRole("button", { name: "Same order with the fix" }).click();
    await page.getByText("could not be taken here").waitFor();
    await page.getByText("Nobody has anything left to do, and every rule holds.").first().waitFor();
    await page.getByRole("button", { name: "Prove the fix" }).click();
    await page.getByText(/Proved: all [\d,]+ states explored: no violation/).waitFor();
    await page.getByText("all interleavings of these actors").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("what was played stands in the address, and the address gives it back", async () => {
    const { page, errors, close } = await lab.open(`${C1}?variant=early-null&mode=play`);
    await press(page, "1112");
    await stepIs(page, 4);
    await page.keyboard.press("Backspace");
    await stepIs(page, 3);
    await page.waitForFunction(() => location.hash.includes("steps=000&") || location.hash.endsWith("steps=000"));
    const other = await lab.open(new URL(page.url()).hash);
    await stepIs(other.page, 3);
    await other.page.getByText("goes by the page type it has read").first().waitFor();
    expect([...errors, ...other.errors]).toEqual([]);
    await other.close();
    await close();
  });

  it("the browser's back leads from the list to the race as it was", async () => {
    const { page, errors, close } = await lab.open(`${C1}?variant=early-null&mode=play`);
    await press(page, "111");
    await stepIs(page, 3);
    await page.getByRole("link", { name: /All races/ }).click();
    await page.getByText(/\d+ races/).waitFor();
    await page.goBack();
    await stepIs(page, 3);
    expect(errors).toEqual([]);
    await close();
  });

  it("a blocked actor says what it waits for, and cannot be moved", async () => {
    const { page, errors, close } = await lab.open(`${C1}?variant=fixed&mode=play&steps=0001111`);
    const toolstack = page.locator('button[data-actor="toolstack"]');
    await toolstack.filter({ hasText: "waits for the p2m lock of domain 1, which guest0 holds" }).waitFor();
    expect(await toolstack.getAttribute("aria-disabled")).toBe("true");
    await page.keyboard.press("2");
    await toolstack.click({ force: true });
    await stepIs(page, 7);
    expect(errors).toEqual([]);
    await close();
  });

  it("a schedule that was played is a file that vmexit replay takes, and the page takes it back", async () => {
    const { page, errors, close } = await lab.open(`${C1}?variant=early-null&mode=play`);
    await press(page, LOSING);
    await page.getByText("You broke it").waitFor();
    const saved = page.waitForEvent("download");
    await page.getByLabel("Save").selectOption("schedule");
    const file = join(folder, "played.schedule");
    await (await saved).saveAs(file);
    const replayed = spawnSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), "replay", file, "--json"], {
      encoding: "utf8",
    });
    expect(JSON.parse(replayed.stdout)).toMatchObject({ violation: { invariant: "every-write-once" } });

    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Load" }).click();
    await (await chooser).setFiles(file);
    await page.getByRole("button", { name: "Film" }).and(page.locator('[aria-pressed="true"]')).waitFor();
    await page.keyboard.press("End");
    await stepIs(page, 15);
    expect(errors).toEqual([]);
    await close();
  });

  it.each(["svg", "png", "markdown", "trace"])("%s is saved", async (kind) => {
    const { page, errors, close } = await lab.open(`${C1}?variant=early-null&mode=film&at=15`);
    await stepIs(page, 15);
    const saved = page.waitForEvent("download");
    await page.getByLabel("Save").selectOption(kind);
    const file = join(folder, `saved.${kind}`);
    await (await saved).saveAs(file);
    const bytes = readFileSync(file);
    const starts = { svg: "<svg", png: "\u0089PNG", markdown: "# A write is lost", trace: "{" }[kind]!;
    expect(bytes.subarray(0, starts.length).toString("latin1")).toBe(starts);
    expect(errors).toEqual([]);
    await close();
  });

  it("exploring finds the violation with a line of progress, can be stopped, and shows what it found", async () => {
    const { page, errors, close } = await lab.open(`${C1}?variant=fixed-2-vcpus&mode=explore`);
    await page.locator("vx-explore-panel").getByRole("button", { name: "Explore" }).click();
    await page.getByText(/[\d,]+ states, [\d,]+ schedules, [\d,]+ states\/s, depth \d+/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped. Nothing is proved.").waitFor();
    await page.getByLabel("Hypervisor").selectOption("held-null");
    await page.getByText("Breaks: every-write-once").waitFor();
    await page.locator("vx-explore-panel").getByRole("button", { name: "Explore" }).click();
    const watch = page.getByRole("button", { name: /Watch how, in \d+ steps/ });
    const steps = Number(/\d+/.exec((await watch.textContent()) ?? "")![0]);
    await watch.click();
    await stepIs(page, 0);
    await page.keyboard.press("End");
    await stepIs(page, steps);
    expect(errors).toEqual([]);
    await close();
  });

  it.each([
    ["an unknown race", "#/race/ioreq-unmap-windw", "did you mean ioreq-unmap-window?"],
    ["an unknown variant", `${C1}?variant=fixd`, "did you mean fixed?"],
    ["steps that cannot be taken", `${C1}?variant=early-null&mode=play&steps=22`, "step 1: emulator cannot go on"],
    ["letters that are no actors", `${C1}?variant=early-null&mode=play&steps=0z`, 'letter 2 of the steps is "z"'],
  ])("a broken link says what is wrong: %s", async (_, hash, message) => {
    const { page, errors, close } = await lab.open(hash);
    await page.getByRole("alert").filter({ hasText: message }).waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it.each([
    ["no schedule", "hello\n", "the first line of a schedule is JSON"],
    [
      "a newer version",
      '{"format":"vmexit-schedule","version":9,"race":"lost-wakeup","variant":"fixed"}\n',
      "schedule format version 9",
    ],
    [
      "a step that cannot be taken",
      '{"format":"vmexit-schedule","version":2,"race":"lost-wakeup","variant":"fixed","steps":1}\nguest0:Nowhere\n',
      "this core has no window Nowhere",
    ],
  ])("a broken file says what is wrong: %s", async (_, text, message) => {
    const { page, errors, close } = await lab.open("#/race/lost-wakeup?variant=fixed&mode=film&at=3");
    await stepIs(page, 3);
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Load" }).click();
    await (await chooser).setFiles({ name: "x.schedule", mimeType: "text/plain", buffer: Buffer.from(text) });
    await page.getByRole("alert").filter({ hasText: message }).waitFor();
    await stepIs(page, 3); // what was there stays
    expect(errors).toEqual([]);
    await close();
  });

  it("a race of one's own that never ends is given up, and the page goes on", async () => {
    const { page, errors, close } = await lab.open("#/race");
    await page.getByText(/\d+ races/).waitFor();
    const choose = async (name: string, text: string) => {
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Load" }).click();
      await (await chooser).setFiles({ name, mimeType: "text/javascript", buffer: Buffer.from(text) });
    };
    await choose("endless.mjs", "for (;;);");
    await page.getByRole("alert").filter({ hasText: "endless.mjs: it did not answer for 15 seconds" }).waitFor();
    await choose("empty.mjs", "export default { name: 'empty' };");
    await page.getByRole("alert").filter({ hasText: "empty.mjs: race empty" }).waitFor();
    await page.getByRole("link", { name: /A write is lost/ }).click();
    await stepIs(page, 0);
    expect(errors).toEqual([]);
    await close();
  });

  it("a race of one's own is dropped in and played", async () => {
    const { page, errors, close } = await lab.open("#/race");
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Load" }).click();
    await (await chooser).setFiles(join(ROOT, "docs/examples/my-race.mjs"));
    await page.getByRole("heading", { level: 1 }).filter({ hasText: "A write meets the end of a page type" }).waitFor();
    await page.keyboard.press("1");
    await stepIs(page, 1);
    expect(errors).toEqual([]);
    await close();
  });
});
