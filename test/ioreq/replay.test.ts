/**
 * Emulation by replay: instructions with operands in emulated memory, beyond what test/oracle/ioreq has. The device model answers
 * from a byte array; `writes` is what reached it.
 */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VEC_GP, VEC_PF } from "../../hv-core/abi/cpu.ts";
import { CRASH_EPT_VIOLATION, CRASH_IO_MISMATCH } from "../../hv-core/abi/crash.ts";
import { COUNTER_BASE, COUNTER_READS, COUNTER_WRITES } from "../../hv-core/abi/devices.ts";
import {
  AS_FIXED,
  DEVICE_AT_CORE,
  KNOB_EMULATE_CACHE,
  KNOB_EMULATE_INS,
  KNOB_TYPE_READ,
} from "../../hv-core/abi/knobs.ts";
import { CODE, createGuest, type Guest, MEMORY, PORT, RAX, RCX, RDI, RDX, RSI, RSP } from "./guest.ts";

const hex = (text: string) => text.split(" ").map((byte) => Number.parseInt(byte, 16));
const M = 0xf0000000n;
const RAM = 0x200000n;
const ADD_MEM_RAX = hex("48 01 07");
const MOV_RAX_MEM = hex("48 8b 07");
const MOV_MEM_RAX = hex("48 89 07");

let g: Guest;
const mmio = new Uint8Array(0x4000);
const view = new DataView(mmio.buffer);
const offset = (addr: bigint) => Number(addr & 0x3fffn);
beforeAll(async () => {
  g = await createGuest();
  g.device.read = (r) => {
    let value = 0n;
    for (let i = 0; i < r.size; i++) value |= BigInt(mmio[offset(r.addr) + i]!) << BigInt(i * 8);
    return value;
  };
  g.device.write = (r, _i, value) => {
    for (let i = 0; i < r.size; i++) mmio[offset(r.addr) + i] = Number((value >> BigInt(i * 8)) & 255n);
  };
});
beforeEach(() => {
  mmio.fill(0);
  g.setup();
  g.range(MEMORY, M, M + 0x3fffn);
  g.range(PORT, 0x500n, 0x50fn);
});
const accesses = () =>
  g.requests.map((r) => `${r.isRead ? "r" : "w"}${r.size} ${(r.type === 0 ? r.addr : r.addr - M).toString(16)}`);

