/** Page access (spec 04 section 4.5, spec 02 section 2.2): every kind with its EPT rights, XENMEM_access_op row by row, what responses do. */
import { beforeEach, describe, expect, it } from "vitest";
import { add32, type Instruction, jump, load32, store32 } from "../../host/lib/explore/code.ts";
import { CRASH_ACCESS_REQUIRED, CRASH_EVENT_UNSENT } from "../../hv-core/abi/crash.ts";
import { EBUSY, EEXIST, EFAULT, EINVAL, ENODEV, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN, DOMCTL_MAX_MEM, HC_HVM_OP } from "../../hv-core/abi/hypercalls.ts";
import {
  KNOB_EVENT_SLOTS,
  KNOB_EVENT_UNSENT,
  KNOB_MEM_ACCESS,
  MEM_ACCESS_SVM,
  UNSENT_CRASH,
  UNSENT_GO_ON,
} from "../../hv-core/abi/knobs.ts";
import {
  ACCESS_GET,
  ACCESS_SET,
  ACCESS_SET_MULTI,
  EV_CPUID_LEAF,
  EV_READ_BYTES,
  EV_READ_SIZE,
  EVF_EMULATE,
  EVF_EMULATE_NOWRITE,
  EVF_SET_EMUL_READ_DATA,
  EVF_SET_REGISTERS,
  EVF_TOGGLE_SINGLESTEP,
  EVF_VCPU_PAUSED,
  MEM_ACCESS_R,
  MEM_ACCESS_W,
  MEM_ACCESS_X,
  MONITOR_CPUID,
  MONITOR_DESC_ACCESS,
  MONITOR_DISABLE,
  MONITOR_ENABLE,
  MONITOR_GET_CAPABILITIES,
  MONITOR_GUEST_REQUEST,
  MONITOR_MOV_TO_MSR,
  MONITOR_SINGLESTEP,
  MONITOR_SOFTWARE_BREAKPOINT,
  MONITOR_WRITE_CTRLREG,
  REASON_CPUID,
  REASON_GUEST_REQUEST,
  REASON_SINGLESTEP,
  VM_EVENT_DISABLE,
  VM_EVENT_MODE_MONITOR,
} from "../../hv-core/abi/vm-event.ts";
import { NOWHERE } from "../hv/door.ts";
import { CODE, Guest, PAGES, type Ring } from "./listener.ts";

const MONITOR = VM_EVENT_MODE_MONITOR;
const DATA = 0x4000;
const ALL = 0xffff_ffff_ffff_ffffn;
const N = 0;
const RWX = 7;
const RX2RW = 8;
const N2RWX = 9;
const DEFAULT = 11;

const nop: Instruction = { bytes: [0x90], text: "nop" };
const cpuid: Instruction = { bytes: [0x31, 0xc0, 0x0f, 0xa2], text: "xor eax, eax; cpuid" };
/** Jumps to code at DATA, which the test puts there. */
const toData: Instruction = jump(CODE, DATA);

let guest: Guest;
let ring: Ring;
function start(body: readonly Instruction[] = []): void {
  guest = new Guest({ body });
  ring = guest.listen(MONITOR);
}
const set = (access: number, pfn: number | bigint = 4, nr = 1) => guest.access(ACCESS_SET, { access, pfn, nr });

