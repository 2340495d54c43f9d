/**
 * Domains that grant to each other: dom0 (64-bit structures) and guests that make hypercalls on request (32-bit ones), with the operations of
 * grant_table_op. Entries are written where the domain would write them: in the frames of its table, which dom0 has acquired as a toolstack does.
 */
import { frameAddress } from "../../host/lib/core.ts";
import * as g from "../../hv-core/abi/grant.ts";
import { DOMID_SELF, HC_GRANT_TABLE_OP, HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE } from "../../hv-core/abi/hypercalls.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE } from "../../hv-core/abi/layout.ts";
import { type Caller, makeCaller } from "../hv/caller.ts";
import { ARG, type Door, type Field, openDoor } from "../hv/door.ts";
import { openSharing, type Sharing } from "../sharing/support.ts";

/** Where dom0 keeps its structures. */
const DOM0_ARG = 0x1_8000;
/** gfns of dom0 at which tables are mapped. */
const TABLES = 0x800;
/** A gfn of every party at which nothing is mapped. */
export const FREE_GFN = 0x400;

export interface Mapped {
  readonly status: number;
  readonly handle: number;
  readonly machine: number;
}

export interface MapArguments {
  readonly ref: number;
  readonly domid: number;
  readonly gfn?: number;
  readonly flags?: number;
}

/** One side of a copy. */
export interface Side {
  readonly ref?: number;
  readonly gfn?: number;
  readonly domid?: number;
  readonly offset?: number;
}

export interface Party {
  readonly domid: number;
  readonly is64: boolean;
  op(command: number, fields: readonly Field[], bytes: number, count?: number): number;
  call(nr: number, ...args: number[]): number;
  u32(offset: number): number;
  i16(offset: number): number;
  map(args: MapArguments): Mapped;
  unmap(handle: number, gfn?: number): number;
  copy(source: Side, dest: Side, length: number): number;
  setVersion(version: number): number;
  /** Bytes of one of its pages, as the machine holds them now. */
  page(gfn: number): Uint8Array;
}

export interface Granter extends Party {
  /** Address of entry `ref`, in the version that the table has. */
  entry(ref: number): number;
  /** Grants a page by an entry of version 1. */
  grant(ref: number, to: number, gfn: number, flags?: number): void;
  /** An entry of version 2: `word` stands behind the domid, `last` at its end. */
  grant2(ref: number, to: number, flags: number, word: number, last: number): void;
  /** The flags of an entry of version 1. */
  flags(ref: number): number;
  /** The marks of an entry of version 2. */
  status(ref: number): number;
  /** dom0 lets the frames of the table go: otherwise the domain cannot. */
  release(): void;
  readonly caller?: Caller;
}

export interface World {
  readonly door: Door;
  readonly sharing: Sharing;
  readonly dom0: Granter;
  guest(extra?: readonly Field[]): Granter;
  entry(domid: number, gfn: number): { readonly mfn: number; readonly type: number; readonly rights: number };
  refs(mfn: number): number;
  typeCount(mfn: number): number;
}

type Raw = Pick<Party, "domid" | "is64" | "call"> & { at(): number; arg: number };

