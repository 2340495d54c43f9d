/**
 * A guest that makes hypercalls on request: what a domain other than dom0 may do. Its code is a call and a loop, in 32-bit mode
 * without paging; the arguments lie in its own memory, written through a mapping into dom0.
 */
import { frameAddress } from "../../host/lib/core.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { DOMCTL_INTERFACE_VERSION_0A } from "../../hv-core/abi/domctl.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_SELF,
  HC_DOMCTL,
  HC_MEMORY_OP,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { ARG, creation, type Door, type Field } from "./door.ts";

const CODE_GFN = 1;
/** The page of its arguments. */
export const CALLER_DATA = 0x2000;
const DATA = CALLER_DATA;
const RESULT = 0x1800;
export const CALLER_CODE = CODE_GFN << 12;
export const CALLER_RESULT = RESULT;
const UNSET = 0x5555_5555;
const PAGES = 16;
const DOM0_WINDOW = 0x200;
const WINDOWS = 512;

export interface Caller {
  readonly domid: number;
  /** Its page for structures: gpa in the domain, and where that is in linear memory. */
  readonly data: { readonly gpa: number; readonly address: number };
  call(nr: number, ...args: number[]): number;
  /** What CPUID shows it, in 32-bit mode without paging. */
  cpuid(leaf: number, subleaf?: number): [eax: number, ebx: number, ecx: number, edx: number];
  /** IN, or OUT of `value`, of 16 bits. */
  port16(port: number, value?: number): number;
  /** Runs code at CALLER_CODE, in 32-bit mode without paging, until it writes the word at CALLER_RESULT. @returns that word. */
  run(code: ArrayLike<number>): number;
  /** Lets it go on where it stands, until that word is written. */
  resume(): number;
  domctl(cmd: number, domid: number, fields?: readonly Field[], version?: number): number;
  /** A memory_op whose structure has these fields. */
  memoryOp(cmd: number, fields: readonly Field[]): number;
  /** The same with the interface version of 2014. */
  domctl0a(cmd: number, domid: number): number;
  /** Gives the mappings into dom0 back; a destroyed domain is gone only then. */
  release(): void;
  /** A word of its memory at `DATA` + offset: the structure of the last domctl. */
  u32(offset: number): number;
}

let windows = 0;

/** Linear address of a page of the domain, mapped into dom0. */
export function mapGuestPage(door: Door, domid: number, gfn: number): number {
  const at = DOM0_WINDOW + (windows++ % WINDOWS);
  const list = door.put(0x5000, 64, [
    [0, 8, gfn],
    [8, 8, at],
  ]);
  const arg = door.put(ARG, 32, [
    [0, 2, DOMID_SELF],
    [2, 2, XENMAPSPACE_GMFN_FOREIGN],
    [4, 2, 1],
    [6, 2, domid],
    [8, 8, list],
    [16, 8, list + 8],
    [24, 8, list + 16],
  ]);
  const result = door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, arg);
  if (result !== 0) throw new Error(`mapping: ${result}`);
  return frameAddress(door.core.dom0Mfn(at));
}

