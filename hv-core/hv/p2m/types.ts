/**
 * Classes of p2m types, and what the hardware may do with a page of a type and an access (spec 01 sections 1.1 and 1.2).
 * Next: p2m/entry.ts makes an EPT entry of it.
 */
import { AS_FIXED, KNOB_TYPE_FETCH } from "../../abi/knobs";
import {
  P2M_ACCESS_N,
  P2M_ACCESS_N2RWX,
  P2M_ACCESS_R,
  P2M_ACCESS_R_PW,
  P2M_ACCESS_RW,
  P2M_ACCESS_RWX,
  P2M_ACCESS_RX,
  P2M_ACCESS_RX2RW,
  P2M_ACCESS_W,
  P2M_ACCESS_WX,
  P2M_ACCESS_X,
  P2M_GRANT_MAP_RO,
  P2M_GRANT_MAP_RW,
  P2M_INVALID,
  P2M_IOREQ_SERVER,
  P2M_MAP_FOREIGN,
  P2M_MMIO_DIRECT,
  P2M_MMIO_DM,
  P2M_POPULATE_ON_DEMAND,
  P2M_RAM_LOGDIRTY,
  P2M_RAM_PAGED,
  P2M_RAM_PAGING_IN,
  P2M_RAM_PAGING_OUT,
  P2M_RAM_RO,
  P2M_RAM_RW,
  P2M_RAM_SHARED,
} from "../../abi/p2m-types";
import { EPTE_R, EPTE_W, EPTE_X } from "../../base/epte";
import { Knobs } from "../../base/machine";

const RAM: u32 =
  (1 << P2M_RAM_RW) |
  (1 << P2M_RAM_LOGDIRTY) |
  (1 << P2M_RAM_RO) |
  (1 << P2M_RAM_PAGING_OUT) |
  (1 << P2M_RAM_PAGED) |
  (1 << P2M_RAM_PAGING_IN) |
  (1 << P2M_RAM_SHARED) |
  (1 << P2M_IOREQ_SERVER);
const ANY_RAM: u32 = RAM | (1 << P2M_GRANT_MAP_RW) | (1 << P2M_GRANT_MAP_RO) | (1 << P2M_MAP_FOREIGN);
const HOLE: u32 = (1 << P2M_INVALID) | (1 << P2M_MMIO_DM) | (1 << P2M_RAM_PAGED) | (1 << P2M_RAM_PAGING_IN);
const READ_ONLY: u32 = (1 << P2M_RAM_LOGDIRTY) | (1 << P2M_RAM_RO) | (1 << P2M_GRANT_MAP_RO) | (1 << P2M_RAM_SHARED);
const DISCARD_WRITE: u32 = (1 << P2M_RAM_RO) | (1 << P2M_GRANT_MAP_RO);
const CHANGEABLE: u32 = (1 << P2M_RAM_RW) | (1 << P2M_RAM_LOGDIRTY) | (1 << P2M_IOREQ_SERVER);
const SPECIAL: u32 =
  (1 << P2M_MMIO_DIRECT) | (1 << P2M_GRANT_MAP_RW) | (1 << P2M_GRANT_MAP_RO) | (1 << P2M_MAP_FOREIGN);
const INVALID_MFN_OK: u32 =
  (1 << P2M_MMIO_DIRECT) |
  (1 << P2M_POPULATE_ON_DEMAND) |
  (1 << P2M_RAM_PAGING_OUT) |
  (1 << P2M_RAM_PAGED) |
  (1 << P2M_RAM_PAGING_IN);
const MMIO: u32 = (1 << P2M_MMIO_DM) | (1 << P2M_MMIO_DIRECT);

const PAGING: u32 = (1 << P2M_RAM_PAGING_OUT) | (1 << P2M_RAM_PAGED) | (1 << P2M_RAM_PAGING_IN);
/** RAM that may be paged out. */
const PAGEABLE: u32 = (1 << P2M_RAM_RW) | (1 << P2M_RAM_LOGDIRTY);

/** Reads of an ioreq_server page are wanted by its server (XEN_DMOP_IOREQ_MEM_ACCESS_READ): nothing goes to RAM then. */
const IOREQ_FLAG_READ: u32 = 1;
/** Writes to an ioreq_server page are wanted by its server (XEN_DMOP_IOREQ_MEM_ACCESS_WRITE). */
const IOREQ_FLAG_WRITE: u32 = 2;

export class P2mType {
  @inline static isIn(set: u32, type: u32): bool {
    return ((set >> (type & 31)) & 1) != 0;
  }