describe("kinds of access", () => {
  const kinds: readonly (readonly [name: string, access: number, rights: string])[] = [
    ["n", 0, "---"],
    ["r", 1, "r--"],
    ["rw", 3, "rw-"],
    ["x", 4, "--x"],
    ["rx", 5, "r-x"],
    ["rwx", 7, "rwx"],
    ["rx2rw", 8, "r-x"],
    ["n2rwx", 9, "---"],
    ["r_pw", 10, "r--"],
  ];
  it.each(kinds)("%s leaves these rights in the EPT entry", (_, access, rights) => {
    start();
    expect(set(access)).toBe(0);
    expect(guest.entryOf(4).rights).toBe(rights);
    expect(guest.access(ACCESS_GET, { pfn: 4 })).toBe(0);
    expect(guest.gotAccess).toBe(access);
  });

  it.each([
    [N, ["read", "write", "fetch"]],
    [1, ["write", "fetch"]],
    [3, ["fetch"]],
    [4, ["read", "write"]],
    [5, ["write"]],
    [7, []],
    [10, ["write", "fetch"]],
  ] as const)("%s is violated by %j", (access, violations) => {
    const programs = { read: [load32(DATA)], write: [store32(DATA, 1)], fetch: [toData] };
    for (const [kind, body] of Object.entries(programs)) {
      start(body);
      guest.setWord(DATA, 0xfeeb_9090); // nop nop, jump to itself
      set(access);
      guest.run();
      const [event] = ring.take();
      expect([kind, event !== undefined]).toEqual([kind, (violations as readonly string[]).includes(kind)]);
      if (!event) continue;
      const flags = { read: MEM_ACCESS_R, write: MEM_ACCESS_R | MEM_ACCESS_W, fetch: MEM_ACCESS_X }[kind];
      expect(event.access & 7).toBe(flags);
      expect(event.flags).toBe(EVF_VCPU_PAUSED);
    }
  });

  it("rx2rw becomes rw at a write, and nobody is told", () => {
    start([store32(DATA, 5)]);
    set(RX2RW);
    guest.run();
    expect([guest.isDone(), guest.entryOf(4).rights, ring.take().length]).toEqual([true, "rw-", 0]);
  });

  it("n2rwx becomes rwx at any touch, with an event that nobody waits for", () => {
    start([load32(DATA)]);
    set(N2RWX);
    guest.run();
    const [event] = ring.take();
    expect([guest.isDone(), guest.entryOf(4).rights, event!.flags]).toEqual([true, "rwx", 0]);
  });

  it("without a listener the page becomes rwx, or the domain is crashed when it needs one", () => {
    for (const [required, crash] of [
      [0, 0],
      [1, CRASH_ACCESS_REQUIRED],
    ]) {
      start([store32(DATA, 5)]);
      set(1);
      guest.setAccessRequired(required!);
      expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(0);
      guest.run();
      expect([guest.isDone(), guest.crashReason()]).toEqual([crash === 0, crash]);
    }
  });
});

