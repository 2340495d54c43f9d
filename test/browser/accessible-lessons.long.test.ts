/** For everyone, races and lessons: nothing serious for a checker, light and dark, projector and phone; the keyboard alone is enough. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, openLab, whyNot } from "./chromium.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary: string }[];
}

/** What is looked at, and what is there when it is ready. */
const VIEWS: readonly (readonly [name: string, hash: string, ready: string])[] = [
  ["the list of races", "#/race", "58 races|races"],
  ["a film", "#/race/ioreq-unmap-window?variant=early-null&mode=film&at=9", "State after step 9"],
  ["the end of a film", "#/race/ioreq-unmap-window?variant=early-null&mode=film&at=15", "Broken: every-write-once"],
  ["playing", "#/race/ioreq-unmap-window?variant=fixed&mode=play&steps=0001111", "Who moves next?"],
  ["exploring", "#/race/ioreq-unmap-window?variant=fixed&mode=explore", "Seconds at most"],
  ["a broken link", "#/race/nothing", "no race is called"],
  ["the list of lessons", "#/lesson", "One guest store"],
  ["a lesson with a machine", "#/lesson/one-guest-store?notes=1", "Hide teacher's notes"],
  ["a lesson with a race", "#/lesson/the-unmap-window", "Lesson 4 of 12"],
];

describe.skipIf(whyNot)("everyone can use races and lessons", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  async function look(hash: string, ready: string, colorScheme: "light" | "dark", width: number): Promise<string[]> {
    const { page, errors, close } = await lab.open(hash, { colorScheme, viewport: { width, height: 720 } });
    await page.getByText(new RegExp(ready)).first().waitFor();
    await page.waitForLoadState("networkidle");
    await page.evaluate(axe);
    const findings = (await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: unknown }> } };
      return (await axe.run()).violations;
    })) as Finding[];
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    await close();
    expect(errors).toEqual([]);
    return [
      ...(wide > width ? [`the page is ${wide} pixels wide`] : []),
      ...findings
        .filter((f) => f.impact === "serious" || f.impact === "critical")
        .flatMap((f) => f.nodes.map((n) => `${f.id}: ${JSON.stringify(n.target)} ${n.failureSummary}`)),
    ];
  }

  describe.each(["light", "dark"] as const)("%s", (scheme) => {
    it.each(VIEWS)("%s", async (_, hash, ready) => {
      expect(await look(hash, ready, scheme, 1280)).toEqual([]);
    });
  });

  it.each(VIEWS)("on a phone: %s", async (_, hash, ready) => {
    expect(await look(hash, ready, "light", 390)).toEqual([]);
  });

  it("a race is found, opened and broken with the keyboard alone, and focus can be seen", async () => {
    const { page, errors, close } = await lab.open("#/race");
    await page.getByText(/\d+ races/).waitFor();
    const focus = () =>
      page.evaluate(() => {
        let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        const name = at?.getAttribute("aria-label") ?? at?.textContent?.trim() ?? "";
        return { name, isSeen: at ? getComputedStyle(at).outlineStyle !== "none" : false };
      });
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab");
      const { isSeen } = await focus();
      expect(isSeen).toBe(true);
      if (await page.getByRole("searchbox").evaluate((e) => (e.getRootNode() as ShadowRoot).activeElement === e)) break;
    }
    await page.keyboard.type("C-1 ioreq-unmap");
    await page.keyboard.press("ArrowDown");
    expect((await focus()).name).toContain("A write is lost");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Play the scheduler" }).focus();
    await page.keyboard.press("Enter");
    await page.locator('button[data-actor="guest0"]').waitFor();
    await page.keyboard.type("111222222222211");
    await page.getByText("You broke it in 15 steps.").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("without motion nothing moves", async () => {
    const { page, close } = await lab.open("#/race/lost-wakeup?mode=film&at=3", { reducedMotion: "reduce" });
    await page.getByText("State after step 3").waitFor();
    const times = await page
      .locator("vx-race-lanes")
      .evaluate((lanes) =>
        [...lanes.shadowRoot!.querySelectorAll("*")].map((e) => getComputedStyle(e).transitionDuration),
      );
    expect(new Set(times)).toEqual(new Set(["0s"]));
    await close();
  });
});
