/** Unit-test build: a machine with dom0 (slot 0, one vCPU, RAM gfns 0..15) and one guest (slot 1) that never runs. */
import { ERA_4_17, KNOB_DEVICE_AT, KNOB_ERA, KNOB_PADDR_BITS, KNOB_TLB_ENTRIES, KNOB_TSC_KHZ } from "../abi/knobs";
import { DOMAIN_SIZE, DOMAINS_BASE, FRAME_TABLE_BASE, MACHINE_BASE, TRACE_BASE } from "../abi/layout";
import { P2M_ACCESS_RWX, P2M_RAM_RW } from "../abi/p2m-types";
import { Knobs, Machine } from "../base/machine";
import { Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { createVcpus } from "../hv/domain/vcpu-create";
import { P2m } from "../hv/p2m/p2m";
import { timeInit } from "../hv/time/time";
import { NO_DEADLINE, Vcpu } from "../hv/vcpu";
import { allocFrame } from "../mem/allocator";
import { Frame } from "../mem/frame-table";

export const GUEST_DOMID: u32 = 7;
const DOM0_PAGES: u64 = 16;
const FIRST_MFN: u32 = 1;

/** A machine of `frames` frames; the guest has `vcpus` vCPUs and `pages` pages of RAM. */
export function worldCreate(frames: u32, vcpus: u32, pages: u32, deviceAt: u32): void {
  memory.fill(MACHINE_BASE, 0, FRAME_TABLE_BASE + <usize>frames * 32 - MACHINE_BASE);
  memory.fill(DOMAINS_BASE, 0, 4 * DOMAIN_SIZE);
  memory.fill(TRACE_BASE, 0, 64);
  const m = Machine.get();
  m.frameCount = frames;
  m.frameMark = FIRST_MFN;
  m.nextDeadline = NO_DEADLINE;
  Knobs.set(KNOB_ERA, ERA_4_17);
  Knobs.set(KNOB_DEVICE_AT, deviceAt);
  Knobs.set(KNOB_TLB_ENTRIES, 64);
  Knobs.set(KNOB_TSC_KHZ, 1_000_000);
  Knobs.set(KNOB_PADDR_BITS, 40);
  timeInit();
  addDomain(0, 1, DOM0_PAGES);
  addDomain(GUEST_DOMID, vcpus, pages);
  Domain.at(0).isPrivileged = 1;
}

function addDomain(domid: u32, vcpus: u32, pages: u64): void {
  const d = Domain.at(domainCreate(domid, vcpus, 1023));
  createVcpus(d);
  d.maxPages = <u32>pages;
  d.controllerPause = 0;
  for (let gfn: u64 = 0; gfn < pages; gfn++) {
    const mfn = allocFrame(d.slot, 0);
    P2m.set(d, gfn, mfn, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    Frame.at(mfn).m2p = gfn;
  }
}

export class World {
  @inline static get guest(): Domain {
    return Domain.at(1);
  }

  @inline static get dom0(): Domain {
    return Domain.at(0);
  }

  /** vCPU `id` of the guest. */
  @inline static vcpu(id: u32): Vcpu {
    return Vcpu.at(World.guest.firstVcpu + id);
  }
}
