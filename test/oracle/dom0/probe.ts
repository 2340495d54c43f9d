/**
 * The program that asked a real Xen (1,384 recorded rows), spoken to vmexit: dom0's memory with its structures, hypercalls, and the
 * rows it collects. The scripts beside this file put the same calls in the same order, because one row depends on those before it.
 */

import { frameAddress, instantiateCore } from "../../../host/lib/core.ts";
import { errnoName } from "../../../host/lib/errors.ts";
import { compileBuild } from "../../../host/node/wasm.ts";
import * as dc from "../../../hv-core/abi/domctl.ts";
import * as hc from "../../../hv-core/abi/hypercalls.ts";
import {
  ERA_4_17,
  KNOB_ERA,
  KNOB_MEM_ACCESS,
  KNOB_SHARING_BUILD,
  MEM_ACCESS_SVM,
  SHARING_OFF,
} from "../../../hv-core/abi/knobs.ts";

export interface Row {
  readonly area: string;
  readonly call: string;
  readonly text: string;
  readonly result: string;
  readonly outputs: string;
}

const FRAMES = 24_576;
const DOM0_PAGES = 256;
/** Where the structures live. Page 0 is given back at the start, so that small pointers fault as they do for a process; rows about dom0 itself use gfn 1. */
const OP = 0x8000;
const FIRST_FREE = 9;
/** Pages that a call must not run over: they stand last, so that what follows them faults. */
const LAST_PAGE = DOM0_PAGES - 1;
export const ABSENT = 0x7000;
export const ALL = 0xffff_ffff_ffff_ffffn;
const BAD = 8;

export type Value = number | bigint;
export type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: Value];
export const u8 = (offset: number, value: Value): Field => [offset, 1, value];
export const u16 = (offset: number, value: Value): Field => [offset, 2, value];
export const u32 = (offset: number, value: Value): Field => [offset, 4, value];
export const u64 = (offset: number, value: Value): Field => [offset, 8, value];

/** DOMCTL numbers by the name that the rows use. */
export const CMD: Readonly<Record<string, number>> = Object.fromEntries(
  [...Object.entries(hc), ...Object.entries(dc)]
    .filter(([name]) => name.startsWith("DOMCTL_"))
    .map(([name, value]) => [name.slice(7).toLowerCase(), value]),
);

export const hex = (value: Value): string => (value === 0 || value === 0n ? "0" : `0x${value.toString(16)}`);
export const resultName = (result: number): string =>
  result >= 0 ? String(result) : `-${errnoName(-result) ?? `E${-result}`}`;

export interface Probe {
  readonly rows: Row[];
  readonly H: number;
  readonly H2: number;
  readonly PV: number;
  readonly badPointer: number;
  readonly lastPage: number;
  /** A row: the outputs collected by `out` since the last one go with it. @returns `result`. */
  rec(area: string, call: string, result: number, text: string): number;
  out(text: string): void;
  /** `n` fresh zeroed pages; `buf`: a zeroed piece of a ring of them. */
  pages(n: number): number;
  buf(bytes: number): number;
  put(gpa: number, fields: readonly Field[]): number;
  fill(gpa: number, bytes: number, value: number): void;
  r16(gpa: number): number;
  r32(gpa: number): number;
  r64(gpa: number): bigint;
  call(nr: number, ...args: number[]): number;
  /** The last domctl's structure stands at `union` - 16. */
  readonly union: number;
  domctl(cmd: string | number, domid: number, fields?: readonly Field[]): number;
  /** A domctl and its row. `outputs` runs between the two. */
  dc(call: string, domid: number, text: string, fields?: readonly Field[], outputs?: () => void): number;
  mem(op: number, arg: number): number;
  reserve(op: number, domid: number, list: Value, count: Value, order: Value, flags: number): number;
  param(isSet: boolean, domid: number, index: number, value: Value): { result: number; value: bigint };
  memType(domid: number, gfn: Value): string;
  create(wanted: number, flags: number, emulation: number, vcpus: number): { result: number; id: number };
  makeDomain(pages: number): number;
  destroy(domid: number): number;
  info(domid: number): { result: number; flags: number; tot: bigint; max: bigint; outstanding: bigint; domid: number };
  infoText(): string;
  /** Maps a page of another domain into dom0. @returns its gfn, for `unmap`. */
  map(domid: number, gfn: number): number;
  unmap(gfn: number): void;
}

