/** Device-model operations: one typed function per DMOP (spec 03 section 3.2). Buffer 0 is struct dm_op: op u32@0, pad, union@8. */
import {
  DMOP_CREATE_IOREQ_SERVER,
  DMOP_DESTROY_IOREQ_SERVER,
  DMOP_GET_IOREQ_SERVER_INFO,
  DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_REMOTE_SHUTDOWN,
  DMOP_SET_IOREQ_SERVER_STATE,
  DMOP_SET_MEM_TYPE,
  DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER,
  HC_DM_OP,
} from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../hv-core/abi/p2m-types.ts";
import { handleField, plain, safeHypercall, setHandle } from "../buffers/call.ts";
import { struct, U8 } from "../buffers/element.ts";
import type { Safe } from "../buffers/safe.ts";
import { allocStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { type CallArguments, check } from "../errors.ts";
import { type DomId, Port, ServerId } from "../ids.ts";

const XEN_DM_OP = struct("xen_dm_op", 32);
const UNION = 8;
/** Two descriptors of 16 bytes: address, length. */
const DM_OP_BUFS = struct("xen_dm_op_buf", 32);
const FIRST_BUFFER = handleField(DM_OP_BUFS, 0, XEN_DM_OP, "inout");
const SECOND_BUFFER = handleField(DM_OP_BUFS, 16, U8, "inout");

/** The second buffer of an operation that has one, and how many of its bytes count. */
export interface SecondBuffer {
  readonly buffer: Safe<typeof U8, "inout">;
  readonly bytes: number;
}

/**
 * One dm_op; `fill` and `read` get a view of its structure and the offset of the union.
 */
export function dmOp<T>(
  dom0: Dom0,
  domid: DomId,
  name: string,
  number: number,
  fill: (view: DataView, at: number) => void,
  read: (view: DataView, at: number) => T,
  second?: SecondBuffer,
  args: CallArguments = {},
): T {
  const { arena } = dom0;
  using op = allocStruct(arena, XEN_DM_OP, "inout");
  op.setU32(0, number);
  fill(op.fields(), UNION);
  using bufs = allocStruct(arena, DM_OP_BUFS, "in");
  setHandle(bufs, FIRST_BUFFER, op);
  bufs.setU64(8, XEN_DM_OP.bytes);
  if (second) {
    setHandle(bufs, SECOND_BUFFER, second.buffer, second.bytes);
    bufs.setU64(24, second.bytes);
  }
  const result = safeHypercall(dom0, plain(HC_DM_OP), plain(domid), plain(second ? 2 : 1), bufs);
  check(result, name, { arguments: { domid, ...args } });
  return read(op.fields(), UNION);
}

const nothing = (): void => {};

/** @param handling BUFIOREQ_OFF, _LEGACY or _ATOMIC */
export function createIoreqServer(dom0: Dom0, domid: DomId, handling: number): ServerId {
  return dmOp(
    dom0,
    domid,
    "XEN_DMOP_create_ioreq_server",
    DMOP_CREATE_IOREQ_SERVER,
    (view, at) => view.setUint8(at, handling),
    (view, at) => ServerId(view.getUint16(at + 4, true)),
  );
}

/** The port of the buffered ring; does not ask for gfns, so that the pages can be mapped with XENMEM_acquire_resource. */
export function getIoreqServerBufferedPort(dom0: Dom0, domid: DomId, server: ServerId): Port {
  return dmOp(
    dom0,
    domid,
    "XEN_DMOP_get_ioreq_server_info",
    DMOP_GET_IOREQ_SERVER_INFO,
    (view, at) => {
      view.setUint16(at, server, true);
      view.setUint16(at + 2, 1, true); // no_gfns
    },
    (view, at) => Port(view.getUint32(at + 4, true)),
  );
}

export interface IoRange {
  /** IO_RANGE_PORT or IO_RANGE_MEMORY. */
  readonly space: number;
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

function rangeOp(dom0: Dom0, domid: DomId, server: ServerId, range: IoRange, name: string, op: number): void {
  dmOp(
    dom0,
    domid,
    name,
    op,
    (view, at) => {
      view.setUint16(at, server, true);
      view.setUint32(at + 4, range.space, true);
      view.setUint32(at + 8, range.start % 2 ** 32, true);
      view.setUint32(at + 12, Math.floor(range.start / 2 ** 32), true);
      view.setUint32(at + 16, range.end % 2 ** 32, true);
      view.setUint32(at + 20, Math.floor(range.end / 2 ** 32), true);
    },
    nothing,
  );
}

export function mapIoRange(dom0: Dom0, domid: DomId, server: ServerId, range: IoRange): void {
  rangeOp(dom0, domid, server, range, "XEN_DMOP_map_io_range_to_ioreq_server", DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER);
}

export function unmapIoRange(dom0: Dom0, domid: DomId, server: ServerId, range: IoRange): void {
  rangeOp(
    dom0,
    domid,
    server,
    range,
    "XEN_DMOP_unmap_io_range_from_ioreq_server",
    DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER,
  );
}

export function setIoreqServerState(dom0: Dom0, domid: DomId, server: ServerId, enabled: boolean): void {
  dmOp(
    dom0,
    domid,
    "XEN_DMOP_set_ioreq_server_state",
    DMOP_SET_IOREQ_SERVER_STATE,
    (view, at) => {
      view.setUint16(at, server, true);
      view.setUint8(at + 2, enabled ? 1 : 0);
    },
    nothing,
  );
}

export function destroyIoreqServer(dom0: Dom0, domid: DomId, server: ServerId): void {
  dmOp(
    dom0,
    domid,
    "XEN_DMOP_destroy_ioreq_server",
    DMOP_DESTROY_IOREQ_SERVER,
    (view, at) => view.setUint16(at, server, true),
    nothing,
  );
}

export function setMemType(dom0: Dom0, domid: DomId, first: number, count: number, type: number): void {
  dmOp(
    dom0,
    domid,
    "XEN_DMOP_set_mem_type",
    DMOP_SET_MEM_TYPE,
    (view, at) => {
      view.setUint32(at, count, true);
      view.setUint16(at + 4, type, true);
      view.setUint32(at + 8, first, true);
    },
    nothing,
  );
}

/** Gives the writes to pages of type ioreq_server to a server, or takes them away. @param flags DMOP_MEM_ACCESS_*, 0 = take away */
export function mapMemType(dom0: Dom0, domid: DomId, server: ServerId, flags: number): void {
  dmOp(
    dom0,
    domid,
    "XEN_DMOP_map_mem_type_to_ioreq_server",
    DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
    (view, at) => {
      view.setUint16(at, server, true);
      view.setUint16(at + 2, HVMMEM_IOREQ_SERVER, true);
      view.setUint32(at + 4, flags, true);
    },
    nothing,
  );
}

export function dmRemoteShutdown(dom0: Dom0, domid: DomId, reason: number): void {
  dmOp(
    dom0,
    domid,
    "XEN_DMOP_remote_shutdown",
    DMOP_REMOTE_SHUTDOWN,
    (view, at) => view.setUint32(at, reason, true),
    nothing,
  );
}
