/** What domctls do beside answering: seen in the domain's own pages, registers and events, and in the machine's books. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  DOMCTL_AUDIT_P2M,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETTSCINFO,
  DOMCTL_GETVCPUCONTEXT,
  DOMCTL_SENDTRIGGER,
  DOMCTL_SET_VIRQ_HANDLER,
  DOMCTL_SETTIMEOFFSET,
  DOMCTL_SETTSCINFO,
  DOMCTL_SETVCPUCONTEXT,
  DOMCTL_SOFT_RESET,
  DOMCTL_SUBSCRIBE,
  VCPU_CONTEXT_SIZE,
  VGCF_IN_KERNEL,
  VGCF_ONLINE,
} from "../../hv-core/abi/domctl.ts";
import { ENODATA } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMID_SELF,
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_VIRQ,
  HC_EVENT_CHANNEL_OP,
  HC_MEMORY_OP,
  HC_SCHED_OP,
  SCHEDOP_REMOTE_SHUTDOWN,
  SHUTDOWN_CRASH,
  SHUTDOWN_SUSPEND,
  VIRQ_DOM_EXC,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_TSC_KHZ } from "../../hv-core/abi/knobs.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Caller, makeCaller, mapGuestPage } from "./caller.ts";
import { ARG, type Door, LIST, OUT, openDoor } from "./door.ts";

let door: Door;
let guest: Caller;
beforeEach(() => {
  door = openDoor();
  guest = makeCaller(door);
});

const EVTCHN_PENDING = 2048;
const WALL_CLOCK = 3072;

/** The domain's shared_info page, mapped at its gfn 8 and seen through dom0. */
function sharedInfo(domid: number): number {
  const arg = door.put(ARG, 24, [
    [0, 2, domid],
    [4, 4, XENMAPSPACE_SHARED_INFO],
    [16, 8, 8],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(0);
  return mapGuestPage(door, domid, 8);
}

function dom0SharedInfo(): number {
  const arg = door.put(ARG, 24, [
    [0, 2, DOMID_SELF],
    [4, 4, XENMAPSPACE_SHARED_INFO],
    [16, 8, 63],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(0);
  return door.core.dom0Mfn(63) * 4096 + FRAMES_BASE;
}

const isPending = (info: number, port: number): boolean =>
  ((door.view.getUint8(info + EVTCHN_PENDING + (port >> 3)) >> (port & 7)) & 1) === 1;
const clear = (info: number, port: number): void => door.view.setUint8(info + EVTCHN_PENDING + (port >> 3), 0);

function shutdown(domid: number, reason: number): void {
  const arg = door.put(ARG, 8, [
    [0, 2, domid],
    [4, 4, reason],
  ]);
  expect(door.call(HC_SCHED_OP, SCHEDOP_REMOTE_SHUTDOWN, arg)).toBe(0);
}

function bindVirq(virq: number): number {
  const arg = door.put(ARG, 12, [[0, 4, virq]]);
  expect(door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_VIRQ, arg)).toBe(0);
  return door.u32(ARG + 8);
}

it("settimeoffset moves the wall clock in shared_info", () => {
  const info = sharedInfo(guest.domid);
  const clock = (): number => door.view.getUint32(info + WALL_CLOCK + 4, true);
  door.domctl(DOMCTL_SETTIMEOFFSET, guest.domid, [[0, 8, 0]]);
  const before = clock();
  door.domctl(DOMCTL_SETTIMEOFFSET, guest.domid, [[0, 8, 3600]]);
  expect(clock()).toBe(before + 3600);
  door.domctl(DOMCTL_SETTIMEOFFSET, guest.domid, [[0, 8, -7n]]);
  expect(clock()).toBe(before - 7);
});

it("subscribe: a suspend goes to the port, anything else to VIRQ_DOM_EXC", () => {
  const info = dom0SharedInfo();
  const virq = bindVirq(VIRQ_DOM_EXC);
  const alloc = door.put(ARG, 8, [
    [0, 2, guest.domid],
    [2, 2, 0],
  ]);
  door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, alloc);
  const remote = door.u32(ARG + 4);
  const bind = door.put(ARG, 12, [
    [0, 2, guest.domid],
    [4, 4, remote],
  ]);
  door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_INTERDOMAIN, bind);
  const local = door.u32(ARG + 8);
  clear(info, local);
  clear(info, virq);
  door.domctl(DOMCTL_SUBSCRIBE, guest.domid, [[0, 4, remote]]);
  shutdown(guest.domid, SHUTDOWN_SUSPEND);
  expect([isPending(info, local), isPending(info, virq)]).toEqual([true, false]);
  const other = makeCaller(door);
  shutdown(other.domid, SHUTDOWN_CRASH);
  expect(isPending(info, virq)).toBe(true);
});

it("set_virq_handler takes a machine-wide event from dom0, and it comes back when the handler dies", () => {
  const info = dom0SharedInfo();
  const virq = bindVirq(VIRQ_DOM_EXC);
  clear(info, virq);
  expect(door.domctl(DOMCTL_SET_VIRQ_HANDLER, guest.domid, [[0, 4, VIRQ_DOM_EXC]])).toBe(0);
  shutdown(makeCaller(door).domid, SHUTDOWN_CRASH);
  expect(isPending(info, virq)).toBe(false);
  door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid);
  clear(info, virq);
  shutdown(makeCaller(door).domid, SHUTDOWN_CRASH);
  expect(isPending(info, virq)).toBe(true);
});

