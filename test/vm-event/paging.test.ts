/** Paging at the hypercalls and in the guest (spec 04 section 4.4): every row, the state machine, S-11, the count of paged pages. */
import { beforeEach, describe, expect, it } from "vitest";
import { load32, store32 } from "../../host/lib/explore/code.ts";
import { CRASH_NO_PAGER } from "../../hv-core/abi/crash.ts";
import { DOMCTL_ASSIGN_DEVICE, DOMCTL_DEASSIGN_DEVICE } from "../../hv-core/abi/domctl.ts";
import {
  EAGAIN,
  EBUSY,
  EFAULT,
  EINVAL,
  EMLINK,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOSYS,
  EPERM,
  ESRCH,
  EXDEV,
} from "../../hv-core/abi/errno.ts";
import {
  DMOP_SET_MEM_TYPE,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_MAX_MEM,
  DOMID_SELF,
  HC_DM_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_IO_DEVICES, KNOB_IO_IOMMU, KNOB_PAGING_FOREIGN } from "../../hv-core/abi/knobs.ts";
import {
  EVF_FOREIGN,
  EVF_VCPU_PAUSED,
  MEM_PAGING_DROP_PAGE,
  MEM_PAGING_EVICT_FAIL,
  PAGING_EVICT,
  PAGING_NOMINATE,
  PAGING_PREP,
  REASON_MEM_PAGING,
  VM_EVENT_DISABLE,
  VM_EVENT_ENABLE,
  VM_EVENT_MODE_PAGING,
} from "../../hv-core/abi/vm-event.ts";
import { mapGuestPage } from "../hv/caller.ts";
import { ARG, LIST, NOWHERE } from "../hv/door.ts";
import { BUFFER, CODE, Guest, type GuestOptions, PAGES, RING_GFN, type Ring } from "./listener.ts";

const DATA = 0x4000;
const GFN = 4;
const POD_FLAG = 0x1_0000;

let guest: Guest;
let ring: Ring;
function start(options: GuestOptions = {}): void {
  guest = new Guest(options);
  ring = guest.listen(VM_EVENT_MODE_PAGING);
}
const nominate = (gfn: number | bigint = GFN) => guest.paging(PAGING_NOMINATE, gfn);
const evict = (gfn: number | bigint = GFN) => guest.paging(PAGING_EVICT, gfn);
const prep = (gfn: number | bigint = GFN, buffer: number | bigint = BUFFER) => guest.paging(PAGING_PREP, gfn, buffer);
/** Puts a word at the start of the buffer that prep takes. */
const fill = (word: number) => guest.door.put(BUFFER, 4096, [[0, 4, word]]);
const pageOut = (gfn = GFN) => expect([nominate(gfn), evict(gfn)]).toEqual([0, 0]);

/** add_to_physmap_batch of one foreign page into dom0. @returns its own error. */
function mapForeign(gfn: number, at = 0x900): number {
  const { door } = guest;
  const list = door.put(0x5000, 64, [
    [0, 8, gfn],
    [8, 8, at],
  ]);
  const arg = door.put(ARG, 32, [
    [0, 2, DOMID_SELF],
    [2, 2, XENMAPSPACE_GMFN_FOREIGN],
    [4, 2, 1],
    [6, 2, guest.domid],
    [8, 8, list],
    [16, 8, list + 8],
    [24, 8, list + 16],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, arg)).toBe(0);
  return door.u32(list + 16) | 0;
}
function unmapForeign(at = 0x900): void {
  const arg = guest.door.put(ARG, 16, [
    [0, 2, DOMID_SELF],
    [8, 8, at],
  ]);
  expect(guest.door.call(HC_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, arg)).toBe(0);
}
function decrease(gfn: number): number {
  guest.door.put(LIST, 8, [[0, 8, gfn]]);
  const arg = guest.door.put(ARG, 32, [
    [0, 8, LIST],
    [8, 8, 1],
    [24, 2, guest.domid],
  ]);
  return guest.door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, arg);
}

