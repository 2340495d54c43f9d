/**
 * A machine with nothing but dom0, and dom0's hypercalls with their structures: how the tests of hv-core/hv drive the hypervisor.
 * Structures are lists of [offset, bytes, value]; they are written into dom0's own pages, as any caller would do it.
 */

import { instantiateTainted, type Leak, type TaintBuilds } from "../../host/lib/audit/taint.ts";
import { type CoreExports, frameAddress, instantiateCore } from "../../host/lib/core.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { DOMCTL_INTERFACE_VERSION_0A } from "../../hv-core/abi/domctl.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  HC_DOMCTL,
  HC_MEMORY_OP,
  XENMEM_POPULATE_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA, KNOB_P2M_SUPERPAGES } from "../../hv-core/abi/knobs.ts";
import { MACHINE_BASE } from "../../hv-core/abi/layout.ts";
import { TAINT_ANY } from "../../hv-core/abi/taint.ts";

export type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: number | bigint];

/** dom0 pages: 0 unused, 1 structures, 2 lists, 3 results, the rest free for tests. */
const DOM0_PAGES = 64;
export const ARG = 0x1000;
export const LIST = 0x2000;
export const OUT = 0x3000;
/** A gpa of dom0 that no RAM backs. */
export const NOWHERE = 0x10_0000;

const wasm = compileBuild("debug");
let taintBuilds: TaintBuilds | undefined;

export interface Door {
  readonly core: CoreExports;
  readonly view: DataView;
  /** Address in linear memory of a guest-physical address in dom0's RAM. */
  at(gpa: number): number;
  call(nr: number, a1?: number, a2?: number, a3?: number, a4?: number, a5?: number): number;
  /** Clears `bytes` at `gpa` and writes the fields. @returns gpa. */
  put(gpa: number, bytes: number, fields: readonly Field[]): number;
  u16(gpa: number): number;
  u32(gpa: number): number;
  u64(gpa: number): bigint;
  domctl(cmd: number, domid: number, fields?: readonly Field[], version?: number): number;
  /** Fields of the last domctl structure (offsets in its union). */
  result32(offset: number): number;
  result64(offset: number): bigint;
  /** A paused domain with vCPUs and a memory limit. @returns its id. */
  createDomain(options?: { vcpus?: number; pages?: number; ports?: number; domid?: number }): number;
  populate(domid: number, gfns: readonly (number | bigint)[], order?: number, flags?: number): number;
  /** Frames nobody owns. */
  freeFrames(): number;
  /** What the last hypercall of dom0, or the last `watch`, leaked; machines of the taint build only. */
  leak(): Leak | undefined;
  /** Does what makes the domain in slot `caller` call, about the one in slot `target`, and looks for a leak to it. */
  watch<T>(caller: number, target: number, call: () => T): T;
}

const versionOf = (knobs: readonly (readonly [index: number, value: number])[]): number =>
  knobs.some(([index, value]) => index === KNOB_DOMCTL_ERA && value === DOMCTL_ERA_0A)
    ? DOMCTL_INTERFACE_VERSION_0A
    : DOMCTL_INTERFACE_VERSION_4_17;