describe("XENMEM_access_op", () => {
  beforeEach(() => start());

  it("needs a domain that is not oneself, alive, with a monitor ring, on VMX", () => {
    expect(guest.access(ACCESS_SET, { arg: NOWHERE })).toBe(-EFAULT);
    expect(guest.access(ACCESS_SET, { domid: 0x7000 })).toBe(-ESRCH);
    expect(guest.access(ACCESS_SET, { domid: 0 })).toBe(-EPERM);
    guest.vmEvent(VM_EVENT_DISABLE, MONITOR);
    expect(set(1)).toBe(-ENODEV);
    const svm = new Guest({ knobs: [[KNOB_MEM_ACCESS, MEM_ACCESS_SVM]] });
    svm.listen(MONITOR);
    expect(svm.access(ACCESS_SET, { access: 1, pfn: 4 })).toBe(-EINVAL);
    guest.door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid);
    expect(set(1)).toBe(-EINVAL);
  });

  it("checks range, access and operation", () => {
    expect(set(12)).toBe(-EINVAL);
    expect(set(99)).toBe(-EINVAL);
    expect(set(1, 4, 0)).toBe(-EINVAL);
    expect(set(1, 0x10_0000)).toBe(-EINVAL);
    expect(set(1, 4, 0x8000_0000)).toBe(-EINVAL);
    expect(set(1, 0xffff_ffff_ffff_fff0n, 0x20)).toBe(-EINVAL);
    for (const op of [2, 3, 5, 9]) expect(guest.access(op)).toBe(-ENOSYS);
  });

  it("get: -EINVAL beyond the last page, -ESRCH without one", () => {
    expect(guest.access(ACCESS_GET, { pfn: 0x10_0000 })).toBe(-EINVAL);
    expect(guest.access(ACCESS_GET, { pfn: PAGES + 5 })).toBe(-ESRCH);
    expect(guest.access(ACCESS_GET, { pfn: 4 })).toBe(0);
    expect(guest.gotAccess).toBe(RWX);
  });

  it("pfn ~0 is the default, for new pages and for access default", () => {
    expect(set(1, ALL, 0)).toBe(0);
    expect(guest.access(ACCESS_GET, { pfn: ALL })).toBe(0);
    expect(guest.gotAccess).toBe(1);
    expect(guest.entryOf(5).rights).toBe("rwx");
    expect(set(DEFAULT, 5)).toBe(0);
    expect(guest.entryOf(5).rights).toBe("r--");
    guest.door.populate(guest.domid, [PAGES + 1]);
    expect(guest.entryOf(PAGES + 1).rights).toBe("r--");
  });

  it("set_multi reads each entry, and -EFAULT where the lists end", () => {
    const { door } = guest;
    door.put(0x8000, 32, [
      [0, 8, 4],
      [8, 8, 6],
      [16, 8, 0x10_0000],
    ]);
    door.put(0x9000, 8, [
      [0, 1, 1],
      [1, 1, 5],
      [2, 1, 1],
    ]);
    const multi = (nr: number, pfns = 0x8000, list = 0x9000) => guest.access(ACCESS_SET_MULTI, { nr, pfns, list });
    expect(multi(2)).toBe(0);
    expect([4, 5, 6].map((gfn) => guest.entryOf(gfn).rights)).toEqual(["r--", "rwx", "r-x"]);
    expect(multi(3)).toBe(-EINVAL);
    expect(multi(1, NOWHERE)).toBe(-EFAULT);
    expect(multi(1, 0x8000, NOWHERE)).toBe(-EFAULT);
  });

  it("splits a superpage and is preempted on the way; goes on where the command word says", () => {
    const { door } = guest;
    const big = new Guest({ door });
    big.listen(MONITOR);
    door.domctl(DOMCTL_MAX_MEM, big.domid, [[0, 8, 4096]]);
    expect(door.populate(big.domid, [1024], 9)).toBe(1);
    expect(big.access(ACCESS_SET, { access: 5, pfn: 1024, nr: 512 })).toBe(0);
    expect([1024, 1300, 1535].map((gfn) => big.entryOf(gfn).rights)).toEqual(["r-x", "r-x", "r-x"]);
    expect(big.access(ACCESS_SET, { access: 1, pfn: 1024, nr: 512, start: 448 })).toBe(0);
    expect([1024 + 447, 1024 + 448].map((gfn) => big.entryOf(gfn).rights)).toEqual(["r-x", "r--"]);
    expect(big.access(ACCESS_SET, { access: 1, pfn: 1024, nr: 64, start: 128 })).toBe(-EINVAL);
  });
});

