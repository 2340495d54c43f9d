/**
 * An ioreq server: one end point of a domain's I/O, answered by a device model in another domain (spec 03 section 3.1).
 * 4 KiB each at IOREQ_SERVERS_BASE. A domain has up to eight; the newest one with a matching range gets an access.
 *
 * Life: hv/ioreq/life-cycle.ts. Pages: pages.ts. Ranges: ranges.ts. One request: select.ts, send.ts, complete.ts.
 * Every field is written with the domain's ioreqLock held and the domain paused, except where another writer is named.
 */
import { ENOENT, EPERM } from "../../abi/errno";
import { MAX_NR_IOREQ_SERVERS } from "../../abi/ioreq";
import {
  SERVER_BUF_MFN,
  SERVER_ENABLED,
  SERVER_RANGES,
  SERVER_SYNC_MFN,
  SERVER_TYPE_FLAGS,
} from "../../abi/ioreq-server";
import { IOREQ_SERVER_SIZE, IOREQ_SERVERS_BASE, MAX_IOREQ_SERVERS_TOTAL } from "../../abi/layout";
import { Machine } from "../../base/machine";
import { Poison } from "../../base/poison";
import { Domain, NO_SERVER } from "../domain";

/** The page has no gfn: it came from acquire_resource (or there is no page at all). */
export const NO_GFN: u64 = 0xffff_ffff_ffff_ffff;

/** vCPUs that fit into the synchronous page. */
export const IOREQ_MAX_VCPUS: u32 = 128;

/** Values of IoreqServer.*Source: where the gfn of a page came from. */
export const GFN_FROM_POOL: u32 = 1;
export const GFN_FROM_PARAM: u32 = 2;

@unmanaged
export class IoreqServer {
  inUse: u32;
  /** Index in the domain, 0..7. */
  id: u32;
  /** Slot of the domain whose I/O is emulated. */
  target: u32;
  /** Domain id of the device model: only it may call. */
  emulator: u32;
  enabled: u32;
  /** BUFIOREQ_OFF, _LEGACY or _ATOMIC. */
  bufHandling: u32;
  /** Port of the target's channel for the buffered ring. */
  bufPort: u32;
  bufLock: u32;

  // The two shared pages: use page(which), PAGE_SYNC or PAGE_BUFFERED. Written by: pages.ts.
  syncGfn: u64;
  syncMfn: u32;
  syncSource: u32;
  bufGfn: u64;
  bufMfn: u32;
  bufSource: u32;

  /** Rangesets for ports, memory, PCI functions: use ranges(type). */
  ranges0: u32;
  ranges1: u32;
  ranges2: u32;
  /** DMOP_MEM_ACCESS_* for pages of type ioreq_server; 0 = not this server's. Written by: mem-type.ts. */
  typeFlags: u32;

  @inline ranges(type: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<IoreqServer>("ranges0") + ((<usize>type) << 2));
  }

  @inline setRanges(type: u32, head: u32): void {
    store<u32>(changetype<usize>(this) + offsetof<IoreqServer>("ranges0") + ((<usize>type) << 2), head);
  }

  @inline page(which: u32): IoreqPage {
    return changetype<IoreqPage>(
      changetype<usize>(this) + offsetof<IoreqServer>("syncGfn") + which * offsetof<IoreqPage>(),
    );
  }

  /** Port of the target's channel for the slot of vCPU `id`, 0 = none. */
  @inline port(id: u32): u32 {
    return load<u32>(changetype<usize>(this) + PORTS_OFFSET + ((<usize>id) << 2));
  }

  @inline setPort(id: u32, port: u32): void {
    store<u32>(changetype<usize>(this) + PORTS_OFFSET + ((<usize>id) << 2), port);
  }

  @inline static at(address: u32): IoreqServer {
    return changetype<IoreqServer>(<usize>address);
  }

  @inline get address(): u32 {
    return <u32>changetype<usize>(this);
  }

  @inline get domain(): Domain {
    return Domain.at(this.target);
  }
}