export function openDoor(
  frames = 4096,
  knobs: readonly (readonly [index: number, value: number])[] = [],
  isTainted = false,
): Door {
  if (isTainted) taintBuilds ??= { core: compileBuild("taint"), shadow: compileBuild("shadow") };
  const tainted = isTainted ? instantiateTainted(taintBuilds!, { frameCount: frames }) : undefined;
  const { exports: core, memory } = tainted?.core ?? instantiateCore(wasm, { frameCount: frames });
  let leaked: Leak | undefined;
  core.setKnob(KNOB_P2M_SUPERPAGES, 1);
  for (const [index, value] of knobs) core.setKnob(index, value);
  const started = core.machineInit(frames, DOM0_PAGES);
  if (started !== 0) throw new Error(`machineInit: ${started}`);
  const view = new DataView(memory.buffer);
  const ram = frameAddress(core.dom0Mfn(0));

  const door: Door = {
    core,
    view,
    at: (gpa) => ram + gpa,
    call(nr, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0) {
      if (!tainted) return core.hypercall(nr, a1, a2, a3, a4, a5);
      let result = 0;
      leaked = tainted.watch(0, TAINT_ANY, () => {
        result = core.hypercall(nr, a1, a2, a3, a4, a5);
      });
      return result;
    },
    leak: () => leaked,
    watch(caller, target, call) {
      if (!tainted) return call();
      let result: ReturnType<typeof call>;
      leaked = tainted.watch(caller, target, () => {
        result = call();
      });
      return result!;
    },
    put(gpa, bytes, fields) {
      new Uint8Array(memory.buffer, ram + gpa, bytes).fill(0);
      for (const [offset, size, value] of fields)
        for (let i = 0; i < size; i++)
          view.setUint8(ram + gpa + offset + i, Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
      return gpa;
    },
    u16: (gpa) => view.getUint16(ram + gpa, true),
    u32: (gpa) => view.getUint32(ram + gpa, true),
    u64: (gpa) => view.getBigUint64(ram + gpa, true),
    domctl(cmd, domid, fields = [], version = versionOf(knobs)) {
      const head: readonly Field[] = [
        [0, 4, cmd],
        [4, 4, version],
        [8, 2, domid],
      ];
      const union = fields.map(([offset, bytes, value]): Field => [offset + 16, bytes, value]);
      return door.call(HC_DOMCTL, door.put(ARG, 144, [...head, ...union]));
    },
    result32: (offset) => door.u32(ARG + 16 + offset),
    result64: (offset) => door.u64(ARG + 16 + offset),
    createDomain({ vcpus = 1, pages = 1024, ports = 1023, domid = 0 } = {}) {
      const created = door.domctl(DOMCTL_CREATEDOMAIN, domid, creation({ vcpus, ports }));
      if (created !== 0) throw new Error(`createdomain: ${created}`);
      const id = door.u16(ARG + 8);
      const results = [
        door.domctl(DOMCTL_MAX_VCPUS, id, [[0, 4, vcpus]]),
        door.domctl(DOMCTL_MAX_MEM, id, [[0, 8, pages * 4]]),
      ];
      if (results.some((r) => r !== 0)) throw new Error(`max_vcpus, max_mem: ${results}`);
      return id;
    },
    populate(domid, gfns, order = 0, flags = 0) {
      door.put(
        LIST,
        4096,
        gfns.map((gfn, i): Field => [i * 8, 8, gfn]),
      );
      const arg = door.put(ARG, 32, [
        [0, 8, LIST],
        [8, 8, gfns.length],
        [16, 4, order],
        [20, 4, flags],
        [24, 2, domid],
      ]);
      return door.call(HC_MEMORY_OP, XENMEM_POPULATE_PHYSMAP, arg);
    },
    freeFrames() {
      const u32 = (index: number) => view.getUint32(MACHINE_BASE + index * 4, true);
      return u32(3) + (u32(0) - u32(1)); // freeCount + (frameCount - frameMark): base/machine.ts
    },
  };
  return door;
}

/** The union of a createdomain for a PVH guest, with overrides by offset. */
export function creation({
  flags = 3,
  vcpus = 1,
  ports = 1023,
  emulation = 1,
  extra = [],
}: {
  flags?: number;
  vcpus?: number;
  ports?: number;
  emulation?: number;
  extra?: readonly Field[];
}): readonly Field[] {
  return [
    [20, 4, flags],
    [28, 4, vcpus],
    [32, 4, ports],
    [36, 4, 32],
    [40, 4, 64],
    [44, 4, 2],
    [56, 4, emulation],
    ...extra,
  ];
}