it("sendtrigger: an NMI ends a guest that has no handler for it", () => {
  guest.call(17, 0); // it runs, without an interrupt table
  expect(door.domctl(DOMCTL_SENDTRIGGER, guest.domid, [])).toBe(0);
  guest.call(17, 0);
  door.domctl(DOMCTL_GETDOMAININFO, guest.domid);
  expect(door.result32(4) & 4).toBe(4);
});

it("settscinfo: the emulated TSC goes on from where it is told", () => {
  door = openDoor(4096, [[KNOB_TSC_KHZ, 1_000_000]]);
  guest = makeCaller(door);
  const elapsed = 5_000_000_000n;
  const fields = [
    [0, 4, 1],
    [4, 4, 2_000_000],
    [8, 4, 6],
    [16, 8, elapsed],
  ] as const;
  expect(door.domctl(DOMCTL_SETTSCINFO, guest.domid, fields)).toBe(0);
  expect(door.domctl(DOMCTL_GETTSCINFO, guest.domid)).toBe(0);
  expect([door.result32(0), door.result32(4), door.result32(8), door.result32(12)]).toEqual([1, 2_000_000, 7, 0]);
  const info = sharedInfo(guest.domid);
  door.domctl(DOMCTL_SETTSCINFO, guest.domid, fields);
  // vcpu_info 0: time.tsc_timestamp at 40; 1 GHz makes a tick a nanosecond
  expect(door.view.getBigUint64(info + 40, true)).toBe(elapsed);
});

it("get and setvcpucontext: registers come back as they were", () => {
  guest.call(17, 0);
  const context = (cmd: number, at: number): number => door.domctl(cmd, guest.domid, [[8, 8, at]]);
  door.put(OUT, 8192, []);
  expect(context(DOMCTL_GETVCPUCONTEXT, OUT)).toBe(0);
  expect(door.u64(OUT + 512)).toBe(BigInt(VGCF_ONLINE | VGCF_IN_KERNEL));
  door.view.setBigUint64(door.at(OUT + 520 + 40), 0x1234n, true); // rbx
  expect(context(DOMCTL_SETVCPUCONTEXT, OUT)).toBe(0);
  const before = new Uint8Array(door.view.buffer.slice(door.at(OUT), door.at(OUT) + VCPU_CONTEXT_SIZE));
  expect(context(DOMCTL_GETVCPUCONTEXT, OUT)).toBe(0);
  expect(new Uint8Array(door.view.buffer, door.at(OUT), VCPU_CONTEXT_SIZE)).toEqual(before);
  expect(context(DOMCTL_SETVCPUCONTEXT, 0)).toBe(0);
  expect(context(DOMCTL_GETVCPUCONTEXT, OUT)).toBe(-ENODATA);
});

it("getpageframeinfo3 is preempted by an event and goes on by itself", () => {
  const info = dom0SharedInfo();
  door.view.setUint8(info, 1); // upcall pending
  door.put(
    LIST,
    4096,
    Array.from({ length: 200 }, (_, i) => [i * 8, 8, i] as const),
  );
  const result = door.domctl(DOMCTL_GETPAGEFRAMEINFO3, guest.domid, [
    [0, 8, 200],
    [8, 8, LIST],
  ]);
  expect(result).toBe(0);
  expect([door.result64(0), door.result64(8)]).toEqual([8n, BigInt(LIST + 192 * 8)]);
  expect(door.u64(LIST + 15 * 8)).toBe(0n);
  expect(door.u64(LIST + 199 * 8)).toBe(0xf0000000n);
});

it("soft_reset: the domain counts as running, its ports are closed, its memory stays", () => {
  const alloc = door.put(ARG, 8, [
    [0, 2, guest.domid],
    [2, 2, 0],
  ]);
  door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, alloc);
  shutdown(guest.domid, 5);
  expect(door.domctl(DOMCTL_SOFT_RESET, guest.domid)).toBe(0);
  door.domctl(DOMCTL_GETDOMAININFO, guest.domid);
  expect([(door.result32(4) >> 2) & 1, door.result64(8)]).toEqual([0, 16n]);
  door.put(ARG, 8, [
    [0, 2, guest.domid],
    [2, 2, 0],
  ]);
  door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, ARG);
  expect(door.u32(ARG + 4)).toBe(1);
});

it("audit_p2m finds a healthy domain healthy (debug build)", () => {
  expect(door.domctl(DOMCTL_AUDIT_P2M, guest.domid)).toBe(0);
  expect([door.result64(0), door.result64(8), door.result64(16)]).toEqual([0n, 0n, 0n]);
});

describe("books", () => {
  it("a hundred lives leave as many frames as before", () => {
    const frames = door.freeFrames();
    for (let i = 0; i < 100; i++) {
      const id = door.createDomain({ vcpus: 2, pages: 64 });
      door.populate(id, [0, 1, 2, 3]);
      expect(door.domctl(DOMCTL_DESTROYDOMAIN, id)).toBe(0);
    }
    expect(door.freeFrames()).toBe(frames);
  });

  it("what one domain claims another cannot take", () => {
    const builder = door.createDomain({ pages: 1 << 20 });
    const other = door.createDomain({ pages: 1 << 20 });
    const claim = (pages: number): number =>
      door.call(
        HC_MEMORY_OP,
        24,
        door.put(ARG, 32, [
          [8, 8, pages],
          [24, 2, builder],
        ]),
      );
    const free = door.freeFrames();
    expect(claim(free - 8)).toBe(0);
    const gfns = Array.from({ length: 16 }, (_, i) => i);
    expect(door.populate(other, gfns)).toBeLessThan(9);
    expect(door.populate(builder, gfns)).toBe(16);
    door.domctl(DOMCTL_DESTROYDOMAIN, builder);
    expect(door.populate(other, [100, 101, 102])).toBe(3);
  });
});
