/** DOMCTL_vm_event_op and the rings: every errno of spec 04 sections 4.3 and 4.6, the thread through a page access, snapshot of registers. */
import { beforeEach, describe, expect, it } from "vitest";
import { load32, store32 } from "../../host/lib/explore/code.ts";
import { DOMCTL_VM_EVENT_OP } from "../../hv-core/abi/domctl.ts";
import { EBUSY, EINVAL, ENODEV, ENOENT, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_PAUSEDOMAIN,
  DOMID_INVALID,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_MEM_PAGING, KNOB_SHARING_BUILD, SHARING_INTEL, SHARING_OFF } from "../../hv-core/abi/knobs.ts";
import {
  ACCESS_SET,
  EV_DATA,
  EVF_SET_REGISTERS,
  EVF_VCPU_PAUSED,
  MEM_ACCESS_GLA_VALID,
  MEM_ACCESS_R,
  MEM_ACCESS_W,
  MEM_ACCESS_WITH_GLA,
  PAGING_EVICT,
  PAGING_NOMINATE,
  REASON_MEM_ACCESS,
  REGS_CR0,
  REGS_CS_SEL,
  REGS_RIP,
  REGS_VMTRACE_POS,
  VM_EVENT_DISABLE,
  VM_EVENT_ENABLE,
  VM_EVENT_GET_VERSION,
  VM_EVENT_MODE_MONITOR,
  VM_EVENT_MODE_PAGING,
  VM_EVENT_MODE_SHARING,
  VM_EVENT_RESUME,
} from "../../hv-core/abi/vm-event.ts";
import { makeCaller } from "../hv/caller.ts";
import { ARG, creation, openDoor } from "../hv/door.ts";
import { CODE, Guest, RING_GFN } from "./listener.ts";

const MONITOR = VM_EVENT_MODE_MONITOR;
const PAGING = VM_EVENT_MODE_PAGING;
const DATA = 0x4000;

describe("DOMCTL_vm_event_op", () => {
  let guest: Guest;
  beforeEach(() => {
    guest = new Guest();
  });

  it("answers the version, for no domain too", () => {
    expect(guest.vmEvent(VM_EVENT_GET_VERSION, 0)).toBe(0);
    expect(guest.door.result32(8)).toBe(7);
    expect(guest.vmEvent(VM_EVENT_GET_VERSION, MONITOR, DOMID_INVALID)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR, DOMID_INVALID)).toBe(-ESRCH);
    expect(guest.vmEvent(VM_EVENT_GET_VERSION, MONITOR, 0x7000)).toBe(-ESRCH);
  });

  it("refuses oneself, unknown modes and operations, and a domain without vCPUs", () => {
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR, 0)).toBe(-EINVAL);
    expect(guest.vmEvent(VM_EVENT_ENABLE, 0)).toBe(-ENOSYS);
    expect(guest.vmEvent(VM_EVENT_ENABLE, 4)).toBe(-ENOSYS);
    expect(guest.vmEvent(4, MONITOR)).toBe(-ENOSYS);
    const { door } = guest;
    expect(door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({}))).toBe(0);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR, door.u16(ARG + 8))).toBe(-EINVAL);
  });

  it("ignores a dying domain: 0, nothing done", () => {
    const mapped = guest.listen(MONITOR); // its mapping in dom0 keeps the domain from going away
    expect(mapped.page).toBeGreaterThan(0);
    expect(guest.door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(0);
  });

  it("is for control domains and the device model's only", () => {
    guest.door.domctl(DOMCTL_PAUSEDOMAIN, guest.domid);
    const caller = makeCaller(guest.door);
    expect(
      caller.domctl(DOMCTL_VM_EVENT_OP, guest.domid, [
        [0, 4, VM_EVENT_ENABLE],
        [4, 4, MONITOR],
      ]),
    ).toBe(-EPERM);
  });

  it("needs a page named in the parameter", () => {
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(-EOPNOTSUPP);
    guest.setParam(28, RING_GFN);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(-EINVAL); // not populated
    guest.door.populate(guest.domid, [RING_GFN]);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(0);
    expect(guest.door.result32(8)).toBeGreaterThan(0);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(-EBUSY);
  });

  it("refuses a ring page that is paged out, and asks for it", () => {
    const pager = guest.listen(PAGING);
    expect(guest.paging(PAGING_NOMINATE, 9)).toBe(0);
    expect(guest.paging(PAGING_EVICT, 9)).toBe(0);
    guest.setParam(28, 9);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR)).toBe(-ENOENT);
    expect(pager.take().map((e) => e.gfn)).toEqual([9]);
  });

  it("says when no port is left", () => {
    const { door } = guest;
    const small = door.createDomain({ ports: 1 });
    door.populate(small, [1, 2]);
    const set = (index: number, gfn: number) =>
      door.call(
        34,
        0,
        door.put(ARG, 16, [
          [0, 2, small],
          [4, 4, index],
          [8, 8, gfn],
        ]),
      );
    set(28, 1);
    set(27, 2);
    expect(guest.vmEvent(VM_EVENT_ENABLE, MONITOR, small)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_ENABLE, PAGING, small)).toBe(-ENOSPC);
  });

  it("without a ring: disable -EINVAL, resume -ENODEV", () => {
    expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(-EINVAL);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(-ENODEV);
    guest.listen(MONITOR);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(0);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(-ENODEV);
  });

  it("has no paging ring unless the hypervisor is built with it, and no sharing ring without sharing", () => {
    const OPERATIONS = [VM_EVENT_ENABLE, VM_EVENT_DISABLE, VM_EVENT_RESUME];
    const answers = (guest: Guest, mode: number) => OPERATIONS.map((op) => guest.vmEvent(op, mode));
    const built = new Guest({ knobs: [[KNOB_SHARING_BUILD, SHARING_INTEL]] });
    expect(answers(built, VM_EVENT_MODE_SHARING)).toEqual([-EOPNOTSUPP, -EINVAL, -ENODEV]); // it looks for the ring
    const unshared = new Guest({ knobs: [[KNOB_SHARING_BUILD, SHARING_OFF]] });
    expect(answers(unshared, VM_EVENT_MODE_SHARING)).toEqual([-ENOSYS, -ENOSYS, -ENOSYS]);
    expect(answers(unshared, PAGING)).toEqual([-EOPNOTSUPP, -EINVAL, -ENODEV]);
    const plain = new Guest({ door: openDoor(4096, [[KNOB_MEM_PAGING, 0]]) });
    expect(answers(plain, PAGING)).toEqual([-ENOSYS, -ENOSYS, -ENOSYS]);
    expect(plain.paging(PAGING_NOMINATE, 3)).toBe(-ENOSYS);
    expect(plain.paging(PAGING_NOMINATE, 3, 0, plain.domid, 0x8_0000)).toBe(-ENOSYS);
  });
});

