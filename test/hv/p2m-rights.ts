/** What the hardware may do with a page: the tables of spec 01 sections 1.1 and 1.2, written down a second time. R 1, W 2, X 4. */
import * as p2m from "../../hv-core/abi/p2m-types.ts";

const TYPE_RIGHTS: Readonly<Record<number, number>> = {
  [p2m.P2M_RAM_RW]: 7,
  [p2m.P2M_RAM_LOGDIRTY]: 5,
  [p2m.P2M_RAM_RO]: 5,
  [p2m.P2M_MMIO_DIRECT]: 7,
  [p2m.P2M_GRANT_MAP_RW]: 3,
  [p2m.P2M_GRANT_MAP_RO]: 1,
  [p2m.P2M_RAM_SHARED]: 5,
  [p2m.P2M_MAP_FOREIGN]: 3,
};

const ACCESS_CLEARS: Readonly<Record<number, number>> = {
  [p2m.P2M_ACCESS_N]: 7,
  [p2m.P2M_ACCESS_N2RWX]: 7,
  [p2m.P2M_ACCESS_R]: 6,
  [p2m.P2M_ACCESS_R_PW]: 6,
  [p2m.P2M_ACCESS_W]: 5,
  [p2m.P2M_ACCESS_X]: 3,
  [p2m.P2M_ACCESS_RX]: 2,
  [p2m.P2M_ACCESS_RX2RW]: 2,
  [p2m.P2M_ACCESS_WX]: 1,
  [p2m.P2M_ACCESS_RW]: 4,
  [p2m.P2M_ACCESS_RWX]: 0,
};

/** A watched page loses W when its server wants the writes, and R with it (W alone is illegal) when it wants the reads. */
const watchedRights = (flags: number): number => (flags & 1 ? 0 : flags & 2 ? 1 : 3);

/** `ioreqFlags`: DMOP_MEM_ACCESS_* of the type's server. */
export function rightsOf(type: number, access: number, ioreqFlags = 0): number {
  const byType = type === p2m.P2M_IOREQ_SERVER ? watchedRights(ioreqFlags) : (TYPE_RIGHTS[type] ?? 0);
  return byType & ~ACCESS_CLEARS[access]!;
}