  @inline static isRam(type: u32): bool {
    return P2mType.isIn(RAM, type);
  }

  /** RAM of this or of another domain. */
  @inline static isAnyRam(type: u32): bool {
    return P2mType.isIn(ANY_RAM, type);
  }

  @inline static isHole(type: u32): bool {
    return P2mType.isIn(HOLE, type);
  }

  @inline static isReadOnly(type: u32): bool {
    return P2mType.isIn(READ_ONLY, type);
  }

  /** RAM that the hypervisor may write for its guest. */
  @inline static isWritable(type: u32): bool {
    return P2mType.isChangeable(type);
  }

  /** A CoW frame that somebody else may see as well: nobody may write to it. */
  @inline static isShared(type: u32): bool {
    return type == <u32>P2M_RAM_SHARED;
  }

  /** Pages that may be nominated for sharing. */
  @inline static isSharable(type: u32): bool {
    return type == <u32>P2M_RAM_RW || type == <u32>P2M_RAM_LOGDIRTY;
  }

  /** Writes by the guest vanish without a fault. */
  @inline static isDiscardWrite(type: u32): bool {
    return P2mType.isIn(DISCARD_WRITE, type);
  }

  @inline static isMmio(type: u32): bool {
    return P2mType.isIn(MMIO, type);
  }

  /** Mappings that are not the domain's own RAM and must not be replaced silently. */
  @inline static isSpecial(type: u32): bool {
    return P2mType.isIn(SPECIAL, type);
  }

  /** Types that a bulk change may recompute. */
  @inline static isChangeable(type: u32): bool {
    return P2mType.isIn(CHANGEABLE, type);
  }

  /** Another domain's page, mapped by grant. */
  @inline static isGrant(type: u32): bool {
    return type == <u32>P2M_GRANT_MAP_RW || type == <u32>P2M_GRANT_MAP_RO;
  }

  /** On its way out, out, or on its way in. */
  @inline static isPaging(type: u32): bool {
    return P2mType.isIn(PAGING, type);
  }

  @inline static isPageable(type: u32): bool {
    return P2mType.isIn(PAGEABLE, type);
  }

  @inline static allowsInvalidMfn(type: u32): bool {
    return P2mType.isIn(INVALID_MFN_OK, type);
  }

  /** An ioreq_server page can be written as long as no server wants the writes. */
  @inline private static unlessWatched(ioreqFlags: u32): u64 {
    return (ioreqFlags & IOREQ_FLAG_WRITE) != 0 ? 0 : EPTE_W;
  }

  /** Bits 2:0 of an EPT entry before the access is applied. */
  static permissions(type: u32, ioreqFlags: u32): u64 {
    switch (type) {
      case P2M_RAM_RW:
      case P2M_MMIO_DIRECT:
        return EPTE_R | EPTE_W | EPTE_X;
      case P2M_RAM_LOGDIRTY:
      case P2M_RAM_RO:
      case P2M_RAM_SHARED:
        return EPTE_R | EPTE_X;
      case P2M_GRANT_MAP_RW:
      case P2M_MAP_FOREIGN:
        return EPTE_R | EPTE_W;
      case P2M_GRANT_MAP_RO:
        return EPTE_R;
      case P2M_IOREQ_SERVER:
        if ((ioreqFlags & IOREQ_FLAG_READ) != 0) return 0;
        return EPTE_R | P2mType.unlessWatched(ioreqFlags) | (Knobs.get(KNOB_TYPE_FETCH) == <u32>AS_FIXED ? EPTE_X : 0);
      default:
        return 0;
    }
  }

  /** The bits that an access leaves standing. */
  static accessMask(access: u32): u64 {
    switch (access) {
      case P2M_ACCESS_N:
      case P2M_ACCESS_N2RWX:
        return 0;
      case P2M_ACCESS_R:
      case P2M_ACCESS_R_PW:
        return EPTE_R;
      case P2M_ACCESS_W:
        return EPTE_W;
      case P2M_ACCESS_RW:
        return EPTE_R | EPTE_W;
      case P2M_ACCESS_X:
        return EPTE_X;
      case P2M_ACCESS_RX:
      case P2M_ACCESS_RX2RW:
        return EPTE_R | EPTE_X;
      case P2M_ACCESS_WX:
        return EPTE_W | EPTE_X;
      case P2M_ACCESS_RWX:
        return EPTE_R | EPTE_W | EPTE_X;
      default:
        return 0;
    }
  }
}
