/** What the worker reads for the views, on a real machine. */
import { describe, expect, it } from "vitest";
import { walk } from "../../host/lib/inspect.ts";
import { readCounts } from "../../host/web/worker/look/counts.ts";
import { readCpu } from "../../host/web/worker/look/cpu.ts";
import { readDomains } from "../../host/web/worker/look/domains.ts";
import { readIoreq } from "../../host/web/worker/look/ioreq.ts";
import { readMemory } from "../../host/web/worker/look/memory.ts";
import { readP2mLook, readTable, readWalk } from "../../host/web/worker/look/p2m.ts";
import { takeRecords } from "../../host/web/worker/look/records.ts";
import { readTlbs } from "../../host/web/worker/look/tlb.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { goTo, openSession } from "./session.ts";

describe("views of a running guest", () => {
  it("look at everything and change nothing", async () => {
    const session = await openSession("mmio");
    goTo(session, 1000);
    const before = session.machine.stateHash();
    expect(readCpu(session).vcpus).toHaveLength(1);
    expect(readCounts(session).stats.instructions).toBe(1000);
    expect(readDomains(session).domains.map((d) => d.domid)).toEqual([0, 1]);
    expect(readIoreq(session).servers[0]!.ranges.length).toBeGreaterThan(3);
    expect(readP2mLook(session)!.map.tables).toBeGreaterThan(3);
    expect(readTlbs(session)[0]!.entries.length).toBeGreaterThan(0);
    expect(takeRecords(session.machine.core, 0).bytes.length % 32).toBe(0);
    expect(session.machine.stateHash()).toBe(before);
  });

  it("an entry of the TLB is stale once the p2m gives fewer rights, and says so", async () => {
    const session = await openSession("mmio");
    goTo(session, 1000);
    const { core } = session.machine;
    expect(readTlbs(session)[0]!.entries.every((e) => e.staleness.kind === "fresh")).toBe(true);
    // Takes the right to write from the page of code and data, behind the TLB's back.
    const leaf = walk(core, session.domid, 0x10_0000).at(-1)!;
    const at = FRAMES_BASE + leaf.tableMfn * 4096 + leaf.index * 8;
    core.view.setBigUint64(at, core.view.getBigUint64(at, true) & ~2n, true);
    const stale = readTlbs(session)[0]!.entries.filter((e) => e.staleness.kind !== "fresh");
    expect(stale.length).toBeGreaterThan(0);
    expect(stale[0]!.staleness).toEqual({ kind: "rights", rights: "r-x" });
    core.view.setBigUint64(at, 0n, true);
    expect(readTlbs(session)[0]!.entries.some((e) => e.staleness.kind === "unmapped")).toBe(true);
  });

  it("memory without a frame is said to have none", async () => {
    const session = await openSession("mmio");
    const hole = readMemory(session, "physical", 0, 0xfe00_0000n - 8n, 16);
    expect([...hole.backed]).toEqual(new Array(16).fill(0));
    const code = readMemory(session, "physical", 0, 0x10_0000n, 16);
    expect([...code.backed]).toEqual(new Array(16).fill(1));
    expect(code.bytes).toEqual(session.machine.peek(session.domid, 0x10_0000, 16));
    expect(readMemory(session, "virtual", 0, 0x10_0000n, 16)).toEqual(code);
    expect([...readMemory(session, "virtual", 0, 0xfe00_0000n, 8).backed]).toEqual(new Array(8).fill(0));
  });

  it("a table that is none has no entries", async () => {
    const session = await openSession("mmio");
    expect(readTable(session, 10 ** 9, 4).entries).toEqual([]);
    const { steps } = readWalk(session, 0x10_0000);
    expect(readTable(session, steps[0]!.tableMfn, 4).entries.map((e) => e.index)).toContain(steps[0]!.index);
  });

  it("the trace is handed over in pieces that fit together", async () => {
    const session = await openSession("mmio");
    const whole = (): Uint8Array => takeRecords(session.machine.core, 0).bytes;
    goTo(session, 500);
    const first = takeRecords(session.machine.core, 0);
    goTo(session, 900);
    const rest = takeRecords(session.machine.core, first.first + first.bytes.length / 32);
    expect(Buffer.concat([first.bytes, rest.bytes]).equals(Buffer.from(whole()))).toBe(true);
  });
});