describe("operands in emulated memory", () => {
  it("an RMW over two emulated pages reads both parts, then writes both: never on Xen (N-2)", () => {
    expect(g.run(ADD_MEM_RAX, { [RAX]: 1n, [RDI]: M + 0xffcn })).toBe("livelock");
    expect(accesses().slice(0, 4)).toEqual(["r4 ffc", "r4 1000", "w4 ffc", "r4 ffc"]);
    g.setup();
    g.knob(KNOB_EMULATE_CACHE, AS_FIXED);
    g.range(MEMORY, M, M + 0x3fffn);
    view.setBigUint64(0xffc, 0x1_ffff_ffffn, true);
    expect(g.run(ADD_MEM_RAX, { [RAX]: 1n, [RDI]: M + 0xffcn })).toBe("halt");
    expect(accesses()).toEqual(["r4 ffc", "r4 1000", "w4 ffc", "w4 1000"]);
    expect(view.getBigUint64(0xffc, true)).toBe(0x2_0000_0000n);
  });

  it("an RMW from RAM into emulated memory", () => {
    g.range(MEMORY, 0x400000n, 0x400fffn);
    g.poke64(0x3ffff8, 0xffff_ffff_0000_0000n);
    expect(g.run(ADD_MEM_RAX, { [RAX]: 1n, [RDI]: 0x3ffffcn })).toBe("halt");
    expect(g.peek64(0x3ffff8)).toBe(0n);
    expect(view.getUint32(0, true)).toBe(1);
  });

  it("CALL, JMP and RET through emulated memory", () => {
    view.setBigUint64(0x10, BigInt(CODE + 0x100), true);
    g.poke(CODE + 0x100, [0xf4]);
    expect(g.run(hex("ff 17"), { [RDI]: M + 0x10n })).toBe("halt"); // call [rdi]
    expect(g.core.rip()).toBe(BigInt(CODE + 0x101));
    expect(g.peek64(0x7fff0)).toBe(BigInt(CODE + 2));
    expect(g.run(hex("ff 27"), { [RDI]: M + 0x10n })).toBe("halt"); // jmp [rdi]
    expect(g.core.rip()).toBe(BigInt(CODE + 0x101));
    expect(g.run(hex("48 89 fc c3"), { [RDI]: M + 0x10n })).toBe("halt"); // mov rsp, rdi; ret
    expect(g.core.rip()).toBe(BigInt(CODE + 0x101));
    expect(g.reg(RSP)).toBe(M + 0x18n);
  });

  it("CALL and PUSH with the stack in emulated memory", () => {
    expect(g.run(hex("48 89 fc e8 00 00 00 00"), { [RDI]: M + 0x20n })).toBe("halt");
    expect(view.getBigUint64(0x18, true)).toBe(BigInt(CODE + 8));
    expect(g.reg(RSP)).toBe(M + 0x18n);
    expect(g.run(hex("48 89 fc ff 36"), { [RDI]: M + 0x100n, [RSI]: M + 0x18n })).toBe("halt"); // push qword [rsi]
    expect(accesses()).toEqual(["r8 18", "w8 f8"]);
    expect(view.getBigUint64(0xf8, true)).toBe(BigInt(CODE + 8));
  });

  it("ENTER and LEAVE with the frame in emulated memory", () => {
    expect(g.run(hex("48 89 fc c8 10 00 00"), { [RDI]: M + 0x80n, 5: 0x1234n })).toBe("halt");
    expect(view.getBigUint64(0x78, true)).toBe(0x1234n);
    expect([g.reg(5), g.reg(RSP)]).toEqual([M + 0x78n, M + 0x68n]);
    expect(g.run(hex("c9"), { 5: M + 0x78n })).toBe("halt");
    expect(g.reg(5)).toBe(0x1234n);
  });

  it("DIV by an operand in emulated memory, also when it faults", () => {
    view.setUint32(0, 7, true);
    expect(g.run(hex("f7 37"), { [RAX]: 100n, [RDX]: 0n, [RDI]: M })).toBe("halt");
    expect([g.reg(RAX), g.reg(RDX)]).toEqual([14n, 2n]);
    view.setUint32(0, 0, true);
    expect(g.run(hex("f7 37"), { [RAX]: 100n, [RDX]: 0n, [RDI]: M })).toBe("halt");
    expect(g.fault()).toBe(0);
    expect(g.reg(RAX)).toBe(100n);
  });

  it("INS and OUTS between a claimed port and emulated memory: INS crashes the domain on Xen (N-3)", () => {
    expect(g.run(hex("6c"), { [RDX]: 0x504n, [RDI]: M + 0x20n })).toBe("crash");
    expect(g.core.crashReason()).toBe(CRASH_IO_MISMATCH);
    g.setup();
    g.knob(KNOB_EMULATE_INS, AS_FIXED);
    g.range(MEMORY, M, M + 0x3fffn);
    g.range(PORT, 0x500n, 0x50fn);
    expect(g.run(hex("6c"), { [RDX]: 0x504n, [RDI]: M + 0x20n })).toBe("halt");
    expect(accesses()).toEqual(["r1 504", "w1 20"]);
    expect(g.reg(RDI)).toBe(M + 0x21n);
    expect(g.run(hex("f3 6e"), { [RCX]: 2n, [RDX]: 0x504n, [RSI]: M + 0x20n })).toBe("halt");
    expect(accesses()).toEqual(["r1 20", "w1 504", "r1 21", "w1 504"]);
    expect(g.reg(RCX)).toBe(0n);
  });

  it("a descriptor table loaded from emulated memory", () => {
    view.setUint16(0x40, 0x1ff, true);
    view.setBigUint64(0x42, 0x60000n, true);
    expect(g.run(hex("0f 01 1f 0f 0b"), { [RDI]: M + 0x40n })).toBe("halt"); // lidt [rdi]; ud2
    expect(g.fault()).toBe(6);
  });

  it("retires each instruction once", () => {
    const before = g.core.counter(128);
    expect(g.run([...ADD_MEM_RAX, ...ADD_MEM_RAX, ...MOV_RAX_MEM], { [RAX]: 5n, [RDI]: M })).toBe("halt");
    expect(g.core.counter(128) - before).toBe(3n);
    expect(g.reg(RAX)).toBe(10n);
  });
});

