/** Frames, ports and lines as the accountant sees them, in words. */

import { DOM_DOMID } from "../../../hv-core/abi/domain.ts";
import {
  IO_UNIT_DEFAULT_IN_USE,
  IO_UNIT_FREE,
  IO_UNIT_GRANTED,
  IO_UNIT_IN_USE,
  IO_UNIT_RESERVED,
  IO_UNIT_REVOKING,
  IO_UNIT_SHARED,
} from "../../../hv-core/abi/io-units.ts";
import { DOMAIN_SIZE, DOMAINS_BASE, MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";

const WORDS: Readonly<Record<number, string>> = {
  [IO_UNIT_FREE]: "free",
  [IO_UNIT_DEFAULT_IN_USE]: "in use by default",
  [IO_UNIT_GRANTED]: "granted",
  [IO_UNIT_IN_USE]: "in use",
  [IO_UNIT_REVOKING]: "revoking",
  [IO_UNIT_RESERVED]: "reserved",
  [IO_UNIT_SHARED]: "shared",
};

const HOLDER_XEN = 0xffff;
const HOLDER_SHARED = 0xfffe;

export interface UnitState {
  /** IO_UNIT_*. */
  readonly state: number;
  /** Domain id of the holder, undefined for none, the hypervisor, and shared units. */
  readonly holder: number | undefined;
  /** Mappings of a frame. */
  readonly count: number;
  /** "in use by domain 1, mapped 2 times" */
  readonly text: string;
}

/** "domain 3", "xen", "shared"; empty for nobody. */
export function holderText(core: Core, holder: number): string {
  if (holder === HOLDER_XEN) return "xen";
  if (holder === HOLDER_SHARED) return "shared";
  return holder === 0 ? "" : `domain ${domidOf(core, holder)}`;
}

const domidOf = (core: Core, holder: number): number =>
  core.u32[(DOMAINS_BASE + (holder - 1) * DOMAIN_SIZE + DOM_DOMID) >> 2]!;

export function unitState(core: Core, kind: number, unit: number): UnitState {
  const answer = core.exports.ioUnit(kind, unit >>> 0, Math.floor(unit / 2 ** 32));
  const state = answer & 255;
  const holder = answer >>> 8;
  const count = core.u32[MAILBOX_BASE >> 2]!;
  const isDomain = holder !== 0 && holder !== HOLDER_XEN && holder !== HOLDER_SHARED;
  const by = isDomain ? ` by ${holderText(core, holder)}` : "";
  const mapped = count > 0 ? `, mapped ${count} time${count === 1 ? "" : "s"}` : "";
  return { state, holder: isDomain ? domidOf(core, holder) : undefined, count, text: `${WORDS[state]}${by}${mapped}` };
}
