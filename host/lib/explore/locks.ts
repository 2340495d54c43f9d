/** Locks of a race's machine: who holds one, and its name. A lock is a word: owner | depth << 16 (hv-core/base/lock.ts). */
import { CONT_FIRST_PROCESSOR } from "../../../hv-core/abi/continuation.ts";
import { DOM_DOMID } from "../../../hv-core/abi/domain.ts";
import {
  DOMAIN_EVENTS_OFFSET,
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  IO_STATE_BASE,
  IO_STATE_SIZE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MACHINE_BASE,
  MAX_DOMAINS,
  MAX_FRAMES,
} from "../../../hv-core/abi/layout.ts";
import * as order from "../../../hv-core/abi/lock-order.ts";
import type { Core } from "../core.ts";

const DOMAIN_LOCKS: readonly (readonly [offset: number, name: string])[] = [
  [order.LOCK_P2M_OFFSET, "p2m"],
  [order.LOCK_P2M_IOREQ_OFFSET, "ioreq type"],
  [order.LOCK_IOREQ_OFFSET, "ioreq servers"],
  [order.LOCK_POD_OFFSET, "populate-on-demand"],
  [order.LOCK_PAGING_OFFSET, "log-dirty"],
  [order.LOCK_EVTCHN_OFFSET, "event channels"],
  [order.LOCK_GRANT_OFFSET, "grant table"],
  [order.LOCK_IO_PORTS_OFFSET, "port mappings"],
  [order.LOCK_VNUMA_OFFSET, "virtual NUMA"],
  [DOMAIN_EVENTS_OFFSET, "paging ring"],
  [DOMAIN_EVENTS_OFFSET + 64, "monitor ring"],
  [DOMAIN_EVENTS_OFFSET + 128, "sharing ring"],
];

/** "p2m lock of domain 1". */
export function lockName(core: Core, address: number): string {
  const offset = address - DOMAINS_BASE;
  if (offset >= 0 && offset < MAX_DOMAINS * DOMAIN_SIZE) {
    const start = DOMAINS_BASE + Math.floor(offset / DOMAIN_SIZE) * DOMAIN_SIZE;
    const name = DOMAIN_LOCKS.find(([at]) => at === offset % DOMAIN_SIZE)?.[1] ?? `+${offset % DOMAIN_SIZE}`;
    return `${name} lock of domain ${core.u32[(start + DOM_DOMID) >> 2]}`;
  }
  if (address >= IO_STATE_BASE && address < IO_STATE_BASE + IO_STATE_SIZE) return "I/O resources lock";
  if (address >= IOREQ_SERVERS_BASE && address < IOREQ_SERVERS_BASE + 256 * IOREQ_SERVER_SIZE)
    return "buffered ring lock of an ioreq server";
  if (address >= FRAME_TABLE_BASE && address < FRAME_TABLE_BASE + MAX_FRAMES * FRAME_RECORD_SIZE)
    return `lock of the page with frame ${Math.floor((address - FRAME_TABLE_BASE) / FRAME_RECORD_SIZE)}`;
  return `lock 0x${address.toString(16)}`;
}

/** 0 = free; otherwise the processor that holds the lock. */
export const lockOwner = (core: Core, address: number): number => core.u32[address >> 2]! & 0xffff;

/** Index of the actor that runs on a processor of dom0, -1 for a processor of the guest. */
export const actorOfProcessor = (processor: number): number =>
  processor >= CONT_FIRST_PROCESSOR ? processor - CONT_FIRST_PROCESSOR - 1 : -1;

/** Who holds which lock of the guest: "p2m lock: guest0". */
export function lockHolders(
  { core, domainAt }: { readonly core: Core; readonly domainAt: number },
  actors: readonly { readonly name: string; readonly processor: number }[],
): string[] {
  return heldLocks(core, domainAt).map((at) => {
    const owner = lockOwner(core, at);
    const holder = actors.find((actor) => actor.processor === owner)?.name ?? `processor ${owner}`;
    return `${lockName(core, at).replace(/ lock of.*/, "")} lock: ${holder}`;
  });
}

/** Addresses of the locks of a domain that somebody holds. */
export function heldLocks(core: Core, domainAt: number): number[] {
  return DOMAIN_LOCKS.map(([offset]) => domainAt + offset).filter((at) => core.u32[at >> 2] !== 0);
}

/** Whether the word at `address` is a lock. */
export function isLockWord(address: number): boolean {
  const offset = address - DOMAINS_BASE;
  if (offset >= 0 && offset < MAX_DOMAINS * DOMAIN_SIZE)
    return DOMAIN_LOCKS.some(([at]) => at === offset % DOMAIN_SIZE);
  if (address === MACHINE_BASE + order.LOCK_DOMCTL_OFFSET) return true;
  const inServers = address - IOREQ_SERVERS_BASE;
  return (
    inServers >= 0 &&
    inServers < 256 * IOREQ_SERVER_SIZE &&
    inServers % IOREQ_SERVER_SIZE === order.LOCK_BUFFERED_OFFSET
  );
}