describe("responses", () => {
  const answered = (flags: number, fill?: (view: DataView, at: number) => void) => {
    const [event] = ring.take();
    ring.answer(event!, { flags, ...(fill ? { fill } : {}) });
    guest.run();
    return event!;
  };

  it.each([
    [N, "n"],
    [1, "r"],
    [5, "rx"],
  ])("EMULATE carries a write out although the page forbids it (%i, %s)", (access) => {
    start([store32(DATA, 77), load32(0x5000)]);
    set(access);
    guest.run();
    answered(EVF_VCPU_PAUSED | EVF_EMULATE);
    expect([guest.isDone(), guest.word(DATA), guest.entryOf(4).rights === "rwx"]).toEqual([true, 77, false]);
  });

  it("EMULATE runs one instruction of a page that may not be executed; the next one is a violation again", () => {
    start([toData]);
    guest.setWord(DATA, 0xfeeb_9090);
    set(3);
    guest.run();
    expect(ring.take().length).toBe(1);
    for (const rip of [DATA, DATA + 1, DATA + 2]) {
      expect(guest.rip()).toBe(rip);
      const index = ring.produced - 1;
      ring.answer(
        { ...ringEvent(index), flags: EVF_VCPU_PAUSED | EVF_EMULATE },
        { flags: EVF_VCPU_PAUSED | EVF_EMULATE },
      );
      guest.run();
    }
    expect(ring.produced).toBe(4);
  });
  const ringEvent = (index: number) => {
    const at = ring.entry(index);
    const u32 = (offset: number) => ring.view.getUint32(at + offset, true);
    return {
      at,
      version: u32(0),
      flags: u32(4),
      reason: u32(8),
      vcpu: u32(12),
      gfn: u32(24),
      p2mt: 0,
      pagingFlags: 0,
      offset: u32(32),
      gla: u32(40),
      access: u32(48),
    };
  };

  it("EMULATE with NOWRITE discards the write", () => {
    start([store32(DATA, 77), nop]);
    set(1);
    guest.run();
    answered(EVF_VCPU_PAUSED | EVF_EMULATE | EVF_EMULATE_NOWRITE);
    expect([guest.isDone(), guest.word(DATA)]).toEqual([true, 0]);
  });

  it("EMULATE with READ_DATA: the instruction reads what the listener says, zero-padded", () => {
    start([load32(DATA)]);
    guest.setWord(DATA, 0x1111_1111);
    set(N);
    guest.run();
    answered(EVF_VCPU_PAUSED | EVF_EMULATE | EVF_SET_EMUL_READ_DATA, (view, at) => {
      view.setUint32(at + EV_READ_SIZE, 2, true);
      view.setUint32(at + EV_READ_BYTES, 0xaabb_ccdd, true);
    });
    expect([guest.isDone(), guest.register(0), guest.word(DATA)]).toEqual([true, 0xccdd, 0x1111_1111]);
  });

  it("an RMW with READ_DATA and NOWRITE reads the data and writes nothing", () => {
    start([add32(DATA, 1)]);
    guest.setWord(DATA, 5);
    set(N);
    guest.run();
    answered(EVF_VCPU_PAUSED | EVF_EMULATE | EVF_SET_EMUL_READ_DATA | EVF_EMULATE_NOWRITE, (view, at) =>
      view.setUint32(at + EV_READ_SIZE, 4, true),
    );
    expect([guest.isDone(), guest.word(DATA)]).toEqual([true, 5]);
  });

  it("EMULATE is not obeyed when the page allows the access by now", () => {
    start([store32(DATA, 77)]);
    set(1);
    guest.run();
    set(RWX);
    answered(EVF_VCPU_PAUSED | EVF_EMULATE | EVF_EMULATE_NOWRITE);
    expect([guest.isDone(), guest.word(DATA)]).toEqual([true, 77]);
  });

  it("without any flag but VCPU_PAUSED the instruction faults again", () => {
    start([store32(DATA, 77)]);
    set(1);
    guest.run();
    answered(EVF_VCPU_PAUSED);
    expect([guest.rip(), ring.take().length, guest.pauseCount()]).toEqual([CODE, 1, 1]);
  });

  it("TOGGLE_SINGLESTEP: one instruction, then an event, until it is toggled again", () => {
    start([store32(DATA, 1), nop, nop]);
    expect(guest.monitorOp(MONITOR_ENABLE, MONITOR_SINGLESTEP)).toBe(0);
    set(1);
    guest.run();
    set(RWX);
    answered(EVF_VCPU_PAUSED | EVF_TOGGLE_SINGLESTEP);
    const [step] = ring.take();
    expect([step!.reason, guest.rip() - CODE, guest.word(DATA)]).toEqual([REASON_SINGLESTEP, 10, 1]);
    expect(step!.gfn).toBe(CODE >> 12);
    set(1);
    ring.answer(step!, { flags: EVF_VCPU_PAUSED });
    guest.run();
    const [next] = ring.take();
    expect([next!.reason, guest.rip() - CODE]).toEqual([REASON_SINGLESTEP, 11]);
    ring.answer(next!, { flags: EVF_VCPU_PAUSED | EVF_TOGGLE_SINGLESTEP });
    guest.run();
    expect([guest.isDone(), ring.take().length]).toEqual([true, 0]);
  });

  it("a listener that goes leaves a vCPU paused: only an answer undoes a pause", () => {
    start([store32(DATA, 77)]);
    set(1);
    guest.run();
    expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(0);
    guest.run();
    expect([guest.pauseCount(), guest.crashReason()]).toEqual([1, 0]);
  });
});