const PORTS_OFFSET: usize = 0x800;

/** One of a server's shared pages. */
@unmanaged
export class IoreqPage {
  gfn: u64;
  /** 0 = no page. */
  mfn: u32;
  /** GFN_FROM_* while gfn is one of the domain's. */
  source: u32;
}

export const PAGE_SYNC: u32 = 0;
export const PAGE_BUFFERED: u32 = 1;

if (offsetof<IoreqServer>("enabled") != SERVER_ENABLED) ERROR("IoreqServer.enabled moved");
if (offsetof<IoreqServer>("syncMfn") != SERVER_SYNC_MFN) ERROR("IoreqServer.syncMfn moved");
if (offsetof<IoreqServer>("bufMfn") != SERVER_BUF_MFN) ERROR("IoreqServer.bufMfn moved");
if (offsetof<IoreqServer>("ranges0") != SERVER_RANGES) ERROR("IoreqServer.ranges0 moved");
if (offsetof<IoreqServer>("typeFlags") != SERVER_TYPE_FLAGS) ERROR("IoreqServer.typeFlags moved");
if (offsetof<IoreqServer>("bufGfn") - offsetof<IoreqServer>("syncGfn") != offsetof<IoreqPage>())
  ERROR("IoreqPage and IoreqServer differ");
if (offsetof<IoreqServer>() > PORTS_OFFSET || PORTS_OFFSET + IOREQ_MAX_VCPUS * 4 > <usize>IOREQ_SERVER_SIZE)
  ERROR("IoreqServer outgrew its place");

const SITE_SERVER_USED_AFTER_FREE: u32 = 15;
/** What stays zero in a free record: `inUse`. */
const FREE_HEADER: usize = 8;

/** An unused, zeroed server record; NO_SERVER when the machine has none left. */
export function ioreqServerAlloc(): u32 {
  const m = Machine.get();
  let address: u32 = IOREQ_SERVERS_BASE;
  for (let i: u32 = 0; i < m.ioreqServerMark; i++, address += IOREQ_SERVER_SIZE) {
    if (IoreqServer.at(address).inUse != 0) continue;
    Poison.check(<usize>address + FREE_HEADER, IOREQ_SERVER_SIZE - FREE_HEADER, SITE_SERVER_USED_AFTER_FREE);
    return claim(address);
  }
  if (m.ioreqServerMark >= <u32>MAX_IOREQ_SERVERS_TOTAL) return NO_SERVER;
  m.ioreqServerMark++;
  return claim(address);
}

function claim(address: u32): u32 {
  memory.fill(<usize>address, 0, IOREQ_SERVER_SIZE);
  const s = IoreqServer.at(address);
  s.inUse = 1;
  s.syncGfn = NO_GFN;
  s.bufGfn = NO_GFN;
  return address;
}

export function ioreqServerFree(s: IoreqServer): void {
  memory.fill(changetype<usize>(s), 0, IOREQ_SERVER_SIZE);
  Poison.fill(changetype<usize>(s) + FREE_HEADER, IOREQ_SERVER_SIZE - FREE_HEADER);
}

/** The server `id` of the domain, NO_SERVER when the id is out of range or free. */
export function ioreqServerFind(d: Domain, id: u32): u32 {
  return id < <u32>MAX_NR_IOREQ_SERVERS ? d.ioreqServer(id) : NO_SERVER;
}

/**
 * The server `id` of `d` as the caller may use it.
 *
 * @returns its address, or -ENOENT, or -EPERM when `caller` is not the domain that created it. ioreqLock must be held.
 */
export function ioreqServerOf(d: Domain, id: u32, caller: u32): i32 {
  const address = ioreqServerFind(d, id);
  if (address == NO_SERVER) return -ENOENT;
  if (IoreqServer.at(address).emulator != caller) return -EPERM;
  return <i32>address;
}
