/** Log-dirty mode by page-modification logging (spec 01 sections 1.1 and 1.9): the same bitmap as by write faults, with few exits. */
import { describe, expect, it } from "vitest";
import { type Instruction, jump, load32, store32 } from "../../host/lib/explore/code.ts";
import { CTR_EXITS, CTR_LOGDIRTY_FAULTS } from "../../hv-core/abi/counters.ts";
import { ENOMEM } from "../../hv-core/abi/errno.ts";
import { EXIT_EPT_VIOLATION, EXIT_PML_FULL } from "../../hv-core/abi/exits.ts";
import {
  DOMCTL_SHADOW_OP,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_OFF,
  SHADOW_OP_PEEK,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_PML } from "../../hv-core/abi/knobs.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import { CODE, Guest } from "../vm-event/listener.ts";
import { OUT } from "./door.ts";

const DATA = 0x4000;
const FAR = 0x400;
/** Pages beyond the first ones, for a guest that writes to many: more than a log holds. */
const MANY = 700;

const counter = (guest: Guest, index: number): number =>
  Number(guest.door.view.getBigUint64(COUNTERS_BASE + index * 8, true));
const exits = (guest: Guest, reason: number): number => counter(guest, CTR_EXITS + reason);
const shadow = (guest: Guest, op: number, pages = 0): number =>
  guest.door.domctl(DOMCTL_SHADOW_OP, guest.domid, [
    [0, 4, op],
    [16, 8, pages === 0 ? 0 : OUT],
    [24, 8, pages],
  ]);
/** gfns that the bitmap says are dirty. */
function dirty(guest: Guest, op: number, pages = 2048): number[] {
  expect(shadow(guest, op, pages)).toBe(0);
  const at = guest.door.at(OUT);
  const gfns = [];
  for (let gfn = 0; gfn < pages; gfn++)
    if ((guest.door.view.getUint8(at + (gfn >> 3)) >> (gfn & 7)) & 1) gfns.push(gfn);
  return gfns;
}
const start = (pml: number, body: readonly Instruction[], others: readonly (readonly Instruction[])[] = []): Guest =>
  new Guest({ body, others, knobs: [[KNOB_PML, pml]] });

describe("with the log", () => {
  const BODY = [load32(0x6000), store32(DATA, 1), store32(DATA + 4, 2), store32(0x5000, 3)];

  it("a tracked page of 4 KiB is writable and not dirty; its first write is logged without an exit", () => {
    const guest = start(1, BODY);
    expect(shadow(guest, SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    const before = exits(guest, EXIT_EPT_VIOLATION);
    guest.run();
    expect([guest.isDone(), exits(guest, EXIT_EPT_VIOLATION) - before, counter(guest, CTR_LOGDIRTY_FAULTS)]).toEqual([
      true,
      0,
      0,
    ]);
    const [read, written] = [guest.entryOf(6), guest.entryOf(4)];
    expect([read.type, read.rights, read.dirty]).toEqual(["ram_logdirty", "rwx", false]);
    expect([written.type, written.rights, written.dirty]).toEqual(["ram_logdirty", "rwx", true]); // until the log is read
    expect(guest.door.core.p2mInvariants(guest.domid)).toBe(0);
    expect(dirty(guest, SHADOW_OP_PEEK)).toEqual([4, 5]);
    expect(guest.type(4)).toBe("ram_rw");
    expect(guest.door.core.p2mInvariants(guest.domid)).toBe(0);
  });

  it("CLEAN tracks again: what is written later is logged anew", () => {
    const guest = start(1, [...BODY, store32(0x7000, 1), store32(DATA, 5), jump(CODE + 55, CODE)]);
    shadow(guest, SHADOW_OP_ENABLE_LOGDIRTY);
    guest.run(4);
    dirty(guest, SHADOW_OP_CLEAN);
    guest.run(20_000);
    expect(dirty(guest, SHADOW_OP_CLEAN)).toEqual([4, 5, 7]);
  });

  it("every vCPU has a log of its own", () => {
    const guest = start(1, [store32(DATA, 1)], [[store32(DATA, 2), store32(0x8000, 2)]]);
    shadow(guest, SHADOW_OP_ENABLE_LOGDIRTY);
    guest.run(40_000);
    expect(dirty(guest, SHADOW_OP_PEEK)).toEqual([4, 8]);
  });

  it("ends with the mode, and its frames go back", () => {
    const guest = start(1, BODY);
    const free = guest.door.freeFrames();
    shadow(guest, SHADOW_OP_ENABLE_LOGDIRTY);
    guest.run();
    expect(shadow(guest, SHADOW_OP_OFF)).toBe(0);
    guest.run();
    expect(guest.door.freeFrames()).toBe(free);
    expect([guest.type(4), guest.door.core.p2mInvariants(guest.domid)]).toEqual(["ram_rw", 0]);
    expect(shadow(guest, SHADOW_OP_PEEK, 2048)).not.toBe(-ENOMEM);
  });
});

describe("many pages", () => {
  /** mov edi, FAR << 12; mov ecx, MANY; l: mov [edi], ecx; add edi, 0x1000; dec ecx; jnz l */
  const sweep: Instruction = {
    bytes: [
      0xbf,
      0,
      0,
      0x40,
      0,
      0xb9,
      MANY & 255,
      MANY >> 8,
      0,
      0,
      0x89,
      0x0f,
      0x81,
      0xc7,
      0,
      0x10,
      0,
      0,
      0x49,
      0x75,
      0xf5,
    ],
    text: "writes to many pages",
  };
  const run = (pml: number): Guest => {
    const guest = start(pml, [sweep]);
    guest.door.domctl(11, guest.domid, [[0, 8, 16 << 10]]);
    guest.door.populate(
      guest.domid,
      Array.from({ length: MANY }, (_, i) => FAR + i),
    );
    expect(shadow(guest, SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    guest.run(20_000);
    expect(guest.isDone()).toBe(true);
    return guest;
  };

  it("a full log is an exit, and nothing is lost", () => {
    const logged = run(1);
    const faulted = run(0);
    const [a, b] = [logged, faulted].map((guest) => dirty(guest, SHADOW_OP_PEEK));
    expect(a!.length).toBe(MANY);
    expect(a).toEqual(b);
    expect([exits(logged, EXIT_PML_FULL), counter(logged, CTR_LOGDIRTY_FAULTS)]).toEqual([1, 0]);
    expect([exits(faulted, EXIT_PML_FULL), counter(faulted, CTR_LOGDIRTY_FAULTS)]).toEqual([0, MANY]);
    expect(logged.door.core.p2mInvariants(logged.domid)).toBe(0);
  });
});
