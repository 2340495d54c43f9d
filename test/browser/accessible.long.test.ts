/** For everyone: nothing serious for a checker, in light and dark, on a projector and on a phone; the keyboard reaches everything. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VIEWS } from "../../host/web/model/url-state.ts";
import { type Lab, openLab, standing, whyNot } from "./chromium.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary: string }[];
}

describe.skipIf(whyNot)("everyone can use the page", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  async function seriousProblems(hash: string, colorScheme: "light" | "dark", width = 1280): Promise<string[]> {
    const { page, errors, close } = await lab.open(hash, { colorScheme, viewport: { width, height: 720 } });
    if (/guest=(demo|mmio)/.test(hash)) await standing(page);
    else await page.locator("[role=alert], vmexit-machine li").first().waitFor();
    await page.waitForTimeout(800); // the view's module, the disassembler
    await page.evaluate(axe);
    const violations = (await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: unknown }> } };
      return (await axe.run()).violations;
    })) as Violation[];
    await close();
    expect(errors).toEqual([]);
    return violations
      .filter((v) => v.impact === "serious" || v.impact === "critical")
      .flatMap((v) => v.nodes.map((n) => `${v.id}: ${JSON.stringify(n.target)} ${n.failureSummary}`));
  }

  describe.each(["light", "dark"] as const)("%s", (scheme) => {
    it.each([...VIEWS])("the view %s", async (view) => {
      expect(await seriousProblems(`#/machine?guest=demo&at=925&view=${view}`, scheme)).toEqual([]);
    });

    it.each([
      ["two machines", "#/machine?guest=mmio&at=500&view=counts&versus=device.at=core"],
      ["a broken link", "#/machine?guest=nope&at=x"],
      ["an unknown place", "#/nowhere"],
      ["the embedding page", "embed.html"],
    ])("%s", async (_name, hash) => {
      expect(await seriousProblems(hash, scheme)).toEqual([]);
    });

    it("a phone", async () => {
      expect(await seriousProblems("#/machine?guest=demo&at=1057", scheme, 390)).toEqual([]);
    });
  });

  it.each([1280, 390])("nothing is wider than a screen of %i pixels", async (width) => {
    for (const view of VIEWS) {
      const { page, close } = await lab.open(`#/machine?guest=demo&at=925&view=${view}`, {
        viewport: { width, height: 720 },
      });
      await standing(page);
      await page.waitForTimeout(500);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect([view, wide]).toEqual([view, width]);
      await close();
    }
  });

  it("the keyboard reaches every command, the tabs, the picture and the timeline, and focus can be seen", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=demo&at=1057&view=map");
    await standing(page);
    await page.locator("vx-p2m-map .segment").first().waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => {
        let at: Element | null = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        if (!at || at === document.body) return undefined;
        const style = getComputedStyle(at);
        const isSeen =
          style.outlineStyle !== "none" || at.querySelector("rect") !== null || at.localName === "textarea";
        return { name: at.getAttribute("aria-label") ?? at.textContent?.trim().slice(0, 20) ?? "", isSeen };
      });
      if (!here) break;
      expect(here).toMatchObject({ isSeen: true });
      reached.push(here.name);
    }
    const all = reached.join("|");
    for (const name of [
      "Skip to",
      "Lessons",
      "Colours",
      "Guest",
      "Open file",
      "Step",
      "Inside",
      "Run",
      "Copy link",
      "Save picture",
      "p2m map",
      "gfn 0x0",
      "Timeline of exits",
    ])
      expect(all).toContain(name);
    expect(errors).toEqual([]);
    await close();
  });

  it("arrow keys move in the tabs, in the tree and in the timeline", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=demo&at=1057&view=tree&gpa=0x100000");
    await standing(page);
    await page.locator("vx-p2m-tree .table").nth(2).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => location.hash.includes("gpa=0x200000"));
    await page.getByRole("slider").focus();
    await page.keyboard.press("Shift+ArrowLeft");
    await page.waitForFunction(() => !location.hash.includes("at=1057"));
    await page.getByRole("tab", { name: "Tree" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => location.hash.includes("view=entry"));
    expect(errors).toEqual([]);
    await close();
  });

  it("without motion nothing moves", async () => {
    const { page, close } = await lab.open("#/machine?guest=demo&at=1057", { reducedMotion: "reduce" });
    await standing(page);
    const times = await page.evaluate(() => {
      const path = document
        .querySelector("vx-app")!
        .shadowRoot!.querySelector("vx-machine-page")!
        .shadowRoot!.querySelector("vx-path")!;
      return getComputedStyle(path.shadowRoot!.querySelector("li")!).transitionDuration;
    });
    expect(times).toBe("0s");
    await close();
  });
});