/** A running domain that spins until it is told to call. `flags`: XEN_DOMCTL_CDF_* beside HVM and HAP. */
export function makeCaller(door: Door, flags = 0, emulation = 1, extra: readonly Field[] = []): Caller {
  const created = door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ flags: 3 | flags, emulation, extra }));
  if (created !== 0) throw new Error(`createdomain: ${created}`);
  const domid = door.u16(ARG + 8);
  door.domctl(DOMCTL_MAX_VCPUS, domid, [[0, 4, 1]]);
  door.domctl(DOMCTL_MAX_MEM, domid, [[0, 8, PAGES * 4]]);
  door.populate(
    domid,
    Array.from({ length: PAGES }, (_, i) => i),
  );
  const first = windows;
  const code = mapGuestPage(door, domid, CODE_GFN);
  const data = mapGuestPage(door, domid, DATA >> 12);

  /** Runs `bytes` from the start, in protected mode without paging, until the word at RESULT is written. */
  const execute = (bytes: ArrayLike<number>): void => {
    new Uint8Array(door.view.buffer).set([...Array.from(bytes), 0xeb, 0xfe], code); // and jmp $
    door.view.setUint32(code + (RESULT & 4095), UNSET, true);
    door.core.frameWritten((code - frameAddress(0)) >> 12);
    door.core.codeCacheReset();
    const context = entryContext({ eip: CODE_GFN << 12, ebx: 0 }, 1);
    new Uint8Array(door.view.buffer).set(context, door.at(0x6000));
    const loaded = door.domctl(DOMCTL_SETHVMCONTEXT, domid, [
      [0, 4, context.length],
      [8, 8, 0x6000],
    ]);
    if (loaded !== 0) throw new Error(`sethvmcontext: ${loaded}`);
    goOn();
  };
  const goOn = (): void => {
    door.domctl(DOMCTL_UNPAUSEDOMAIN, domid);
    for (let i = 0; i < 100 && door.view.getUint32(code + (RESULT & 4095), true) === UNSET; i++) door.core.run(100);
    door.domctl(DOMCTL_PAUSEDOMAIN, domid);
  };
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

  const caller: Caller = {
    domid,
    data: { gpa: DATA, address: data },
    call(nr, ...args) {
      const registers = [0xbb, 0xb9, 0xba, 0xbe, 0xbf].flatMap((op, i) => [op, ...word(args[i] ?? 0)]);
      execute([0xb8, ...word(nr), ...registers, 0x0f, 0x01, 0xc1, 0xa3, ...word(RESULT)]); // vmcall; mov [RESULT], eax
      return door.view.getInt32(code + (RESULT & 4095), true);
    },
    cpuid(leaf, subleaf = 0) {
      const toMemory = (modrm: number, offset: number): number[] => [0x89, modrm, ...word(RESULT + offset)];
      execute([
        ...[0xb8, ...word(leaf), 0xb9, ...word(subleaf), 0x0f, 0xa2],
        ...[...toMemory(0x1d, 4), ...toMemory(0x0d, 8), ...toMemory(0x15, 12), ...toMemory(0x05, 0)],
      ]);
      const at = code + (RESULT & 4095);
      return [0, 4, 8, 12].map((offset) => door.view.getUint32(at + offset, true)) as [number, number, number, number];
    },
    port16(port, value) {
      const access = value === undefined ? [0x31, 0xc0, 0x66, 0xed] : [0xb8, ...word(value), 0x66, 0xef];
      execute([0xba, ...word(port), ...access, 0xa3, ...word(RESULT)]);
      return door.view.getUint32(code + (RESULT & 4095), true);
    },
    run(bytes) {
      execute(bytes);
      return door.view.getUint32(code + (RESULT & 4095), true);
    },
    resume() {
      goOn();
      return door.view.getUint32(code + (RESULT & 4095), true);
    },
    memoryOp(cmd, fields) {
      new Uint8Array(door.view.buffer, data, 64).fill(0);
      for (const [offset, bytes, value] of fields)
        for (let i = 0; i < bytes; i++)
          door.view.setUint8(data + offset + i, Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
      return caller.call(HC_MEMORY_OP, cmd, DATA);
    },
    domctl0a: (cmd, target) => caller.domctl(cmd, target, [], DOMCTL_INTERFACE_VERSION_0A),
    domctl(cmd, target, fields = [], version = DOMCTL_INTERFACE_VERSION_4_17) {
      const set = (offset: number, bytes: number, value: number | bigint): void => {
        for (let i = 0; i < bytes; i++)
          door.view.setUint8(data + offset + i, Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
      };
      new Uint8Array(door.view.buffer, data, 144).fill(0);
      set(0, 4, cmd);
      set(4, 4, version);
      set(8, 2, target);
      for (const [offset, bytes, value] of fields) set(offset + 16, bytes, value);
      return caller.call(HC_DOMCTL, DATA);
    },
    release() {
      for (let at = first; at < first + 2; at++)
        door.call(
          HC_MEMORY_OP,
          XENMEM_REMOVE_FROM_PHYSMAP,
          door.put(ARG, 16, [
            [0, 2, DOMID_SELF],
            [8, 8, DOM0_WINDOW + (at % WINDOWS)],
          ]),
        );
    },
    u32: (offset) => door.view.getUint32(data + offset, true),
  };
  return caller;
}