describe("V-5: the listener goes between the check and the event", () => {
  /** Long enough for both vCPUs to have their turns. */
  const LONG = 40_000;
  /** vCPU 0 has the only slot, vCPU 1 waits for one; the answer wakes it, and before it runs the ring is disabled. */
  const leave = (unsent: number): Guest => {
    const two = new Guest({
      body: [load32(DATA)],
      others: [[store32(0x5000, 9)]],
      knobs: [
        [KNOB_EVENT_SLOTS, 1],
        [KNOB_EVENT_UNSENT, unsent],
      ],
    });
    const monitor = two.listen(MONITOR);
    two.access(ACCESS_SET, { access: 9, pfn: 4 });
    two.access(ACCESS_SET, { access: 1, pfn: 5 });
    two.run(LONG);
    const [event, ...others] = monitor.take();
    expect([event!.gfn, others.length, two.isDone(1)]).toEqual([4, 0, false]);
    expect(two.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(-EBUSY);
    monitor.answer(event!);
    expect(two.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(0);
    two.run(LONG);
    return two;
  };

  it("the event cannot be sent: the domain crashes, with a reason", () => {
    const two = leave(UNSENT_CRASH);
    expect([two.crashReason(), two.word(0x5000)]).toEqual([CRASH_EVENT_UNSENT, 0]);
  });

  it("or the access is made again, and nobody listens any more", () => {
    const two = leave(UNSENT_GO_ON);
    expect([two.crashReason(), two.isDone(1), two.word(0x5000)]).toEqual([0, true, 9]);
    expect(two.entryOf(5).rights).toBe("rwx");
  });
});

describe("DOMCTL_monitor_op", () => {
  beforeEach(() => start([cpuid, nop]));

  it("says what it can, and refuses the rest", () => {
    expect(guest.monitorOp(MONITOR_GET_CAPABILITIES, 0)).toBe(0);
    expect(guest.door.result32(4)).toBe(
      [
        MONITOR_WRITE_CTRLREG,
        MONITOR_MOV_TO_MSR,
        MONITOR_SINGLESTEP,
        MONITOR_SOFTWARE_BREAKPOINT,
        MONITOR_GUEST_REQUEST,
        MONITOR_CPUID,
        MONITOR_DESC_ACCESS,
      ].reduce((bits, event) => bits | (1 << event), 0),
    );
    for (const event of [5, 7, 8, 10, 11, 12, 31]) expect(guest.monitorOp(MONITOR_ENABLE, event)).toBe(-EOPNOTSUPP);
    expect(guest.monitorOp(MONITOR_ENABLE, 32)).toBe(-EINVAL);
    expect(guest.monitorOp(99, 0)).toBe(-EOPNOTSUPP);
    expect(guest.monitorOp(MONITOR_DISABLE, MONITOR_CPUID)).toBe(-EEXIST);
    expect(guest.monitorOp(MONITOR_ENABLE, MONITOR_CPUID)).toBe(0);
    expect(guest.monitorOp(MONITOR_ENABLE, MONITOR_CPUID)).toBe(-EEXIST);
  });

  it("CPUID: the listener sees the leaf, and lets the guest go on behind the instruction", () => {
    guest.monitorOp(MONITOR_ENABLE, MONITOR_CPUID);
    guest.run();
    const [event] = ring.take();
    expect([event!.reason, ring.view.getUint32(event!.at + EV_CPUID_LEAF, true)]).toEqual([REASON_CPUID, 0]);
    ring.answer(event!, {
      flags: EVF_VCPU_PAUSED | EVF_SET_REGISTERS,
      fill: (view, at) => view.setUint32(at + 56 + 152, CODE + 4, true),
    });
    guest.run();
    expect(guest.isDone()).toBe(true);
  });

  it("a guest request is an event, synchronous if asked for", () => {
    const request: Instruction = {
      // mov eax, 34; mov ebx, 24; xor ecx, ecx; vmcall
      bytes: [0xb8, HC_HVM_OP, 0, 0, 0, 0xbb, 24, 0, 0, 0, 0x31, 0xc9, 0x0f, 0x01, 0xc1],
      text: "guest request",
    };
    for (const sync of [0, 1]) {
      start([request, nop]);
      guest.monitorOp(MONITOR_ENABLE, MONITOR_GUEST_REQUEST, sync);
      guest.run();
      const [event] = ring.take();
      expect([event!.reason, event!.flags, guest.isDone()]).toEqual([REASON_GUEST_REQUEST, sync, sync === 0]);
      ring.answer(event!);
      guest.run();
      expect([guest.isDone(), guest.register(0)]).toEqual([true, 0]);
    }
  });
});
