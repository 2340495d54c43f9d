/** A worker that dies takes nothing with it: the page says so and brings another one to the same place, wherever there is a worker. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lab, openLab, whyNot } from "./chromium.ts";

interface Killing {
  readonly workers: Map<string, Worker>;
}

/** Runs in the page: keeps its workers, the last one of each name, so that one can end as in a browser that runs out of memory. */
function keepWorkers(): void {
  const Real = globalThis.Worker;
  const workers = new Map<string, Worker>();
  Object.assign(globalThis, { workers });
  globalThis.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      workers.set(options?.name ?? "", this);
    }
  };
}

const kill = (page: Page, name: string): Promise<void> =>
  page.evaluate((wanted) => {
    const worker = (globalThis as unknown as Killing).workers.get(wanted);
    if (!worker) throw new Error(`no worker ${wanted}`);
    worker.dispatchEvent(new ErrorEvent("error", { message: "out of memory" }));
  }, name);

const SOON = { timeout: 20_000 };

describe.skipIf(whyNot)("a worker that dies", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it("in a race that is played: keys change nothing until it is started again, then the play goes on", async () => {
    const { page, errors, close } = await lab.open(
      "#/race/ioreq-unmap-window?variant=early-null&mode=play&steps=000111",
      {},
      keepWorkers,
    );
    const position = page.locator("vx-race-stage .position");
    await expect.poll(() => position.textContent(), SOON).toBe("step 6 of 6");
    await kill(page, "vmexit race");
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: "out of memory" }).waitFor();
    for (const key of ["1", "Backspace", "2"]) await page.keyboard.press(key);
    await page.waitForTimeout(500);
    expect(await alert.count()).toBe(1);
    expect(await position.textContent()).toBe("step 6 of 6");
    await page.getByRole("button", { name: "Start the worker again" }).click();
    await alert.waitFor({ state: "detached" });
    await page.keyboard.press("1");
    await expect.poll(() => position.textContent(), SOON).toBe("step 7 of 7");
    expect(errors).toEqual([]);
    await close();
  });

  it("beside a lesson: the machine comes back to where it was", async () => {
    const { page, errors, close } = await lab.open("#/lesson/01-one-guest-store", {}, keepWorkers);
    const phase = page.locator("vx-lesson-machine .phase");
    await expect.poll(() => phase.textContent(), SOON).toBe("instruction 14");
    // The first one is carried out by the hypervisor: it is a step, and no instruction retires.
    for (let i = 0; i < 2; i++) await page.getByRole("button", { name: "Step", exact: true }).click();
    await expect.poll(() => phase.textContent(), SOON).toBe("instruction 15");
    await kill(page, "vmexit machine");
    await page.getByRole("alert").filter({ hasText: "out of memory" }).waitFor();
    await page.getByRole("button", { name: "Start it again here" }).click();
    await expect.poll(() => phase.textContent(), SOON).toBe("instruction 15");
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  it("of the lessons: the text stays, and the next check starts another one", async () => {
    const { page, errors, close } = await lab.open("#/lesson/01-one-guest-store", {}, keepWorkers);
    await expect.poll(() => page.locator("vx-lesson-machine .phase").textContent(), SOON).toBe("instruction 14");
    await kill(page, "vmexit lessons");
    await page.getByRole("alert").filter({ hasText: "your answers are kept" }).waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("One guest store");
    await page.locator("article button", { hasText: "✓" }).first().click();
    await page.getByRole("button", { name: "Run this check here" }).click();
    await page.getByRole("status").filter({ hasText: "✓ holds" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  it("of an embedded machine: it can be started again in its place", async () => {
    const { page, errors, close } = await lab.open("embed.html", {}, keepWorkers);
    await page.getByText("demo, instruction 925: Stopped").first().waitFor();
    await kill(page, "vmexit machine");
    await page.getByRole("button", { name: "Start it again here" }).first().click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText("demo, instruction 925: Stopped").first().waitFor();
    expect(errors).toEqual([]);
    await close();
  });
});