describe("a violated page access", () => {
  it("goes to the listener, pauses the vCPU, and the answer lets it go on", () => {
    const guest = new Guest({ body: [store32(DATA, 0x1234)] });
    const ring = guest.listen(MONITOR);
    expect(guest.access(ACCESS_SET, { access: 1, pfn: 4 })).toBe(0);
    guest.run();
    expect([guest.rip(), guest.pauseCount()]).toEqual([CODE, 1]);
    const events = ring.take();
    expect(events.length).toBe(1);
    const [event] = events;
    expect(event).toMatchObject({ version: 7, reason: REASON_MEM_ACCESS, flags: EVF_VCPU_PAUSED, vcpu: 0, gfn: 4 });
    expect(event!.gla).toBe(DATA);
    expect(event!.access).toBe(MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_GLA_VALID | MEM_ACCESS_WITH_GLA);
    guest.run();
    expect(guest.rip()).toBe(CODE); // it waits

    expect(guest.access(ACCESS_SET, { access: 7, pfn: 4 })).toBe(0);
    ring.answer(event!);
    expect(guest.pauseCount()).toBe(0);
    guest.run();
    expect([guest.isDone(), guest.word(DATA)]).toEqual([true, 0x1234]);
    expect(ring.take()).toEqual([]);
  });

  it("is answered by RESUME as well as by the event channel", () => {
    const guest = new Guest({ body: [load32(DATA)] });
    const ring = guest.listen(MONITOR);
    guest.access(ACCESS_SET, { access: 0, pfn: 4 });
    guest.run();
    const [event] = ring.take();
    guest.access(ACCESS_SET, { access: 7, pfn: 4 });
    ring.answer(event!, {}, true);
    expect(guest.pauseCount()).toBe(1);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(0);
    guest.run();
    expect(guest.isDone()).toBe(true);
  });

  it("carries the registers, and a response may set them: when the vCPU runs again", () => {
    const guest = new Guest({ body: [store32(DATA, 1), load32(DATA)] });
    const ring = guest.listen(MONITOR);
    guest.access(ACCESS_SET, { access: 1, pfn: 4 });
    guest.run();
    const [event] = ring.take();
    const { view } = guest.door;
    const regs = event!.at + EV_DATA;
    expect(view.getUint32(regs + REGS_RIP, true)).toBe(CODE);
    expect(view.getUint32(regs + REGS_CR0, true)).toBe(0x11);
    expect(view.getBigUint64(regs + REGS_VMTRACE_POS, true)).toBe(0xffff_ffff_ffff_ffffn);
    expect(view.getUint16(regs + REGS_CS_SEL, true)).toBeGreaterThanOrEqual(0);
    ring.answer(event!, {
      flags: EVF_VCPU_PAUSED | EVF_SET_REGISTERS,
      fill(to, at) {
        to.setUint32(at + EV_DATA + 3 * 8, 0xabcd, true); // rbx
        to.setUint32(at + EV_DATA + REGS_RIP, guest.ends[0]!, true);
      },
    });
    expect([guest.rip(), guest.register(3)]).toEqual([CODE, 0]);
    guest.run();
    expect([guest.rip(), guest.register(3), guest.word(DATA)]).toEqual([guest.ends[0], 0xabcd, 0]);
  });
});
