/** The knobs between what Xen 4.17 does and what a processor with such memory would: N-1, N-3, N-4 and repeated instructions. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AS_FIXED,
  KNOB_EMULATE_INS,
  KNOB_EMULATE_REP,
  KNOB_EMULATE_REP_TYPED,
  KNOB_TYPE_FETCH,
} from "../../hv-core/abi/knobs.ts";
import { createGuest, type Guest, MEMORY, PORT, RAX, RCX, RDI, RDX, RSI } from "./guest.ts";

const hex = (text: string) => text.split(" ").map((byte) => Number.parseInt(byte, 16));
const M = 0xf0000000n;
const RAM = 0x200000n;
const TYPED = 0x300000n;
const REP_MOVSD = hex("f3 a5");
const REP_STOSD = hex("f3 ab");
const REP_INSB = hex("f3 6c");
const CALL_RDI = hex("ff d7");

let g: Guest;
const memory = new Uint8Array(0x4000);
beforeAll(async () => {
  g = await createGuest();
  g.device.read = () => 0x5an;
  g.device.write = (r, i, value) => {
    const step = BigInt(i * r.size) * (r.isDown ? -1n : 1n);
    const at = Number((r.addr + (r.type === 1 ? step : 0n)) & 0x3fffn);
    for (let b = 0; b < r.size; b++) memory[at + b] = Number((value >> BigInt(b * 8)) & 255n);
  };
});
beforeEach(() => {
  memory.fill(0);
  g.setup();
  g.range(MEMORY, M, M + 0xfffn);
});
const kinds = () => g.requests.map((r) => `${r.isRead ? "r" : "w"}${r.size}x${r.count}${r.isPointer ? "*" : ""}`);
const word = (at: number) => new DataView(memory.buffer).getUint32(at, true);

function typePage(): void {
  g.dm(15, [
    [2, 2, 4],
    [4, 4, 2],
  ]);
  g.dm(12, [
    [0, 4, 1],
    [4, 2, 4],
    [8, 8, TYPED >> 12n],
  ]);
}

describe("repeated instructions", () => {
  it("go out as one request, or one by one", () => {
    g.poke64(Number(RAM), 0x2222222211111111n);
    const registers = { [RCX]: 2n, [RSI]: RAM, [RDI]: M + 0x10n };
    expect(g.run(REP_MOVSD, registers)).toBe("halt");
    expect(kinds()).toEqual(["w4x2*"]);
    g.knob(KNOB_EMULATE_REP, AS_FIXED);
    expect(g.run(REP_MOVSD, registers)).toBe("halt");
    expect(kinds()).toEqual(["w4x1", "w4x1"]);
    expect([word(0x10), word(0x14)]).toEqual([0x11111111, 0x22222222]);
  });

  it("that leave the server's range are dropped whole, or from there on", () => {
    g.setup();
    g.range(MEMORY, M, M + 0x17n);
    const registers = { [RAX]: 7n, [RCX]: 4n, [RDI]: M + 0x10n };
    expect(g.run(REP_STOSD, registers)).toBe("halt");
    expect(g.requests).toEqual([]);
    expect(g.reg(RDI)).toBe(M + 0x20n);
    g.knob(KNOB_EMULATE_REP, AS_FIXED);
    expect(g.run(REP_STOSD, registers)).toBe("halt");
    expect(kinds()).toEqual(["w4x1", "w4x1"]);
  });

  it("with a 32-bit count and DF wrap nothing", () => {
    // std; addr32 rep stosd with rcx = 3 plus garbage in the upper half, ending at offset 0
    expect(g.run(hex("fd 67 f3 ab"), { [RAX]: 9n, [RCX]: 0x7_0000_0003n, [RDI]: M + 8n })).toBe("halt");
    expect([word(0), word(4), word(8)]).toEqual([9, 9, 9]);
    expect(g.reg(RCX)).toBe(0n);
  });
});

describe("a watched page as the buffer", () => {
  it("of INS from nobody's port keeps what it had and nobody hears of it, or its server gets the writes (N-4)", () => {
    typePage();
    g.poke64(Number(TYPED), 0x11n);
    const registers = { [RCX]: 3n, [RDX]: 0x504n, [RDI]: TYPED };
    expect(g.run(REP_INSB, registers)).toBe("halt");
    expect(g.requests).toEqual([]);
    expect(g.peek64(Number(TYPED))).toBe(0x11n);
    expect(g.reg(RDI)).toBe(TYPED + 3n);
    g.knob(KNOB_EMULATE_REP_TYPED, AS_FIXED);
    g.knob(KNOB_EMULATE_INS, AS_FIXED);
    expect(g.run(REP_INSB, registers)).toBe("halt");
    expect(kinds()).toEqual(["w1x1", "w1x1", "w1x1"]);
    expect(g.requests.map((r) => r.data)).toEqual([0xffn, 0xffn, 0xffn]);
  });

  it("of INS from nobody's port is dirty afterwards where writes are tracked", () => {
    expect(g.core.trackWrites()).toBe(0);
    expect(g.run(REP_INSB, { [RCX]: 3n, [RDX]: 0x504n, [RDI]: RAM })).toBe("halt");
    expect(g.peek64(Number(RAM)) & 0xffffffn).toBe(0xffffffn);
    expect(g.core.isDirty(Number(RAM))).toBe(1);
    expect(g.core.isDirty(Number(TYPED))).toBe(0);
  });

  it("of a copy from a device is written by the device model, or watched", () => {
    typePage();
    const registers = { [RCX]: 2n, [RSI]: M, [RDI]: TYPED };
    expect(g.run(REP_MOVSD, registers)).toBe("halt");
    expect(kinds()).toEqual(["r4x2*"]);
    expect(g.peek64(Number(TYPED))).toBe(0x0000005a0000005an);
    g.knob(KNOB_EMULATE_REP_TYPED, AS_FIXED);
    expect(g.run(REP_MOVSD, registers)).toBe("halt");
    expect(kinds()).toEqual(["r4x1", "w4x1", "r4x1", "w4x1"]);
  });
});

it("what an emulated instruction writes to tracked memory is dirty", () => {
  expect(g.core.trackWrites()).toBe(0);
  expect(g.run(hex("ff 37"), { [RDI]: M })).toBe("halt"); // push [rdi]
  expect([kinds(), g.peek64(0x7fff0)]).toEqual([["r8x1"], 0x5an]);
  expect([g.core.isDirty(0x7f000), g.core.isDirty(0x80000)]).toEqual([1, 0]);
});

describe("what else Xen does", () => {
  it("code on a watched page never runs, or runs (N-1)", () => {
    typePage();
    g.poke(Number(TYPED), [0xc3]);
    expect(g.run(CALL_RDI, { [RDI]: TYPED })).toBe("livelock");
    g.setup();
    g.knob(KNOB_TYPE_FETCH, AS_FIXED);
    typePage();
    g.poke(Number(TYPED), [0xc3]);
    expect(g.run(CALL_RDI, { [RDI]: TYPED })).toBe("halt");
    expect(g.fault()).toBe(-1);
  });

  it("INS of one element into a watched page crashes the domain, or is watched (N-3)", () => {
    g.range(PORT, 0x500n, 0x50fn);
    typePage();
    const registers = { [RCX]: 1n, [RDX]: 0x504n, [RDI]: TYPED };
    expect(g.run(REP_INSB, registers)).toBe("crash");
    g.setup();
    g.knob(KNOB_EMULATE_INS, AS_FIXED);
    g.range(PORT, 0x500n, 0x50fn);
    typePage();
    expect(g.run(REP_INSB, registers)).toBe("halt");
    expect(kinds()).toEqual(["r1x1", "w1x1"]);
  });
});