describe("XENMEM_paging_op", () => {
  beforeEach(() => start());

  it("needs a domain that is not oneself, alive, with a pager", () => {
    expect(guest.paging(PAGING_NOMINATE, GFN, 0, guest.domid, NOWHERE)).toBe(-EFAULT);
    expect(guest.paging(PAGING_NOMINATE, GFN, 0, 0x7000)).toBe(-ESRCH);
    expect(guest.paging(PAGING_NOMINATE, GFN, 0, 0)).toBe(-EPERM);
    expect(guest.paging(3, GFN)).toBe(-ENOSYS);
    expect(guest.vmEvent(VM_EVENT_DISABLE, VM_EVENT_MODE_PAGING)).toBe(0);
    expect(nominate()).toBe(-ENODEV);
    guest.door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid);
    expect(nominate()).toBe(-EINVAL);
  });

  it("cannot be enabled with populate-on-demand pages", () => {
    const other = new Guest({ door: guest.door });
    guest.door.populate(other.domid, [PAGES + 2], 0, POD_FLAG);
    other.setParam(27, 7);
    expect(other.vmEvent(VM_EVENT_ENABLE, VM_EVENT_MODE_PAGING)).toBe(-EXDEV);
  });

  it("cannot be enabled while a device is passed through: -EMLINK", () => {
    const io = new Guest({
      knobs: [
        [KNOB_IO_DEVICES, 1],
        [KNOB_IO_IOMMU, 1],
      ],
    });
    const device = (op: number) => io.door.domctl(op, io.domid, [[8, 4, 3 << 3]]);
    io.setParam(26 + VM_EVENT_MODE_PAGING, RING_GFN + VM_EVENT_MODE_PAGING);
    expect(device(DOMCTL_ASSIGN_DEVICE)).toBe(0);
    expect(io.vmEvent(VM_EVENT_ENABLE, VM_EVENT_MODE_PAGING)).toBe(-EMLINK);
    expect(device(DOMCTL_DEASSIGN_DEVICE)).toBe(0);
    io.listen(VM_EVENT_MODE_PAGING);
  });

  it("nominate: -EBUSY without a page, for another type, and while anybody refers to the frame", () => {
    expect(nominate(0x10_0000)).toBe(-EBUSY);
    expect(nominate(0xf_ffff_ffff_ffffn)).toBe(-EBUSY);
    expect(mapForeign(GFN)).toBe(0);
    expect(nominate()).toBe(-EBUSY);
    unmapForeign();
    expect(nominate()).toBe(0);
    expect([guest.type(GFN), guest.entryOf(GFN).rights]).toEqual(["ram_paging_out", "---"]);
    expect(nominate()).toBe(-EBUSY);
  });

  it("evict: -EBUSY unless nominated, and while the frame is mapped", () => {
    expect(evict()).toBe(-EBUSY);
    nominate();
    expect(mapForeign(GFN)).toBe(0);
    expect(evict()).toBe(-EBUSY);
    unmapForeign();
    const free = guest.door.freeFrames();
    expect(evict()).toBe(0);
    expect([guest.type(GFN), guest.pagedPages(), guest.door.freeFrames() - free]).toEqual(["ram_paged", 1n, 1]);
    expect(evict()).toBe(-EBUSY);
  });

  it("prep: -ENOENT unless it is out, -EINVAL without a buffer, -EFAULT, -ENOMEM; then RAM with the contents", () => {
    expect(prep()).toBe(-ENOENT);
    nominate();
    expect(prep()).toBe(-ENOENT);
    evict();
    expect(prep(GFN, 0)).toBe(-EINVAL);
    expect(prep(GFN, 0x8000_0000_0000n)).toBe(-EINVAL);
    const free = guest.door.freeFrames();
    expect(prep(GFN, NOWHERE)).toBe(-EFAULT);
    expect([guest.type(GFN), guest.door.freeFrames(), guest.pagedPages()]).toEqual(["ram_paged", free, 1n]);
    guest.door.domctl(DOMCTL_MAX_MEM, guest.domid, [[0, 8, 4]]);
    expect(prep()).toBe(-ENOMEM);
    guest.door.domctl(DOMCTL_MAX_MEM, guest.domid, [[0, 8, 1024]]);
    fill(0x600d);
    expect(prep()).toBe(0);
    expect([guest.type(GFN), guest.word(DATA), guest.pagedPages()]).toEqual(["ram_rw", 0x600d, 0n]);
    expect(prep()).toBe(-ENOENT);
  });

  it("a page of a superpage is split off", () => {
    guest.door.domctl(DOMCTL_MAX_MEM, guest.domid, [[0, 8, 8192]]);
    expect(guest.door.populate(guest.domid, [1024], 9)).toBe(1);
    pageOut(1030);
    expect([guest.type(1030), guest.type(1031), guest.type(1024)]).toEqual(["ram_paged", "ram_rw", "ram_rw"]);
  });
});

