/** The deduplicator: finds equal pages, loses no write, and several copies fit where one and a half would. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { main } from "../../host/cli/program.ts";
import { frameAddress } from "../../host/lib/core.ts";
import { runCopies } from "../../host/lib/dedup/copies.ts";
import { createDeduplicator } from "../../host/lib/dedup/deduplicator.ts";
import { frameOf, hashFrame, isEqualFrame, visitPages } from "../../host/lib/dedup/pages.ts";
import { UsageError } from "../../host/lib/errors.ts";
import type { DomId } from "../../host/lib/ids.ts";
import type { GuestImage } from "../../host/lib/loader/image.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import { domainCreate, domainDestroy, domainMaxMem, domainMaxVcpus } from "../../host/lib/toolstack/domctl.ts";
import { readGuest, writeGuest } from "../../host/lib/toolstack/foreign.ts";
import { populateAll } from "../../host/lib/toolstack/memory.ts";
import { sharersOf, sharingAudit, sharingCounts } from "../../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const debug = compileBuild("debug");
const release = compileBuild("release");
let image: GuestImage;
beforeAll(async () => {
  image = (await openGuest("cow", false)).image;
});

function machineWith(domains: number, pages: number): { machine: Machine; domids: DomId[] } {
  const machine = createMachine(debug, { memoryBytes: 8 * 2 ** 20, knobs: { "p2m.superpages": 1 } });
  const domids = Array.from({ length: domains }, () => {
    const domid = domainCreate(machine.dom0, 1);
    domainMaxVcpus(machine.dom0, domid, 1);
    domainMaxMem(machine.dom0, domid, 4096);
    populateAll(
      machine.dom0,
      domid,
      Array.from({ length: pages }, (_, i) => i),
      "RAM",
    );
    return domid;
  });
  return { machine, domids };
}

describe("pages", () => {
  it("are listed with their frames and types, superpages one by one", () => {
    const { machine, domids } = machineWith(1, 16);
    const seen: number[] = [];
    visitPages(machine.core, domids[0]!, (gfn, mfn, type) => {
      seen.push(gfn);
      expect([mfn, type]).toEqual([frameOf(machine.core, domids[0]!, gfn), 0]);
    });
    expect(seen).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(frameOf(machine.core, domids[0]!, 100)).toBe(0);
    expect(frameOf(machine.core, 99 as DomId, 0)).toBe(0);
  });
  it("are equal when every byte is, and equal pages hash alike", () => {
    const { machine, domids } = machineWith(1, 4);
    const { core } = machine;
    const [a, b] = [0, 1].map((gfn) => frameOf(core, domids[0]!, gfn)) as [number, number];
    expect(isEqualFrame(core, a, b)).toBe(true);
    expect(hashFrame(core, a)).toBe(hashFrame(core, b));
    for (const offset of [0, 5, 2047, 4095]) {
      core.u8[frameAddress(b, offset)] = 1;
      expect(isEqualFrame(core, a, b)).toBe(false);
      expect(hashFrame(core, a)).not.toBe(hashFrame(core, b));
      core.u8[frameAddress(b, offset)] = 0;
    }
  });
});

describe("a scan", () => {
  it("shares equal pages of several guests and leaves the others", () => {
    const { machine, domids } = machineWith(3, 8);
    const { dom0, window } = machine;
    for (const domid of domids) writeGuest(dom0, window, domid, 0x1000, new Uint8Array([domid]));
    const dedup = createDeduplicator(dom0);
    const result = dedup.scan(domids);
    expect(result).toEqual({ scanned: 24, shared: 20, refused: 0 });
    expect(sharingCounts(dom0)).toEqual({ freedPages: 20, usedFrames: 1 });
    for (const domid of domids) expect([...readGuest(dom0, window, domid, 0x1000, 1)]).toEqual([domid]);
    expect(sharingAudit(dom0)).toBe(0);
  });
  it("goes on after writes: what became equal again is shared again", () => {
    const { machine, domids } = machineWith(2, 4);
    const { dom0, window } = machine;
    const dedup = createDeduplicator(dom0);
    dedup.scan(domids);
    for (const domid of domids) writeGuest(dom0, window, domid, 0x2000, new Uint8Array([7]));
    expect(sharingCounts(dom0)).toEqual({ freedPages: 5, usedFrames: 1 });
    expect(dedup.scan(domids).shared).toBe(1);
    expect(sharingCounts(dom0)).toEqual({ freedPages: 6, usedFrames: 2 });
  });
  it("finds another source when the first one is written, or its domain goes", () => {
    const { machine, domids } = machineWith(3, 2);
    const { dom0, window } = machine;
    const dedup = createDeduplicator(dom0);
    dedup.scan(domids.slice(0, 2));
    writeGuest(dom0, window, domids[0]!, 0, new Uint8Array([1])); // the source of the group
    expect(dedup.scan([domids[2]!]).shared).toBe(2);
    domainDestroy(dom0, domids[1]!);
    dedup.forget(domids[1]!);
    writeGuest(dom0, window, domids[2]!, 0, new Uint8Array([0]));
    expect(dedup.scan(domids.slice(2)).shared).toBe(1);
    expect(sharingAudit(dom0)).toBe(0);
  });
  it("keeps to a number of sharers for each frame", () => {
    const { machine, domids } = machineWith(2, 16);
    createDeduplicator(machine.dom0, { maxSharers: 8 }).scan(domids);
    expect(sharersOf(machine.dom0, { domid: domids[0]!, gfn: 0 })).toBe(8);
    expect(sharingCounts(machine.dom0)).toEqual({ freedPages: 28, usedFrames: 4 });
  });
  it("leaves pages alone that are mapped", () => {
    const { machine, domids } = machineWith(1, 4);
    const dedup = createDeduplicator(machine.dom0);
    expect(dedup.scan(domids).refused).toBe(0);
    expect(dedup.scan([0 as DomId].slice(1))).toEqual({ scanned: 0, shared: 0, refused: 0 });
  });
});

describe("copies of a guest", () => {
  const options = {
    cmdline: "",
    vcpus: 1,
    memoryBytes: 40 * 2 ** 20,
    slice: 300_000,
    maxInstructions: 20_000_000,
  };
  it("run where their memory would not fit, each with its output", () => {
    const run = runCopies(release, { ...options, image, copies: 3, machineBytes: 64 * 2 ** 20 });
    using machine = run.machine;
    expect(run.outcomes).toEqual(["poweroff", "poweroff", "poweroff"]);
    expect(run.outputs[0]).toContain("round 0000000F sum 1E008200\n");
    expect(run.outputsEqual).toBe(true);
    expect(run.guestPages).toBe(3 * 10_240);
    expect(run.framesUsed).toBeLessThan(16_384);
    expect(run.freedPages).toBeGreaterThan(20_000);
    expect(run.unshares).toBeGreaterThan(500);
    expect(machine.core.frameCount).toBe(16_384);
  }, 60_000);
  it("a machine that cannot hold one is wrong usage", () => {
    expect(() => runCopies(release, { ...options, image, copies: 1, machineBytes: 32 * 2 ** 20 })).toThrow(UsageError);
  });
});

it("a snapshot holds what is shared: back from writes, the same state, and on from there alike", () => {
  const { machine, domids } = machineWith(2, 8);
  const { dom0, window } = machine;
  createDeduplicator(dom0).scan(domids);
  const saved = machine.snapshot();
  const before = machine.stateHash();
  const write = (): string => {
    writeGuest(dom0, window, domids[0]!, 0x3000, new Uint8Array([9]));
    return machine.stateHash();
  };
  const after = write();
  expect(after).not.toBe(before);
  machine.restore(saved);
  expect(machine.stateHash()).toBe(before);
  expect(write()).toBe(after);
  expect(sharingAudit(dom0)).toBe(0);
});

describe("vmexit dedup", () => {
  async function vmexit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = "";
    let err = "";
    const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += String(text);
      return true;
    });
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      err += String(text);
      return true;
    });
    try {
      return { code: await main(["dedup", ...args]), out, err: err };
    } finally {
      stdout.mockRestore();
      stderr.mockRestore();
    }
  }
  it("prints one JSON object, and nothing else", async () => {
    const { code, out, err } = await vmexit("hello", "--copies", "3", "--memory", "8M", "--machine", "24M", "--json");
    expect([code, err]).toEqual([0, ""]);
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual([
      "copies",
      "guestPages",
      "framesUsed",
      "freedPages",
      "usedFrames",
      "unshares",
      "outputsEqual",
    ]);
    expect(report).toMatchObject({ copies: 3, guestPages: 6144, outputsEqual: true });
  });
  it("says what is wrong and what to do", async () => {
    expect(await vmexit("hello", "--copies", "0")).toMatchObject({ code: 2, err: expect.stringContaining("--copies") });
    expect(await vmexit("nobody")).toMatchObject({ code: 2 });
    expect(await vmexit("hello", "--machine", "16M")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--machine"),
    });
  });
});
