/** Calls of memory sharing with their structures, for tests that drive the hypervisor through dom0's door. */
import { frameAddress } from "../../host/lib/core.ts";
import { DOMCTL_MEM_SHARING_OP } from "../../hv-core/abi/domctl.ts";
import {
  DOMCTL_GETDOMAININFO,
  HC_MEMORY_OP,
  SHARING_OP_ADD_PHYSMAP,
  SHARING_OP_AUDIT,
  SHARING_OP_DEBUG_GFN,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_SHARE,
  XENMEM_GET_SHARING_FREED_PAGES,
  XENMEM_GET_SHARING_SHARED_PAGES,
  XENMEM_SHARING_OP,
} from "../../hv-core/abi/hypercalls.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE, FRAMES_BASE, MAILBOX_BASE } from "../../hv-core/abi/layout.ts";
import { ARG, type Door, type Field } from "../hv/door.ts";

/** Offsets in a frame's record (hv-core/mem/frame-table.ts). */
export const FRAME_OWNER = 0;
export const FRAME_FLAGS = 2;
export const FRAME_REFS = 4;
export const FRAME_TYPE_COUNT = 8;
export const FRAME_LOCK = 12;
export const FRAME_M2P = 16;
export const FRAME_SHARING = 28;

export interface Entry {
  readonly mfn: number;
  readonly type: number;
  /** Bits R, W, X. */
  readonly rights: number;
}

export interface Sharing {
  readonly door: Door;
  /** The operation with fields at offsets of the union; what comes back stands in the structure. */
  op(op: number, domid: number, fields?: readonly Field[]): number;
  control(domid: number, enable: boolean): number;
  nominate(domid: number, gfn: number | bigint): { readonly rc: number; readonly handle: bigint };
  /** The handle of a page that can be nominated. */
  handle(domid: number, gfn: number): bigint;
  share(s: number, sgfn: number | bigint, sh: bigint, c: number, cgfn: number | bigint, ch: bigint): number;
  /** Nominates both and shares. */
  merge(s: number, sgfn: number, c: number, cgfn: number): number;
  add(s: number, sgfn: number | bigint, sh: bigint, c: number, cgfn: number | bigint): number;
  debugGfn(domid: number, gfn: number): number;
  audit(): number;
  freed(): number;
  used(): number;
  /** shr_pages of a domain; -1 when it is gone. */
  shared(domid: number): number;
  totPages(domid: number): number;
  entry(domid: number, gfn: number): Entry;
  /** Address of a field of a frame's record. */
  frame(mfn: number, field: number): number;
  /** Writes a word through the page's frame, as its owner would: no p2m is asked. */
  poke(domid: number, gfn: number, value: number): void;
  peek(domid: number, gfn: number): number;
}

export function openSharing(door: Door): Sharing {
  const { view } = door;
  const s: Sharing = {
    door,
    op(op, domid, fields = []) {
      const union = fields.map(([offset, bytes, value]): Field => [offset + 8, bytes, value]);
      const arg = door.put(ARG, 48, [[0, 1, op], [2, 2, domid], ...union]);
      return door.call(HC_MEMORY_OP, XENMEM_SHARING_OP, arg);
    },
    control: (domid, enable) =>
      door.domctl(DOMCTL_MEM_SHARING_OP, domid, [
        [0, 1, 0],
        [1, 1, enable ? 1 : 0],
      ]),
    nominate(domid, gfn) {
      const rc = s.op(SHARING_OP_NOMINATE_GFN, domid, [[0, 8, gfn]]);
      return { rc, handle: rc === 0 ? door.u64(ARG + 16) : 0n };
    },
    handle(domid, gfn) {
      const { rc, handle } = s.nominate(domid, gfn);
      if (rc !== 0) throw new Error(`nominate domain ${domid} gfn ${gfn}: ${rc}`);
      return handle;
    },
    share: (source, sgfn, sh, client, cgfn, ch) =>
      s.op(SHARING_OP_SHARE, source, [
        [0, 8, sgfn],
        [8, 8, sh],
        [16, 8, cgfn],
        [24, 8, ch],
        [32, 2, client],
      ]),
    merge: (source, sgfn, client, cgfn) =>
      s.share(source, sgfn, s.handle(source, sgfn), client, cgfn, s.handle(client, cgfn)),
    add: (source, sgfn, sh, client, cgfn) =>
      s.op(SHARING_OP_ADD_PHYSMAP, source, [
        [0, 8, sgfn],
        [8, 8, sh],
        [16, 8, cgfn],
        [32, 2, client],
      ]),
    debugGfn: (domid, gfn) => s.op(SHARING_OP_DEBUG_GFN, domid, [[0, 8, gfn]]),
    audit: () => s.op(SHARING_OP_AUDIT, 0),
    freed: () => door.call(HC_MEMORY_OP, XENMEM_GET_SHARING_FREED_PAGES),
    used: () => door.call(HC_MEMORY_OP, XENMEM_GET_SHARING_SHARED_PAGES),
    shared(domid) {
      const rc = door.domctl(DOMCTL_GETDOMAININFO, domid);
      return rc !== 0 || door.u16(ARG + 16) !== domid ? -1 : Number(door.result64(32));
    },
    totPages(domid) {
      door.domctl(DOMCTL_GETDOMAININFO, domid);
      return Number(door.result64(8));
    },
    entry(domid, gfn) {
      const steps = door.core.walkGpa(domid, gfn << 12, gfn >>> 20);
      const value = view.getBigUint64(MAILBOX_BASE + (steps - 1) * 32 + 16, true);
      const level = view.getUint32(MAILBOX_BASE + (steps - 1) * 32, true);
      const inside = gfn & ((1 << (9 * (level - 1))) - 1);
      return {
        mfn: Number((value >> 12n) & 0xff_ffff_ffffn) + inside,
        type: Number((value >> 52n) & 63n),
        rights: Number(value & 7n),
      };
    },
    frame: (mfn, field) => FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + field,
    poke: (domid, gfn, value) => view.setUint32(frameAddress(s.entry(domid, gfn).mfn), value, true),
    peek: (domid, gfn) => view.getUint32(FRAMES_BASE + s.entry(domid, gfn).mfn * 4096, true),
  };
  return s;
}
