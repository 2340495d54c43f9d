/**
 * A guest with a few pages and a listener in dom0, for the tests of vm_event, page access and paging: the ring as a consumer sees it, and
 * every call with its errno. One vCPU runs `program` in flat 32-bit mode.
 */
import { frameAddress } from "../../host/lib/core.ts";
import { decodeEpte } from "../../host/lib/epte.ts";
import { type Instruction, program } from "../../host/lib/explore/code.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { CPU_RIP } from "../../hv-core/abi/cpu.ts";
import { DOMCTL_MONITOR_OP, DOMCTL_SET_ACCESS_REQUIRED, DOMCTL_VM_EVENT_OP } from "../../hv-core/abi/domctl.ts";
import {
  DOMCTL_GETDOMAININFO,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_SELF,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_SEND,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HVM_SAVE_HEADER_SIZE,
  HVMOP_SET_PARAM,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { ERA_4_17, KNOB_ERA, KNOB_MEM_PAGING } from "../../hv-core/abi/knobs.ts";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  MAILBOX_BASE,
  VCPU_EVENTS_OFFSET,
  VCPU_HV_OFFSET,
  VCPU_SIZE,
  VCPUS_BASE,
} from "../../hv-core/abi/layout.ts";
import {
  EV_ACCESS_FLAGS,
  EV_FLAGS,
  EV_GFN,
  EV_GLA,
  EV_OFFSET,
  EV_P2MT,
  EV_PAGING_FLAGS,
  EV_REASON,
  EV_VCPU_ID,
  EV_VERSION,
  RING_ENTRIES,
  RING_REQ_PROD,
  RING_RSP_PROD,
  RING_SLOTS,
  VM_EVENT_ENABLE,
  VM_EVENT_SIZE,
  XENMEM_ACCESS_OP,
  XENMEM_PAGING_OP,
} from "../../hv-core/abi/vm-event.ts";
import { mapGuestPage } from "../hv/caller.ts";
import { ARG, type Door, LIST, openDoor } from "../hv/door.ts";

export const PAGES = 32;
export const CODE = 0x1000;
/** gfn of the ring page of each mode is this plus the mode. */
export const RING_GFN = 0x3f0;
export const BUFFER = 0x8000;

export interface Event {
  /** Linear address of the entry. */
  readonly at: number;
  readonly version: number;
  readonly flags: number;
  readonly reason: number;
  readonly vcpu: number;
  readonly gfn: number;
  readonly p2mt: number;
  readonly pagingFlags: number;
  readonly offset: number;
  readonly gla: number;
  readonly access: number;
}

export interface Answer {
  readonly version?: number;
  readonly flags?: number;
  readonly reason?: number;
  readonly vcpu?: number;
  readonly gfn?: number;
  readonly access?: number;
  readonly pagingFlags?: number;
  /** Other fields of the entry. */
  readonly fill?: (view: DataView, at: number) => void;
}

export class Ring {
  private taken = 0;
  readonly page: number;
  readonly port: number;
  readonly guest: Guest;
  readonly mode: number;
  constructor(guest: Guest, mode: number, remotePort: number) {
    this.guest = guest;
    this.mode = mode;
    const { door } = guest;
    this.page = mapGuestPage(door, guest.domid, RING_GFN + mode);
    door.put(ARG, 12, [
      [0, 2, guest.domid],
      [4, 4, remotePort],
    ]);
    const bound = door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_INTERDOMAIN, ARG);
    if (bound !== 0) throw new Error(`bind: ${bound}`);
    this.port = door.u32(ARG + 8);
  }
  get view(): DataView {
    return this.guest.door.view;
  }
  get produced(): number {
    return this.view.getUint32(this.page + RING_REQ_PROD, true);
  }
  entry(index: number): number {
    return this.page + RING_ENTRIES + (index % RING_SLOTS) * VM_EVENT_SIZE;
  }
  /** Requests that have come since the last call. */
  take(): Event[] {
    const events: Event[] = [];
    for (; this.taken < this.produced; this.taken++) {
      const at = this.entry(this.taken);
      const u32 = (offset: number): number => this.view.getUint32(at + offset, true);
      events.push({
        at,
        version: u32(EV_VERSION),
        flags: u32(EV_FLAGS),
        reason: u32(EV_REASON),
        vcpu: u32(EV_VCPU_ID),
        gfn: u32(EV_GFN),
        p2mt: u32(EV_P2MT),
        pagingFlags: u32(EV_PAGING_FLAGS),
        offset: u32(EV_OFFSET),
        gla: u32(EV_GLA),
        access: u32(EV_ACCESS_FLAGS),
      });
    }
    return events;
  }
  /** Puts a response to `event` on the ring, with `change`s, and tells the hypervisor (unless `quiet`). */
  answer(event: Event, change: Answer = {}, quiet = false): void {
    const { view } = this;
    const index = view.getUint32(this.page + RING_RSP_PROD, true);
    const at = this.entry(index);
    const put = (offset: number, value: number): void => view.setUint32(at + offset, value, true);
    put(EV_VERSION, change.version ?? event.version);
    put(EV_FLAGS, change.flags ?? event.flags);
    put(EV_REASON, change.reason ?? event.reason);
    put(EV_VCPU_ID, change.vcpu ?? event.vcpu);
    put(EV_GFN, change.gfn ?? event.gfn);
    put(EV_GFN + 4, 0);
    if ((change.reason ?? event.reason) === 3) put(EV_PAGING_FLAGS, change.pagingFlags ?? event.pagingFlags);
    else put(EV_ACCESS_FLAGS, change.access ?? event.access);
    change.fill?.(view, at);
    view.setUint32(this.page + RING_RSP_PROD, index + 1, true);
    if (!quiet) this.kick();
  }
  setResponses(index: number): void {
    this.view.setUint32(this.page + RING_RSP_PROD, index, true);
  }
  kick(): number {
    return this.guest.door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, this.guest.door.put(ARG, 4, [[0, 4, this.port]]));
  }
}