function partyOf(world: World, raw: Raw): Party {
  const { door } = world;
  const put = (offset: number, bytes: number, value: number | bigint): void => {
    for (let i = 0; i < bytes; i++)
      door.view.setUint8(raw.at() + offset + i, Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
  };
  const side = (s: Side): [number, number] => [s.ref ?? s.gfn ?? 0, s.domid ?? DOMID_SELF];
  const party: Party = {
    domid: raw.domid,
    is64: raw.is64,
    call: raw.call,
    op(command, fields, bytes, count = 1) {
      new Uint8Array(door.view.buffer, raw.at(), bytes).fill(0);
      for (const [offset, size, value] of fields) put(offset, size, value);
      return raw.call(HC_GRANT_TABLE_OP, command, raw.arg, count);
    },
    u32: (offset) => door.view.getUint32(raw.at() + offset, true),
    i16: (offset) => door.view.getInt16(raw.at() + offset, true),
    map({ ref, domid, gfn = FREE_GFN, flags = g.GNTMAP_HOST_MAP }) {
      const rc = party.op(
        g.GNTTABOP_MAP_GRANT_REF,
        [
          [0, 8, gfn * 4096],
          [8, 4, flags],
          [12, 4, ref],
          [16, 2, domid],
          [20, 4, 0xffff_ffff],
        ],
        32,
      );
      if (rc !== 0) throw new Error(`map: ${rc}`);
      return { status: party.i16(18), handle: party.u32(20), machine: party.u32(24) };
    },
    unmap(handle, gfn = FREE_GFN) {
      const rc = party.op(
        g.GNTTABOP_UNMAP_GRANT_REF,
        [
          [0, 8, gfn * 4096],
          [16, 4, handle],
        ],
        24,
      );
      if (rc !== 0) throw new Error(`unmap: ${rc}`);
      return party.i16(20);
    },
    copy(source, dest, length) {
      const flags = (source.ref === undefined ? 0 : 1) | (dest.ref === undefined ? 0 : 2);
      const [from, fromDomid] = side(source);
      const [to, toDomid] = side(dest);
      const [word, half] = raw.is64 ? [8, 16] : [4, 8];
      const end = 2 * half;
      const rc = party.op(
        g.GNTTABOP_COPY,
        [
          ...([
            [0, word, from],
            [word, 2, fromDomid],
            [word + 2, 2, source.offset ?? 0],
          ] as Field[]),
          ...([
            [half, word, to],
            [half + word, 2, toDomid],
            [half + word + 2, 2, dest.offset ?? 0],
          ] as Field[]),
          ...([
            [end, 2, length],
            [end + 2, 2, flags],
          ] as Field[]),
        ],
        raw.is64 ? 40 : 24,
      );
      if (rc !== 0) throw new Error(`copy: ${rc}`);
      return party.i16(end + 4);
    },
    setVersion: (version) => party.op(g.GNTTABOP_SET_VERSION, [[0, 4, version]], 4),
    page: (gfn) => new Uint8Array(door.view.buffer, frameAddress(world.entry(raw.domid, gfn).mfn), 4096),
  };
  return party;
}

/** dom0 maps frame `index` of a table's resource. @returns its gfn in dom0, or a negative errno. */
export function acquire(door: Door, domid: number, id: number, index: number, gfn: number, count = 1): number {
  const list = 0x1_a000;
  door.put(
    list,
    count * 8,
    Array.from({ length: count }, (_, i): Field => [i * 8, 8, gfn + i]),
  );
  const arg = door.put(ARG, 32, [
    [0, 2, domid],
    [2, 2, g.XENMEM_RESOURCE_GRANT_TABLE],
    [4, 4, id],
    [8, 4, count],
    [16, 8, index],
    [24, 8, list],
  ]);
  const rc = door.call(HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE, arg);
  return rc === 0 ? gfn : rc;
}

let tables = 0;

function granterOf(world: World, raw: Raw, own: (index: number, isStatus: boolean) => number): Granter {
  const { door } = world;
  const view = door.view;
  const party = partyOf(world, raw);
  const granter: Granter = {
    ...party,
    entry: (ref) => own(0, false) + ref * 8,
    grant(ref, to, gfn, flags = g.GTF_PERMIT_ACCESS) {
      view.setUint32(own(0, false) + ref * 8 + 4, gfn, true);
      view.setUint32(own(0, false) + ref * 8, flags | (to << 16), true);
    },
    grant2(ref, to, flags, word, last) {
      const at = own(0, false) + ref * 16;
      view.setUint32(at + 4, word, true);
      view.setBigUint64(at + 8, BigInt(last), true);
      view.setUint32(at, flags | (to << 16), true);
    },
    flags: (ref) => view.getUint16(own(0, false) + ref * 8, true),
    status: (ref) => view.getUint16(own(0, true) + ref * 2, true),
    release() {},
  };
  return granter;
}

export function openWorld(
  options: { frames?: number; knobs?: readonly (readonly [number, number])[]; tainted?: boolean; door?: Door } = {},
): World {
  const door = options.door ?? openDoor(options.frames ?? 4096, options.knobs, options.tainted);
  const sharing = openSharing(door);
  const world: World = {
    door,
    sharing,
    get dom0() {
      return dom0;
    },
    guest(extra = []) {
      const caller = makeCaller(door, 0, 1, extra);
      const base = TABLES + 2 * (tables++ % 256);
      const frame = (isStatus: boolean): number => {
        const gfn = base + (isStatus ? 1 : 0);
        const got = acquire(door, caller.domid, isStatus ? 1 : 0, 0, gfn);
        if (got < 0) throw new Error(`acquire: ${got}`);
        return frameAddress(door.core.dom0Mfn(gfn));
      };
      const unmap = (gfn: number): void => {
        door.call(
          HC_MEMORY_OP,
          15,
          door.put(ARG, 16, [
            [0, 2, DOMID_SELF],
            [8, 8, gfn],
          ]),
        );
      };
      const raw: Raw = {
        domid: caller.domid,
        is64: false,
        call: caller.call,
        at: () => caller.data.address,
        arg: caller.data.gpa,
      };
      // The status frame is mapped for one look only: the guest may change its version at any time.
      const own = (_: number, isStatus: boolean): number => {
        const at = frame(isStatus);
        if (isStatus) unmap(base + 1);
        return at;
      };
      const granter = granterOf(world, raw, own);
      return { ...granter, caller, release: () => [base, base + 1].forEach(unmap) };
    },
    entry: (domid, gfn) => sharing.entry(domid, gfn),
    refs: (mfn) => door.view.getUint32(FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + 4, true),
    typeCount: (mfn) => door.view.getUint32(FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + 8, true),
  };
  // dom0 maps its own table with add_to_physmap, as any domain may.
  const ownTable = (): number => {
    const gfn = TABLES + 0x300;
    const rc = door.call(
      HC_MEMORY_OP,
      7,
      door.put(ARG, 24, [
        [0, 2, DOMID_SELF],
        [4, 4, 1],
        [8, 8, 0],
        [16, 8, gfn],
      ]),
    );
    if (rc !== 0) throw new Error(`add_to_physmap: ${rc}`);
    return frameAddress(door.core.dom0Mfn(gfn));
  };
  const raw: Raw = {
    domid: 0,
    is64: true,
    call: (nr, ...a) => door.call(nr, ...a),
    at: () => door.at(DOM0_ARG),
    arg: DOM0_ARG,
  };
  const dom0 = granterOf(world, raw, ownTable);
  return world;
}