export function createProbe(): Probe {
  const { exports: core, memory } = instantiateCore(compileBuild("release"), { frameCount: FRAMES });
  core.setKnob(KNOB_SHARING_BUILD, SHARING_OFF); // the recorded Xen was built without it
  core.setKnob(KNOB_ERA, ERA_4_17);
  core.setKnob(KNOB_MEM_ACCESS, MEM_ACCESS_SVM); // the recorded machine is an AMD one
  const started = core.machineInit(FRAMES, DOM0_PAGES);
  if (started !== 0) throw new Error(`machineInit: ${started}`);
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const ram = frameAddress(core.dom0Mfn(0));
  let nextPage = FIRST_FREE + 32;
  let ring = 0;
  let mapped = DOM0_PAGES + 64;
  let outputs: string[] = [];
  const rows: Row[] = [];

  const p: Probe = {
    rows,
    H: 0,
    H2: 0,
    PV: 0,
    badPointer: BAD,
    lastPage: LAST_PAGE * 4096,
    union: OP + 16,
    rec(area, call, result, text) {
      rows.push({ area, call, text, result: resultName(result), outputs: outputs.length ? outputs.join(" ") : "-" });
      outputs = [];
      return result;
    },
    out: (text) => void outputs.push(text),
    pages(n) {
      const gpa = nextPage * 4096;
      nextPage += n;
      if (nextPage > LAST_PAGE - 1) throw new Error("the probe needs more pages");
      p.fill(gpa, n * 4096, 0);
      return gpa;
    },
    buf(size) {
      const room = (size + 63) & ~63;
      if (ring + room > 32 * 4096) ring = 0;
      const gpa = FIRST_FREE * 4096 + ring;
      ring += room;
      p.fill(gpa, size, 0);
      return gpa;
    },
    put(gpa, fields) {
      for (const [offset, size, value] of fields) {
        const big = BigInt.asUintN(64, BigInt(value));
        for (let i = 0; i < size; i++) view.setUint8(ram + gpa + offset + i, Number((big >> BigInt(8 * i)) & 0xffn));
      }
      return gpa;
    },
    fill: (gpa, size, value) => void bytes.fill(value, ram + gpa, ram + gpa + size),
    r16: (gpa) => view.getUint16(ram + gpa, true),
    r32: (gpa) => view.getUint32(ram + gpa, true),
    r64: (gpa) => view.getBigUint64(ram + gpa, true),
    call: (nr, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0) => core.hypercall(nr, a1, a2, a3, a4, a5),
    domctl(cmd, domid, fields = []) {
      p.fill(OP, dc.DOMCTL_SIZE, 0);
      const number = typeof cmd === "number" ? cmd : CMD[cmd];
      if (number === undefined) throw new Error(`no domctl ${cmd}`);
      p.put(OP, [u32(0, number), u32(4, hc.DOMCTL_INTERFACE_VERSION_4_17), u16(8, domid)]);
      p.put(OP + dc.DOMCTL_UNION, fields);
      return p.call(hc.HC_DOMCTL, OP);
    },
    dc(call, domid, text, fields = [], outputsOf = undefined) {
      const result = p.domctl(call, domid, fields);
      outputsOf?.();
      return p.rec("domctl", call, result, text);
    },
    mem: (op, arg) => p.call(hc.HC_MEMORY_OP, op, arg),
    reserve: (op, domid, list, count, order, flags) =>
      p.mem(op, p.put(p.buf(32), [u64(0, list), u64(8, count), u32(16, order), u32(20, flags), u16(24, domid)])),
    param(isSet, domid, index, value) {
      const arg = p.put(p.buf(16), [u16(0, domid), u32(4, index), u64(8, value)]);
      const result = p.call(hc.HC_HVM_OP, isSet ? hc.HVMOP_SET_PARAM : hc.HVMOP_GET_PARAM, arg);
      return { result, value: p.r64(arg + 8) };
    },
    memType(domid, gfn) {
      const arg = p.put(p.buf(16), [u16(0, domid), u64(8, gfn)]);
      const result = p.call(hc.HC_HVM_OP, hc.HVMOP_GET_MEM_TYPE, arg);
      return result < 0 ? resultName(result) : String(p.r16(arg + 2));
    },
    create(wanted, flags, emulation, vcpus) {
      const result = p.domctl("createdomain", wanted, creation(flags, emulation, vcpus));
      return { result, id: result === 0 ? p.r16(OP + 8) : -1 };
    },
    makeDomain(count) {
      const { id } = p.create(0, 3, 1, 1);
      p.domctl("max_vcpus", id, [u32(0, 1)]);
      p.domctl("max_mem", id, [u64(0, 65536)]);
      p.domctl("set_paging_mempool_size", id, [u64(0, 4 << 20)]);
      const list = p.buf(512 * 8);
      for (let done = 0; done < count; done += 512) {
        const n = Math.min(512, count - done);
        p.put(
          list,
          Array.from({ length: n }, (_, i) => u64(i * 8, done + i)),
        );
        p.reserve(hc.XENMEM_POPULATE_PHYSMAP, id, list, n, 0, 0);
      }
      return id;
    },
    destroy: (domid) => p.domctl("destroydomain", domid),
    info(domid) {
      const result = p.domctl("getdomaininfo", domid);
      return {
        result,
        domid: p.r16(OP + 16),
        flags: p.r32(OP + 20),
        tot: p.r64(OP + 24),
        max: p.r64(OP + 32),
        outstanding: p.r64(OP + 40),
      };
    },
    infoText: () => {
      const at = OP + 16;
      const flags = ((p.r32(at + 4) & ~0x30) >>> 0).toString(16).padStart(8, "0");
      const frame = p.r64(at + 48) === ALL ? ALL.toString(16) : "1";
      return (
        `domain=${p.r16(at)} flags=${flags} tot=${p.r64(at + 8)} max=${p.r64(at + 16)} outst=${p.r64(at + 24)} ` +
        `shr=${p.r64(at + 32)} paged=${p.r64(at + 40)} shared_info=${frame} online=${p.r32(at + 64)} ` +
        `max_vcpu_id=${p.r32(at + 68)} ssid=${p.r32(at + 72)} cpupool=${p.r32(at + 92)} gpaddr_bits=${p.r16(at + 96) & 255} ` +
        `emu=${p.r32(at + 104).toString(16)} misc=${p.r32(at + 108).toString(16)}`
      );
    },
    map(domid, gfn) {
      const lists = p.put(p.buf(32), [u64(0, gfn), u64(8, mapped)]);
      const arg = p.put(p.buf(32), [
        u16(0, hc.DOMID_SELF),
        u16(2, hc.XENMAPSPACE_GMFN_FOREIGN),
        u16(4, 1),
        u16(6, domid),
        u64(8, lists),
        u64(16, lists + 8),
        u64(24, lists + 16),
      ]);
      const result = p.mem(hc.XENMEM_ADD_TO_PHYSMAP_BATCH, arg);
      if (result !== 0 || p.r32(lists + 16) !== 0) throw new Error(`mapping of gfn ${gfn}: ${result}`);
      return mapped++;
    },
    unmap(gfn) {
      p.mem(hc.XENMEM_REMOVE_FROM_PHYSMAP, p.put(p.buf(16), [u16(0, hc.DOMID_SELF), u64(8, gfn)]));
    },
  };

  // As on the recorded machine: a pointer near 0 names no memory.
  p.reserve(hc.XENMEM_DECREASE_RESERVATION, hc.DOMID_SELF, p.put(p.buf(8), [u64(0, 0)]), 1, 0, 0);
  const PV = p.create(0, 0, 0, 1).id;
  const H = p.makeDomain(0x400);
  const H2 = p.makeDomain(0x400);
  return Object.assign(p, { H, H2, PV });
}

/** The union of createdomain as the probe fills it. */
export function creation(flags: number, emulation: number, vcpus: number): readonly Field[] {
  const handle = Array.from({ length: 16 }, (_, i) => u8(4 + i, 0xa0 + i));
  return [
    ...handle,
    u32(20, flags),
    u32(28, vcpus),
    u32(32, 1023),
    u32(36, 32),
    u32(40, 64),
    u32(44, 2),
    u32(56, emulation),
  ];
}