export interface GuestOptions {
  readonly body?: readonly Instruction[];
  /** Programs of further vCPUs. */
  readonly others?: readonly (readonly Instruction[])[];
  readonly knobs?: readonly (readonly [index: number, value: number])[];
  readonly door?: Door;
}

export class Guest {
  readonly door: Door;
  readonly domid: number;
  readonly vcpus: number;
  /** Address of the jump to itself at the end of each program. */
  readonly ends: number[] = [];
  readonly slots: number[] = [];

  constructor(options: GuestOptions = {}) {
    this.door = options.door ?? openDoor(4096, [[KNOB_ERA, ERA_4_17], [KNOB_MEM_PAGING, 1], ...(options.knobs ?? [])]);
    const { door } = this;
    const bodies = [options.body ?? [], ...(options.others ?? [])];
    this.vcpus = bodies.length;
    this.domid = door.createDomain({ vcpus: this.vcpus, pages: 2 * PAGES });
    door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, this.domid, [[0, 8, 1 << 20]]);
    door.populate(
      this.domid,
      Array.from({ length: PAGES }, (_, i) => i),
    );
    bodies.forEach((body, vcpu) => {
      const { code, end } = program(CODE + vcpu * 0x1000, body);
      const window = mapGuestPage(door, this.domid, (CODE >> 12) + vcpu);
      new Uint8Array(door.view.buffer).set(code, window);
      this.unmap();
      this.ends.push(end);
      const context = entryContext({ eip: CODE + vcpu * 0x1000, ebx: 0 }, this.vcpus);
      new DataView(context.buffer).setUint16(8 + HVM_SAVE_HEADER_SIZE + 2, vcpu, true);
      new Uint8Array(door.view.buffer).set(context, door.at(0x6000));
      const rc = door.domctl(DOMCTL_SETHVMCONTEXT, this.domid, [
        [0, 4, context.length],
        [8, 8, 0x6000],
      ]);
      if (rc !== 0) throw new Error(`sethvmcontext: ${rc}`);
    });
    for (let slot = 0; slot < 16; slot++) {
      const at = VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET;
      if (door.view.getUint32(at, true) !== 0 && door.view.getUint32(at + 8, true) === this.domid)
        this.slots.push(slot);
    }
    door.domctl(DOMCTL_UNPAUSEDOMAIN, this.domid);
  }

  /** Takes the last mapping that mapGuestPage made out of dom0 again, so that nobody refers to the page. */
  unmap(): void {
    const { door } = this;
    for (let gfn = 0x200; gfn < 0x400; gfn++) {
      const mfn = door.core.dom0Mfn(gfn);
      if (mfn === 0 || this.kept.has(gfn)) continue;
      door.call(
        HC_MEMORY_OP,
        XENMEM_REMOVE_FROM_PHYSMAP,
        door.put(ARG, 16, [
          [0, 2, DOMID_SELF],
          [8, 8, gfn],
        ]),
      );
    }
  }
  private readonly kept = new Set<number>();
  keepMappings(): void {
    for (let gfn = 0x200; gfn < 0x400; gfn++) if (this.door.core.dom0Mfn(gfn) !== 0) this.kept.add(gfn);
  }

  setParam(index: number, value: number): number {
    return this.door.call(
      HC_HVM_OP,
      HVMOP_SET_PARAM,
      this.door.put(ARG, 16, [
        [0, 2, this.domid],
        [4, 4, index],
        [8, 8, value],
      ]),
    );
  }
  vmEvent(op: number, mode: number, domid = this.domid): number {
    return this.door.domctl(DOMCTL_VM_EVENT_OP, domid, [
      [0, 4, op],
      [4, 4, mode],
    ]);
  }
  monitorOp(op: number, event: number, options = 0): number {
    return this.door.domctl(DOMCTL_MONITOR_OP, this.domid, [
      [0, 4, op],
      [4, 4, event],
      [8, 1, options],
    ]);
  }
  setAccessRequired(required: number): number {
    return this.door.domctl(DOMCTL_SET_ACCESS_REQUIRED, this.domid, [[0, 1, required]]);
  }
  /** Enables a ring in a page of its own, as a toolstack does: page, parameter, enable, out of the guest's sight. */
  listen(mode: number): Ring {
    this.door.populate(this.domid, [RING_GFN + mode]);
    this.setParam(26 + mode, RING_GFN + mode);
    const rc = this.vmEvent(VM_EVENT_ENABLE, mode);
    if (rc !== 0) throw new Error(`enable: ${rc}`);
    const ring = new Ring(this, mode, this.door.result32(8));
    this.keepMappings();
    this.door.put(LIST, 8, [[0, 8, RING_GFN + mode]]);
    const arg = this.door.put(ARG, 32, [
      [0, 8, LIST],
      [8, 8, 1],
      [24, 2, this.domid],
    ]);
    if (this.door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, arg) !== 1) throw new Error("the ring page stays");
    return ring;
  }
  paging(op: number, gfn: number | bigint, buffer: number | bigint = 0, domid = this.domid, bytes = ARG): number {
    this.door.put(ARG, 24, [
      [0, 1, op],
      [2, 2, domid],
      [8, 8, buffer],
      [16, 8, gfn],
    ]);
    return this.door.call(HC_MEMORY_OP, XENMEM_PAGING_OP, bytes);
  }
  access(
    op: number,
    options: {
      access?: number;
      nr?: number;
      pfn?: number | bigint;
      pfns?: number;
      list?: number;
      domid?: number;
      start?: number;
      arg?: number;
    } = {},
  ): number {
    this.door.put(ARG, 32, [
      [0, 1, op],
      [1, 1, options.access ?? 0],
      [2, 2, options.domid ?? this.domid],
      [4, 4, options.nr ?? 1],
      [8, 8, options.pfn ?? 0],
      [16, 8, options.pfns ?? 0],
      [24, 8, options.list ?? 0],
    ]);
    return this.door.call(HC_MEMORY_OP, XENMEM_ACCESS_OP | (options.start ?? 0), options.arg ?? ARG);
  }
  /** Access byte that `get` left in the structure. */
  get gotAccess(): number {
    return this.door.view.getUint8(this.door.at(ARG + 1));
  }
  /** Lets the guest run. Events for dom0 end a run, so there are some of them. */
  run(instructions = 1000): void {
    for (let i = 0; i < 8; i++) this.door.core.run(instructions);
  }
  rip(vcpu = 0): number {
    return this.door.view.getUint32(VCPUS_BASE + this.slots[vcpu]! * VCPU_SIZE + CPU_RIP, true);
  }
  register(index: number, vcpu = 0): number {
    return this.door.view.getUint32(VCPUS_BASE + this.slots[vcpu]! * VCPU_SIZE + index * 8, true);
  }
  isDone(vcpu = 0): boolean {
    return this.rip(vcpu) === this.ends[vcpu];
  }
  pauseCount(vcpu = 0): number {
    return this.door.view.getUint32(VCPUS_BASE + this.slots[vcpu]! * VCPU_SIZE + VCPU_EVENTS_OFFSET, true);
  }
  pauseFlags(vcpu = 0): number {
    return this.door.view.getUint32(VCPUS_BASE + this.slots[vcpu]! * VCPU_SIZE + VCPU_HV_OFFSET + 16, true);
  }
  entryOf(gfn: number): ReturnType<typeof decodeEpte> {
    const steps = this.door.core.walkGpa(this.domid, gfn * 4096, 0);
    return decodeEpte(this.door.view.getBigUint64(MAILBOX_BASE + (steps - 1) * 32 + 16, true));
  }
  type(gfn: number): string {
    return this.entryOf(gfn).type;
  }
  /** A word of guest memory. */
  word(gpa: number): number {
    return this.door.view.getUint32(frameAddress(this.entryOf(gpa >> 12).mfn, gpa & 4095), true);
  }
  setWord(gpa: number, value: number): void {
    this.door.view.setUint32(frameAddress(this.entryOf(gpa >> 12).mfn, gpa & 4095), value, true);
  }
  crashReason(): number {
    for (let slot = 0; slot < 8; slot++) {
      const at = DOMAINS_BASE + slot * DOMAIN_SIZE;
      if (this.door.view.getUint32(at, true) !== 0 && this.door.view.getUint32(at + 8, true) === this.domid)
        return this.door.view.getUint32(at + 56, true);
    }
    return -1;
  }
  pagedPages(): bigint {
    this.door.domctl(DOMCTL_GETDOMAININFO, this.domid);
    return this.door.result64(40);
  }
}