describe("faults in the middle", () => {
  it("a page fault of the second operand leaves the registers alone", () => {
    g.poke64(0x3000 + 2 * 8, 0n); // the 2 MiB at 0x400000 are not mapped
    expect(g.run(hex("a4"), { [RSI]: M, [RDI]: 0x400000n })).toBe("halt");
    expect(g.fault()).toBe(VEC_PF);
    expect([g.reg(RSI), g.reg(RDI)]).toEqual([M, 0x400000n]);
  });

  it("executing emulated memory is #GP(0)", () => {
    expect(g.run(hex("ff e7"), { [RDI]: M + 0x100n })).toBe("halt"); // jmp rdi
    expect(g.fault()).toBe(VEC_GP);
    expect(g.peek64(Number(g.reg(RSP)))).toBe(0n);
    expect(g.peek64(Number(g.reg(RSP)) + 8)).toBe(M + 0x100n);
  });

  it("page tables in emulated memory fault as not present", () => {
    g.poke64(0x3000 + 5 * 8, M | 3n); // a page table in the device
    expect(g.run(MOV_RAX_MEM, { [RDI]: 0xa00000n })).not.toBe("livelock");
    expect(g.requests).toEqual([]);
  });

  it("delivering an exception on a stack in emulated memory crashes the domain and nothing else", () => {
    expect(g.run(hex("48 89 fc 0f 0b"), { [RDI]: M + 0x100n })).toBe("crash");
    expect(g.requests).toEqual([]);
  });
});

describe("while the vCPU waits", () => {
  it("the instruction changes under our feet: the domain crashes", () => {
    g.device.write = () => g.poke(CODE, hex("48 89 4f 08")); // mov [rdi+8], rcx
    expect(g.run(MOV_MEM_RAX, { [RAX]: 1n, [RCX]: 2n, [RDI]: M })).toBe("crash");
    expect(g.core.crashReason()).toBe(CRASH_IO_MISMATCH);
    g.device.write = (r, _i, value) => {
      for (let i = 0; i < r.size; i++) mmio[offset(r.addr) + i] = Number((value >> BigInt(i * 8)) & 255n);
    };
  });
});

describe("types of pages", () => {
  const setType = (gfn: bigint, type: number) =>
    g.dm(12, [
      [0, 4, 1],
      [4, 2, type],
      [8, 8, gfn],
    ]);

  it("writes to read-only RAM vanish, and read-modify-writes see what is there", () => {
    g.poke64(Number(RAM), 40n);
    expect(setType(RAM >> 12n, 1)).toBe(0);
    expect(g.run([...ADD_MEM_RAX, ...hex("48 0f c1 07")], { [RAX]: 2n, [RDI]: RAM })).toBe("halt"); // add; xadd
    expect(g.reg(RAX)).toBe(40n);
    expect(g.peek64(Number(RAM))).toBe(40n);
    expect(g.requests).toEqual([]);
  });

  it("a page given to the device model by type is I/O", () => {
    g.range(MEMORY, RAM, RAM + 0xfffn);
    expect(setType(RAM >> 12n, 2)).toBe(0);
    expect(g.run(MOV_MEM_RAX, { [RAX]: 5n, [RDI]: RAM })).toBe("halt");
    expect(g.requests[0]).toMatchObject({ addr: RAM, data: 5n });
  });

  it("a page of the type without a server never lets a write through (S-1)", () => {
    g.dm(15, [
      [2, 2, 4],
      [4, 4, 2],
    ]);
    expect(setType(RAM >> 12n, 4)).toBe(0);
    expect(g.run(MOV_RAX_MEM, { [RDI]: RAM })).toBe("halt");
    expect(g.requests).toEqual([]);
    g.dm(6, []);
    expect(g.run(MOV_MEM_RAX, { [RAX]: 5n, [RDI]: RAM })).toBe("livelock");
    expect(setType(RAM >> 12n, 0)).toBe(0);
    expect(g.finish()).toBe("halt");
    expect(g.peek64(Number(RAM))).toBe(5n);
  });

  it("executing a page of the type never ends (N-1)", () => {
    g.dm(15, [
      [2, 2, 4],
      [4, 4, 2],
    ]);
    g.poke(Number(RAM), [0xf4]);
    expect(setType(RAM >> 12n, 4)).toBe(0);
    expect(g.run(hex("ff e7"), { [RDI]: RAM })).toBe("livelock");
  });
});

