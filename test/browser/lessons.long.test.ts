/** What a student does with the page: opens a lesson, looks at a check, plays, solves the exercise; and what is kept. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { type Lab, openLab, whyNot } from "./chromium.ts";

const LESSONS = readdirSync(join(ROOT, "docs/lessons"))
  .filter((file) => /^\d\d-/.test(file))
  .map((file) => file.replace(/^\d+-|\.md$/g, ""));

describe.skipIf(whyNot)("the page of lessons", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it("a student opens a lesson, gives a wrong answer, takes a hint, and solves it", async () => {
    const { page, errors, close } = await lab.open("#/lesson");
    await page.getByRole("link", { name: /One guest store/ }).click();
    await page.getByRole("heading", { level: 1, name: "One guest store" }).waitFor();
    await page
      .getByText(/instruction \d+/)
      .first()
      .waitFor();
    const exercise = page.locator("vx-exercise").first();
    await exercise.getByRole("textbox").fill("many");
    await exercise.getByRole("button", { name: "Check" }).click();
    await exercise.getByText('"many" is not a number').waitFor();
    await exercise.getByRole("textbox").fill("820");
    await page.keyboard.press("Enter");
    await exercise.getByText("Not yet.").waitFor();
    await exercise.getByRole("button", { name: "Show a hint" }).click();
    await exercise.getByText("exits by their reason").waitFor();
    // The machine beside the text has the number.
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("The guest has ended: poweroff").waitFor();
    await page.getByRole("tab", { name: "Counts" }).click();
    const row = page
      .locator("vx-counts")
      .getByRole("row", { name: /EPT.?VIOLATION/i })
      .first();
    await expect.poll(() => row.textContent()).toContain("77");
    await exercise.getByRole("textbox").fill("77");
    await page.keyboard.press("Enter");
    await exercise.getByText("Right.").waitFor();
    // It is kept: after a reload, and in the list.
    await page.reload();
    await page.locator("vx-exercise[solved]").waitFor();
    await page.getByRole("link", { name: /All lessons/ }).click();
    await page.getByText("1 of 2 exercises solved").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("what is played beside the text answers the exercise about it", async () => {
    const { page, errors, close } = await lab.open("#/lesson/the-unmap-window");
    await page.getByRole("button", { name: "Play the scheduler" }).click();
    await page.locator('button[data-actor="guest0"]').waitFor();
    for (const key of "111222222222211") await page.keyboard.press(key);
    await page.getByText("You broke it in 15 steps.").waitFor();
    const exercise = page.locator("vx-exercise").first();
    await expect.poll(() => exercise.getByRole("textbox").inputValue()).toBe("guest0*3 toolstack*10 guest0*2");
    await exercise.getByRole("button", { name: "Check" }).click();
    await exercise.getByText("Right.").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("a claim shows its check, and the check holds here, too", async () => {
    const { page, errors, close } = await lab.open("#/lesson/copy-on-write");
    await page.getByRole("button", { name: "How this is checked: copy" }).click();
    await page.getByRole("button", { name: "Run this check here" }).click();
    await page.getByText("✓ holds").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("a machine of a lesson is stepped back and forth, and another one is shown when the text asks for it", async () => {
    const { page, errors, close } = await lab.open("#/lesson/misconfiguration");
    await page.getByText("instruction 1,000", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await page.getByText("instruction 1,001", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await page.getByText("instruction 1,000", { exact: true }).waitFor();
    await page.goto(`${lab.address}#/lesson/prove-a-fix`);
    await page.getByRole("button", { name: /Show it beside the text: Race lost-wakeup, fixed/ }).click();
    await page.locator("vx-explore-panel").getByRole("button", { name: "Explore" }).click();
    await page.getByText("Proved: all 169 states explored: no violation").waitFor();
    await page.waitForFunction(() => location.hash.includes("live=1"));
    expect(errors).toEqual([]);
    await close();
  });

  it("the teacher's notes are shown when asked for, and the address keeps them", async () => {
    const { page, errors, close } = await lab.open("#/lesson/paging");
    await page.getByRole("button", { name: "Show teacher's notes" }).click();
    await page.getByRole("heading", { name: "Teacher's notes" }).waitFor();
    await page.waitForLoadState("networkidle");
    await page.reload();
    await page.getByRole("heading", { name: "Teacher's notes" }).waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("all lessons open, one after the other by their links, without an error", async () => {
    const { page, errors, close } = await lab.open(`#/lesson/${LESSONS[0]!}`);
    for (const [i] of LESSONS.entries()) {
      await page.getByText(`Lesson ${i + 1} of ${LESSONS.length}`).waitFor();
      await page.locator("vx-lesson-machine .phase, vx-race-stage .bar").first().waitFor();
      if (i < LESSONS.length - 1) await page.getByRole("link", { name: /^Next:/ }).click();
    }
    expect(errors).toEqual([]);
    await close();
  });

  it("a lesson that does not exist is told, with the one that was meant", async () => {
    const { page, errors, close } = await lab.open("#/lesson/copy-on-wrote");
    await page.getByRole("alert").filter({ hasText: "did you mean copy-on-write?" }).waitFor();
    expect(errors).toEqual([]);
    await close();
  });
});
