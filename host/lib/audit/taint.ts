/**
 * The taint build (hv-core/taint/shadow.ts): a debug core in which every byte of the hypervisor has a taint, and a tainted byte that
 * goes to where a domain can read it is a leak.
 */
import {
  TAINT_HYPERVISOR,
  TAINT_KIND,
  TAINT_OTHER,
  TAINT_SOURCE,
  TAINT_STATE,
  TAINT_TO,
  TAINT_UNINITIALISED,
} from "../../../hv-core/abi/taint.ts";
import { type Core, type CoreOptions, instantiateCore } from "../core.ts";

interface Shadow {
  taintBegin(callerSlot: number, targetSlot: number): void;
  taintEnd(): number;
}

/** Tainted bytes that one hypercall let out. */
export interface Leak {
  readonly bytes: number;
  readonly kind: string;
  /** Addresses in linear memory of the first one. */
  readonly from: number;
  readonly to: number;
}

export interface TaintedCore {
  readonly core: Core;
  /** Does `call`, a hypercall of the domain in slot `caller` about the one in slot `target`. @returns what leaked. */
  watch(caller: number, target: number, call: () => void): Leak | undefined;
}

/** The compiled builds "taint" and "shadow". */
export interface TaintBuilds {
  readonly core: WebAssembly.Module;
  readonly shadow: WebAssembly.Module;
}

const KINDS: Readonly<Record<number, string>> = {
  [TAINT_UNINITIALISED]: "uninitialised memory",
  [TAINT_OTHER]: "another domain's memory",
  [TAINT_HYPERVISOR]: "the hypervisor's memory",
};

export function instantiateTainted(builds: TaintBuilds, options: CoreOptions): TaintedCore {
  let shadow: Shadow | undefined;
  const imports = (memory: WebAssembly.Memory): Record<string, WebAssembly.ExportValue> => {
    const { exports } = new WebAssembly.Instance(builds.shadow, { env: { memory } });
    shadow = exports as unknown as Shadow;
    return exports;
  };
  const core = instantiateCore(builds.core, { ...options, imports });
  return {
    core,
    watch(caller, target, call) {
      shadow!.taintBegin(caller, target);
      call();
      const bytes = shadow!.taintEnd();
      if (bytes === 0) return undefined;
      const word = (offset: number): number => core.view.getUint32(TAINT_STATE + offset, true);
      const kind = KINDS[word(TAINT_KIND)] ?? `taint ${word(TAINT_KIND)}`;
      return { bytes, kind, from: word(TAINT_SOURCE), to: word(TAINT_TO) };
    },
  };
}