describe("an access of which one half is RAM, while the device has the other half", () => {
  const BORDER = 0x400000n;
  const LOW = Number(BORDER) - 4;
  const RAM_RW = 0;
  const RAM_RO = 1;
  const IOREQ_SERVER = 4;
  const setType = (type: number) =>
    g.dm(12, [
      [0, 4, 1],
      [4, 2, type],
      [8, 8, (BORDER >> 12n) - 1n],
    ]);
  const mapType = (flags: number) =>
    g.dm(15, [
      [2, 2, 4],
      [4, 4, flags],
    ]);
  const low = (): number => Number(g.peek64(LOW - 4) >> 32n);
  /** What the lower half holds whenever the device is asked for a write. */
  let seen: number[];
  /** ADD over the border; `change` happens while the device has the write of the upper half. */
  function addAcross(change: () => void): string {
    g.range(MEMORY, BORDER, BORDER + 0xfffn);
    g.poke64(LOW - 4, 0xffff_ffff_0000_0000n);
    seen = [];
    const { read, write } = g.device;
    g.device.read = (r, i) => (r.addr < BORDER ? BigInt(low()) : read(r, i));
    g.device.write = (r, i, value) => {
      seen.push(low());
      if (r.addr >= BORDER) change();
      write(r, i, value);
    };
    const outcome = g.run(ADD_MEM_RAX, { [RAX]: 6n, [RDI]: BigInt(LOW) });
    g.device.read = read;
    g.device.read = read;
    g.device.write = write;
    return outcome;
  }
  const writes = () => g.requests.filter((r) => !r.isRead).map((r) => [Number(r.addr) - LOW, Number(r.data)]);

  it("RAM that the EPT keeps from the guest is written before the device is asked, and never again", () => {
    g.knob(KNOB_TYPE_READ, 1);
    g.knob(KNOB_EMULATE_CACHE, AS_FIXED);
    expect(mapType(1)).toBe(0); // the server wants the reads; writes go to RAM
    expect(setType(IOREQ_SERVER)).toBe(0);
    const change = () => {
      expect(setType(RAM_RW)).toBe(0);
      g.poke64(LOW - 4, 0x1234_5678_0000_0000n); // the page is somebody else's by now, who writes to it
    };
    expect(addAcross(change)).toBe("halt");
    expect([seen, low(), writes()]).toEqual([[5], 0x1234_5678, [[4, 1]]]);
  });

  it("RAM that becomes read-only keeps what it has", () => {
    expect(addAcross(() => expect(setType(RAM_RO)).toBe(0))).toBe("halt");
    expect([low(), writes()]).toEqual([0xffff_ffff, [[4, 1]]]);
  });

  it("RAM that becomes a watched page: its device model hears of the write", () => {
    g.knob(KNOB_EMULATE_CACHE, AS_FIXED);
    expect(mapType(2)).toBe(0);
    expect(addAcross(() => expect(setType(IOREQ_SERVER)).toBe(0))).toBe("halt");
    expect(writes()).toEqual([
      [4, 1],
      [0, 5],
    ]);
    expect(low()).toBe(0xffff_ffff);
  });

  it("RAM that becomes a device's: what was read from it stays read", () => {
    g.knob(KNOB_EMULATE_CACHE, AS_FIXED);
    g.range(MEMORY, BORDER - 0x1000n, BORDER - 1n);
    expect(addAcross(() => expect(setType(2)).toBe(0))).toBe("halt");
    expect(writes()).toEqual([
      [4, 1],
      [0, 5],
    ]);
  });
});

describe("inside the hypervisor", () => {
  it("the local APIC answers on its page", () => {
    const apic = 0xfee00000n;
    expect(g.run(hex("8b 47 30"), { [RDI]: apic })).toBe("halt"); // mov eax, [rdi+0x30]
    expect(g.reg(RAX)).toBe(0x50014n);
    expect(g.run(hex("c7 87 80 00 00 00 30 00 00 00 8b 87 80 00 00 00"), { [RDI]: apic })).toBe("halt"); // TPR
    expect(g.reg(RAX)).toBe(0x30n);
    expect(g.requests).toEqual([]);
  });

  it("the counter device in the core sees each access once", () => {
    g.setup(DEVICE_AT_CORE);
    const counter = BigInt(COUNTER_BASE);
    expect(g.run([...MOV_MEM_RAX, ...ADD_MEM_RAX, ...ADD_MEM_RAX], { [RAX]: 5n, [RDI]: counter })).toBe("halt");
    expect(g.run(MOV_RAX_MEM, { [RDI]: counter + BigInt(COUNTER_WRITES) })).toBe("halt");
    expect(g.reg(RAX)).toBe(3n);
    expect(g.run(MOV_RAX_MEM, { [RDI]: counter + BigInt(COUNTER_READS) })).toBe("halt");
    expect(g.reg(RAX)).toBe(3n); // two of the ADDs, one of the counter above
    expect(g.run(MOV_RAX_MEM, { [RDI]: counter })).toBe("halt");
    expect(g.reg(RAX)).toBe(15n);
  });

  it("an access beyond everything reads all ones", () => {
    expect(g.run(MOV_RAX_MEM, { [RDI]: 0xe0000000n })).toBe("halt");
    expect(g.reg(RAX)).toBe(0xffff_ffff_ffff_ffffn);
    expect(g.core.crashReason()).not.toBe(CRASH_EPT_VIOLATION);
  });
});