describe("a touch by the guest", () => {
  it("asks the pager, pauses the vCPU, and the answer brings page and vCPU back", () => {
    start({ body: [load32(DATA), store32(DATA, 9)] });
    guest.setWord(DATA, 0x1234);
    pageOut();
    guest.run();
    const [event] = ring.take();
    expect(event).toMatchObject({
      reason: REASON_MEM_PAGING,
      flags: EVF_VCPU_PAUSED,
      gfn: GFN,
      p2mt: 10,
      pagingFlags: 0,
    });
    expect([guest.type(GFN), guest.pauseCount(), guest.rip()]).toEqual(["ram_paging_in", 1, CODE]);
    fill(0x1234);
    expect(prep()).toBe(0);
    ring.answer(event!);
    guest.run();
    expect([guest.isDone(), guest.register(0), guest.word(DATA), guest.pagedPages()]).toEqual([true, 0x1234, 9, 0n]);
  });

  it("of a nominated page keeps it: EVICT_FAIL, evict refuses, the answer alone makes it RAM", () => {
    start({ body: [load32(DATA)] });
    guest.setWord(DATA, 0x77);
    nominate();
    guest.run();
    const [event] = ring.take();
    expect(event).toMatchObject({ p2mt: 9, pagingFlags: MEM_PAGING_EVICT_FAIL });
    expect([guest.type(GFN), evict()]).toEqual(["ram_paging_in", -EBUSY]);
    ring.answer(event!);
    guest.run();
    expect([guest.isDone(), guest.register(0), guest.type(GFN), guest.pagedPages()]).toEqual([
      true,
      0x77,
      "ram_rw",
      0n,
    ]);
  });

  it("by several vCPUs makes a request each, and each is answered", () => {
    start({ body: [load32(DATA)], others: [[load32(DATA + 4)], [store32(DATA + 8, 3)]] });
    pageOut();
    guest.run(30_000);
    const events = ring.take();
    expect(events.map((e) => [e.vcpu, e.p2mt])).toEqual(
      [
        [0, 10],
        [1, 11],
        [2, 11],
      ].slice(0, events.length),
    );
    // paging_in is RAM to the fault handler: the others spin until the first is answered (spec 02, step 6).
    fill(5);
    expect(prep()).toBe(0);
    for (const event of events) ring.answer(event);
    guest.run(30_000);
    expect([0, 1, 2].map((vcpu) => guest.isDone(vcpu))).toEqual([true, true, true]);
    expect(guest.word(DATA + 8)).toBe(3);
  });

  it("without a pager crashes the domain", () => {
    start({ body: [load32(DATA)] });
    pageOut();
    guest.vmEvent(VM_EVENT_DISABLE, VM_EVENT_MODE_PAGING);
    guest.run();
    expect(guest.crashReason()).toBe(CRASH_NO_PAGER);
  });

  it("is about code as well as data", () => {
    start({ body: [load32(DATA)], others: [] });
    pageOut(CODE >> 12);
    guest.run();
    expect(ring.take().map((e) => e.gfn)).toEqual([CODE >> 12]);
  });
});

