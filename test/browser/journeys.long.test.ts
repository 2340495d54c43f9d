/** What a teacher does with the page, in a real browser: run, step, go back, share, and what happens when something is wrong. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { LAB, type Lab, openLab, standing, whyNot } from "./chromium.ts";

describe.skipIf(whyNot)("the page of a machine", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  it("a teacher runs, steps, goes back, shares the link, and the link gives the same state", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=mmio&view=counts");
    expect(await standing(page)).toEqual({ at: 0, phase: "ready" });
    await page.getByLabel("Instruction", { exact: true }).fill("500");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("at=500"));
    expect((await standing(page)).at).toBe(500);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await page.waitForFunction(() => location.hash.includes("at=501"));
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await page.waitForFunction(() => location.hash.includes("at=500"));
    await page.keyboard.press(".");
    await page.waitForFunction(() => location.hash.includes("at=501"));
    const hashes = page.locator("vx-counts p.soft");
    const here = (await hashes.textContent()) ?? "";
    const link = page.url();

    const other = await lab.open(new URL(link).hash);
    expect((await standing(other.page)).at).toBe(501);
    await expect.poll(() => other.page.locator("vx-counts p.soft").textContent()).toBe(here);
    expect(here).toContain(await hashesInNode("mmio", 501));

    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForFunction(() => location.hash.includes("at=7355"));
    expect((await standing(page)).phase).toBe("ended");
    expect([...errors, ...other.errors]).toEqual([]);
    await other.close();
    await close();
  });

  /** The state hash that Node has at the same place: the page shows the same machine. */
  async function hashesInNode(name: string, at: number): Promise<string> {
    const image = loadImage((await loadGuest(name)).build());
    if (!image.ok) throw new Error(image.problem);
    const memoryBytes = 64 * 2 ** 20;
    using machine = createMachine(compileBuild("release"), { memoryBytes, vcpus: 8 });
    machine.createGuest({ image: image.value, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
    machine.advance({ instructions: at });
    return machine.stateHash();
  }

  it("the ten steps light up one after the other inside one store", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=mmio&at=18");
    await standing(page);
    const lit = page.locator("vx-path li.taken");
    await page.getByRole("button", { name: "Inside", exact: true }).click();
    await expect.poll(() => page.locator("vx-path li.waiting").count()).toBe(1);
    const sent = await lit.count();
    await page.getByRole("tab", { name: "ioreq" }).click();
    await expect.poll(() => page.getByRole("img", { name: "The slot of vCPU 0 is READY" }).count()).toBe(1);
    await page.keyboard.press("i");
    await expect.poll(() => page.getByRole("img", { name: "The slot of vCPU 0 is RESP_READY" }).count()).toBe(1);
    await page.getByRole("tab", { name: "Path" }).click();
    await page.keyboard.press("i");
    await expect.poll(() => page.locator("vx-path li.waiting").count()).toBe(0);
    expect(await lit.count()).toBeGreaterThan(sent);
    expect(errors).toEqual([]);
    await close();
  });

  it("a guest that never stops leaves the page responsive, and can be paused", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=hello");
    await standing(page);
    const loop = endlessGuest(await readGuestFile("hello"));
    await page
      .locator("vx-toolbar #file")
      .setInputFiles({ name: "loop.elf", mimeType: "application/octet-stream", buffer: loop });
    await page.waitForFunction(() => location.hash.includes("file=loop.elf"));
    await standing(page);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    const frames = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let n = 0;
          const end = performance.now() + 1000;
          const count = (): void => {
            n++;
            if (performance.now() < end) requestAnimationFrame(count);
            else resolve(n);
          };
          requestAnimationFrame(count);
        }),
    );
    expect(frames).toBeGreaterThan(5);
    await page.getByRole("tab", { name: "Memory" }).click(); // views answer meanwhile
    await page.locator("vx-memory table").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    expect((await standing(page)).phase).toBe("ready");
    expect((await standing(page)).at).toBeGreaterThan(100_000);
    expect(errors).toEqual([]);
    await close();
  });

  it("a worker that dies: the page says so, and brings a new one to the same place with what was typed", async () => {
    const { page, close } = await lab.open("#/machine?guest=mmio&at=700");
    await standing(page);
    await page.locator("vx-console textarea").focus();
    await page.keyboard.type("x");
    await page.waitForFunction(() => location.hash.includes("typed="));
    const before = page.url();
    await page.evaluate(() => {
      const machine = document.querySelector("vx-app")!.shadowRoot!.querySelector("vx-machine-page");
      (machine as unknown as { controller: { loseWorker(): void } }).controller.loseWorker();
    });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("Nothing you typed is lost");
    await page.getByRole("button", { name: "Start it again here" }).click();
    expect(await standing(page)).toEqual({ at: 700, phase: "ready" });
    expect(page.url()).toBe(before);
    await close();
  });

  it.each([
    ["#/machine?guest=nope", 'no guest "nope"'],
    ["#/machine?guest=hello&at=abc", "at=abc is not a whole number"],
    ["#/machine?guest=hello&knob=tlb.entries=3", "power of two"],
    ["#/machine?guest=hello&v=9", "version 9"],
    ["#/machine?guest=hello&at=99999999", "ended or waits before that"],
    ["#/machine?file=my.elf&sha=00", 'needs the file "my.elf"'],
    ["#/nowhere", "does not exist"],
  ])("a broken link says what is wrong: %s", async (hash, message) => {
    const { page, errors, close } = await lab.open(hash);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    await expect.poll(() => alert.textContent()).toContain(message);
    expect(errors).toEqual([]);
    await close();
  });

  it("a file that is no guest says what it is, and the machine before it stays", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=mmio&at=300");
    await standing(page);
    const file = { name: "notes.gz", mimeType: "application/gzip", buffer: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]) };
    await page.locator("vx-toolbar #file").setInputFiles(file);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("gzip file: unpack it first");
    expect((await standing(page)).phase).toBe("ready");
    expect(errors).toEqual([]);
    await close();
  });

  it("two machines side by side differ in one knob", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=mmio&at=2000&view=counts&versus=device.at=core");
    await standing(page);
    const rows = page.locator("vx-counts .columns");
    await expect.poll(() => rows.count()).toBe(2);
    await expect.poll(() => rows.nth(0).textContent()).toContain("request");
    await expect.poll(() => rows.nth(1).textContent()).toContain("vmExit");
    expect(await rows.nth(1).getByRole("cell", { name: "request", exact: true }).count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  it("the embedded element shows live machines in a plain page", async () => {
    const { page, errors, close } = await lab.open("embed.html");
    await page.locator("vmexit-machine vx-path li").first().waitFor();
    await page.locator("vmexit-machine").nth(1).scrollIntoViewIfNeeded();
    await page.locator("vmexit-machine vx-p2m-tree svg").waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  it("every view can be saved as SVG and as PNG", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=demo&at=1000");
    await standing(page);
    for (const view of ["Path", "p2m map", "Tree", "Entry", "TLB", "ioreq", "Memory", "Domains", "Knobs", "Counts"]) {
      await page.getByRole("tab", { name: view }).click();
      await page.waitForTimeout(300);
      for (const kind of ["svg", "png"] as const) {
        const download = page.waitForEvent("download");
        await page.getByLabel("Save picture").selectOption(`${kind} view`);
        const saved = readFileSync(await (await download).path());
        if (kind === "png") expect([...saved.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
        else expect(saved.toString()).toMatch(/^<svg xmlns[\s\S]*<text[\s\S]*<\/svg>$/);
        expect(saved.length).toBeGreaterThan(1500);
      }
    }
    const download = page.waitForEvent("download");
    await page.getByLabel("Save picture").selectOption("svg page");
    const whole = readFileSync(await (await download).path(), "utf8");
    expect(whole).toContain("<image"); // the timeline
    expect(whole).toContain("A store to RAM"); // the console
    expect(errors).toEqual([]);
    await close();
  });

  it("from exit to exit, and back", async () => {
    const { page, errors, close } = await lab.open("#/machine?guest=mmio");
    await standing(page);
    const kind = page.locator("vx-path li.taken .evidence", { hasText: "exit reason" });
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      const before = page.url();
      await page.keyboard.press("e");
      await page.waitForFunction((url) => location.href !== url, before);
      await standing(page);
      await kind.waitFor();
      seen.push(page.url());
    }
    await page.keyboard.press("E");
    await page.waitForFunction((url) => location.href === url, seen[2]!);
    expect(new Set(seen).size).toBe(4);
    expect(errors).toEqual([]);
    await close();
  });
});

async function readGuestFile(name: string): Promise<Buffer> {
  return Buffer.from((await loadGuest(name)).build());
}

/** The guest with its first instruction replaced by a jump to itself. */
function endlessGuest(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  const entry = copy.readUInt32LE(24);
  const headers = copy.readUInt32LE(28);
  for (let i = 0; i < copy.readUInt16LE(44); i++) {
    const at = headers + i * 32;
    const [type, offset, , physical, size] = [0, 4, 8, 12, 16].map((o) => copy.readUInt32LE(at + o)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (type !== 1 || entry < physical || entry >= physical + size) continue;
    copy.writeUInt16LE(0xfeeb, offset + entry - physical);
    return copy;
  }
  throw new Error("no segment holds the entry");
}

it.skipIf(whyNot)("the folder is complete: nothing in it names a place outside", () => {
  const html = readFileSync(join(LAB, "index.html"), "utf8");
  for (const [, address] of html.matchAll(/(?:src|href)="([^"]+)"/g)) expect(address).toMatch(/^(\.\/|data:)/);
});
