/**
 * A domain is born: identity, empty p2m, shared_info, event channels; paused once by its toolstack (spec 05 section 5.3).
 * Next: domain/vcpu-create.ts; the end of it: domain/destroy.ts.
 */
import { ENOMEM, ENOSPC, OK } from "../../abi/errno";
import { GRANT_FRAMES_LIMIT, GRANT_MAPTRACK_LIMIT, GRANT_MAX_VERSION } from "../../abi/grant";
import { DOMID_FIRST_RESERVED, HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_REBOOT } from "../../abi/hypercalls";
import { KNOB_TSC_KHZ } from "../../abi/knobs";
import { DOMAIN_SIZE, DOMAINS_BASE, MAX_DOMAINS } from "../../abi/layout";
import { P2M_ACCESS_RWX } from "../../abi/p2m-types";
import { TRC_DOMAIN_CREATED } from "../../abi/trace-events";
import { Knobs, Machine } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_SHOWN, FRAME_XEN_HEAP } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain, NO_SLOT } from "../domain";
import { portsInit } from "../evtchn/port";
import { ioreqDomainInit } from "../ioreq/domain";
import { tableAlloc } from "../p2m/tables";
import { SHUTDOWN_NONE } from "./shutdown";
import { DomainTable } from "./table";

/** EPT tables a domain may use before its toolstack says more: 1 MiB, as Xen's HAP gives. */
const DEFAULT_PAGING_POOL: u32 = 256;

/** The machine is one node. */
const ALL_NODES: u64 = 1;
/** Scheduler weight of a new domain, as credit2 gives. */
const DEFAULT_WEIGHT: u32 = 256;

/** The next id the rover comes to that is not in use. Ids start at 1: 0 is dom0. */
export function pickDomid(): u32 {
  const m = Machine.get();
  let id = m.domidRover;
  for (let tries = 0; tries <= MAX_DOMAINS; tries++) {
    if (id == 0 || id >= <u32>DOMID_FIRST_RESERVED) id = 1;
    if (Domain.find(id) == 0) break;
    id++;
  }
  m.domidRover = id + 1;
  return id;
}

/** Pages that every domain has: root table, shared_info, first bucket of ports. */
function allocatePages(d: Domain): i32 {
  d.p2mRoot = tableAlloc(d);
  d.sharedInfoMfn = allocFrame(d.slot, FRAME_XEN_HEAP | FRAME_SHOWN);
  if (d.p2mRoot == 0 || d.sharedInfoMfn == 0 || portsInit(d) != OK) {
    if (d.p2mRoot != 0) freeFrame(d.p2mRoot);
    if (d.sharedInfoMfn != 0) freeFrame(d.sharedInfoMfn);
    return -ENOMEM;
  }
  return OK;
}

/**
 * A new domain with this id (not in use) and at most `maxVcpus` vCPUs, paused.
 * @returns its slot, or -ENOMEM / -ENOSPC.
 */
export function domainCreate(domid: u32, maxVcpus: u32, maxEvtchnPort: u32): i32 {
  const slot = DomainTable.freeSlot();
  if (slot == NO_SLOT) return -ENOSPC;
  memory.fill(DOMAINS_BASE + <usize>slot * DOMAIN_SIZE, 0, DOMAIN_SIZE);
  const m = Machine.get();
  const d = Domain.at(slot);
  d.slot = slot;
  d.domid = domid;
  d.isHvm = 1;
  d.maxVcpus = maxVcpus;
  d.maxEvtchnPort = maxEvtchnPort;
  d.is64 = 1;
  d.controllerPause = 1;
  d.shutdownCode = SHUTDOWN_NONE;
  d.p2mDefaultAccess = P2M_ACCESS_RWX;
  d.pagingPool = DEFAULT_PAGING_POOL;
  d.createdAt = m.now;
  d.tscKhz = Knobs.get(KNOB_TSC_KHZ);
  d.tscIncarnation = 1;
  d.nodeAffinity = ALL_NODES;
  d.schedWeight = DEFAULT_WEIGHT;
  d.relinquishNext = 1;
  d.grantMaxFrames = GRANT_FRAMES_LIMIT;
  d.grantMaxMaptrack = GRANT_MAPTRACK_LIMIT;
  d.grantMaxVersion = GRANT_MAX_VERSION;
  d.setParam(HVM_PARAM_TRIPLE_FAULT_REASON, SHUTDOWN_REBOOT);
  const error = allocatePages(d);
  if (error != OK) return error;
  d.state = DOMAIN_ALIVE;
  DomainTable.insert(d);
  ioreqDomainInit(d);
  Trace.event(TRC_DOMAIN_CREATED, TRACE_NO_VCPU, domid, 0, 0);
  return <i32>slot;
}