describe("a touch by somebody else", () => {
  beforeEach(() => start());

  it("mapping a page that is out asks for it: -ENOENT, and again until it is there; one that is only nominated maps", () => {
    pageOut();
    expect(mapForeign(GFN)).toBe(-ENOENT);
    expect(ring.take()).toMatchObject([{ flags: EVF_FOREIGN, gfn: GFN, p2mt: 10 }]);
    expect(mapForeign(GFN)).toBe(-ENOENT);
    expect(ring.take()).toEqual([]); // on its way
    fill(1);
    prep();
    expect(mapForeign(GFN)).toBe(0);
    unmapForeign();
    nominate(5);
    expect(mapForeign(5)).toBe(0);
    expect(guest.type(5)).toBe("ram_paging_out");
  });

  it("set_mem_type of a paged page: -EAGAIN, and it is asked for", () => {
    pageOut();
    const { door } = guest;
    door.put(ARG + 256, 40, [
      [0, 4, DMOP_SET_MEM_TYPE],
      [8, 2, 1],
      [12, 4, 1],
      [16, 8, GFN],
    ]);
    door.put(ARG, 32, [
      [0, 8, ARG + 256],
      [8, 8, 40],
    ]);
    expect(door.call(HC_DM_OP, guest.domid, 1, ARG)).toBe(-EAGAIN);
    expect(ring.take().map((e) => e.gfn)).toEqual([GFN]);
  });

  it("a hypercall of the guest whose argument is out: -EFAULT, and the vCPU waits for the page", () => {
    // mov eax, HC_HVM_OP; mov ebx, 1 (get_param); mov ecx, DATA; vmcall
    start({
      body: [
        {
          bytes: [0xb8, HC_HVM_OP, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 0, 0x40, 0, 0, 0x0f, 0x01, 0xc1],
          text: "get_param",
        },
      ],
    });
    pageOut();
    guest.run();
    const [event] = ring.take();
    expect([event!.gfn, guest.pauseCount(), guest.isDone()]).toEqual([GFN, 1, true]);
    expect(guest.register(0) | 0).toBe(-EFAULT);
  });

  it.each([
    ["as Xen 4.17: the answer is ignored and the page stays on its way (S-11)", 0, "ram_paging_in"],
    ["fixed: the answer ends it", 1, "ram_rw"],
  ])("S-11 %s", (_, knob, type) => {
    start({ knobs: [[KNOB_PAGING_FOREIGN, knob]] });
    nominate();
    // A hypercall of dom0 that copies to the guest's memory would do; a wait for a ring page is the shortest.
    guest.setParam(28, GFN);
    expect(guest.vmEvent(VM_EVENT_ENABLE, 2)).toBe(-ENOENT);
    const [event] = ring.take();
    expect(event).toMatchObject({ flags: EVF_FOREIGN, pagingFlags: MEM_PAGING_EVICT_FAIL });
    ring.answer(event!);
    expect(guest.type(GFN)).toBe(type);
  });
});

describe("a paged page that its guest gives back", () => {
  beforeEach(() => start());

  it("DROP_PAGE tells the pager to forget it", () => {
    pageOut();
    expect(decrease(GFN)).toBe(1);
    expect(ring.take()).toMatchObject([{ pagingFlags: MEM_PAGING_DROP_PAGE, p2mt: 10, gfn: GFN }]);
    expect([guest.pagedPages(), guest.entryOf(GFN).mfn]).toEqual([0n, expect.any(Number)]);
    expect(prep()).toBe(-ENOENT);
  });

  it("a nominated one goes with its frame, with EVICT_FAIL", () => {
    nominate();
    const free = guest.door.freeFrames();
    expect(decrease(GFN)).toBe(1);
    expect(guest.door.freeFrames() - free).toBe(1);
    expect(ring.take()).toMatchObject([{ pagingFlags: MEM_PAGING_DROP_PAGE | MEM_PAGING_EVICT_FAIL, p2mt: 9 }]);
    expect(guest.pagedPages()).toBe(0n);
  });

  it("new memory over a paged page: the old one is dropped", () => {
    pageOut();
    expect(guest.door.populate(guest.domid, [GFN])).toBe(1);
    expect([guest.type(GFN), guest.pagedPages(), ring.take().length]).toEqual(["ram_rw", 0n, 1]);
  });

  it("the answer to a dropped page changes nothing", () => {
    pageOut();
    decrease(GFN);
    const [event] = ring.take();
    ring.answer(event!);
    expect(guest.pagedPages()).toBe(0n);
  });

  it("a domain dies with pages out and requests open", () => {
    pageOut();
    pageOut(5);
    guest.unmap();
    expect(mapGuestPage).toBeDefined();
    expect(guest.door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid)).toBe(0);
  });
});
