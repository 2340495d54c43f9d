/** The interface of May 2014 (version 0x0a): layouts and answers that differ from 4.17's (spec 05 section 5.2, column of 2014). */
import { beforeEach, describe, expect, it } from "vitest";
import * as dc from "../../hv-core/abi/domctl.ts";
import { E2BIG, EACCES, EBUSY, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import * as hc from "../../hv-core/abi/hypercalls.ts";
import {
  DEFECT_PAUSE_FLAG,
  DEFECT_UNCHECKED_IO,
  DOMCTL_ERA_0A,
  KNOB_DOMCTL_DEFECTS,
  KNOB_DOMCTL_ERA,
} from "../../hv-core/abi/knobs.ts";
import { makeCaller } from "./caller.ts";
import { ARG, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const ERA = [KNOB_DOMCTL_ERA, DOMCTL_ERA_0A] as const;
let door: Door;
beforeEach(() => {
  door = openDoor(4096, [ERA]);
});

const create = (domid: number, flags = hc.CDF_HVM | hc.CDF_HAP): number =>
  door.domctl(hc.DOMCTL_CREATEDOMAIN, domid, [
    [0, 4, 7],
    [4, 8, 0x1111_2222_3333_4444n],
    [20, 4, flags],
  ]);

describe("envelope", () => {
  it("takes its own interface version only, before it looks at anything else", () => {
    expect(door.domctl(hc.DOMCTL_PAUSEDOMAIN, 0x7000, [], hc.DOMCTL_INTERFACE_VERSION_4_17)).toBe(-EACCES);
    expect(door.domctl(hc.DOMCTL_PAUSEDOMAIN, 0x7000)).toBe(-ESRCH);
  });

  it("tells everybody which domains exist", () => {
    const guest = makeCaller(door);
    const ask = (domid: number): number => {
      const at = guest.call(hc.HC_DOMCTL, NOWHERE); // no RAM there in the guest either
      expect(at).toBe(-EFAULT);
      return guest.domctl0a(hc.DOMCTL_PAUSEDOMAIN, domid);
    };
    expect(ask(0x7000)).toBe(-ESRCH);
    expect(ask(0)).toBe(-EPERM);
  });
});

describe("createdomain and max_vcpus", () => {
  it("has three fields; an id in use is EINVAL, unknown flags too", () => {
    expect(create(9)).toBe(0);
    expect(door.u16(ARG + 8)).toBe(9);
    expect(create(9)).toBe(-EINVAL);
    expect(create(10, 0x100)).toBe(-EINVAL);
    expect(create(10, hc.CDF_HAP)).toBe(-EINVAL);
    expect(create(10, hc.CDF_HVM)).toBe(-EOPNOTSUPP); // no shadow paging here
    expect(door.domctl(hc.DOMCTL_GETDOMAININFO, 9)).toBe(0);
    expect([door.result32(72), door.result64(76)]).toEqual([7, 0x1111_2222_3333_4444n]);
  });

  it("the vCPUs come with max_vcpus, once", () => {
    create(9);
    const max = (count: number, domid = 9): number => door.domctl(hc.DOMCTL_MAX_VCPUS, domid, [[0, 4, count]]);
    expect(max(129)).toBe(-EINVAL);
    expect(max(0)).toBe(-EINVAL);
    expect(max(2)).toBe(0);
    expect(max(2)).toBe(0);
    expect(max(1)).toBe(-EINVAL);
    expect(max(3)).toBe(-EBUSY);
    expect(max(1, 0)).toBe(-EINVAL);
    expect(door.domctl(hc.DOMCTL_GETVCPUINFO, 9, [[0, 4, 1]])).toBe(0);
    expect(door.domctl(hc.DOMCTL_GETVCPUINFO, 9, [[0, 4, 2]])).toBe(-EINVAL);
  });

  it("more vCPUs than there is room for: none", () => {
    for (let i = 0; i < 4; i++) {
      create(20 + i);
      door.domctl(hc.DOMCTL_MAX_VCPUS, 20 + i, [[0, 4, 127]]);
    }
    create(30);
    expect(door.domctl(hc.DOMCTL_MAX_VCPUS, 30, [[0, 4, 128]])).toBe(-12);
    expect(door.domctl(hc.DOMCTL_MAX_VCPUS, 30, [[0, 4, 1]])).toBe(0);
  });
});

describe("getdomaininfo", () => {
  it("has 96 bytes: what the caller has behind them stays", () => {
    const domid = door.createDomain();
    expect(door.domctl(hc.DOMCTL_GETDOMAININFO, domid, [[96, 8, 0x1234n]])).toBe(0);
    expect(door.result64(96)).toBe(0x1234n);
    expect(door.domctl(hc.DOMCTL_GETDOMAININFO, 1)).toBe(0); // the next one
  });
});

describe("getpageframeinfo", () => {
  const BAD = 0x50_0000;
  let domid: number;
  beforeEach(() => {
    domid = door.createDomain();
    door.populate(domid, [0, 1, 2, 3]);
  });

  it("one page: EINVAL when it is none, and the type stays", () => {
    const ask = (gfn: number): number =>
      door.domctl(dc.DOMCTL_GETPAGEFRAMEINFO, domid, [
        [0, 8, gfn],
        [8, 4, 0x77],
      ]);
    expect(ask(2)).toBe(0);
    expect(door.result32(8)).toBe(0);
    expect(ask(BAD)).toBe(-EINVAL);
    expect(door.result32(8)).toBe(0x77);
  });

  const list = (cmd: number, size: 4 | 8, entries: number[], count: number | bigint = entries.length): number => {
    door.put(
      LIST,
      4096,
      entries.map((gfn, i): Field => [i * size, size, gfn]),
    );
    return door.domctl(cmd, domid, [
      [0, 8, count],
      [8, 8, LIST],
    ]);
  };

  it("many pages, types of 32 bits", () => {
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO2, 4, [1, BAD, 3])).toBe(0);
    expect([0, 4, 8].map((o) => door.u32(LIST + o))).toEqual([0, 0xf000_0000, 0]);
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO2, 4, [], 1025)).toBe(-E2BIG);
    // The number is cut to a signed int: nothing is done, and that succeeds.
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO2, 4, [BAD], 0x8000_0000)).toBe(0);
    expect(door.u32(LIST)).toBe(BAD);
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO2, 4, [1], 1n << 32n)).toBe(0);
    expect(
      door.domctl(dc.DOMCTL_GETPAGEFRAMEINFO2, domid, [
        [0, 8, 1],
        [8, 8, NOWHERE],
      ]),
    ).toBe(-EFAULT);
  });

  it("many pages, as wide as a frame number: the number is not cut", () => {
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO3, 8, [BAD, 2])).toBe(0);
    expect([door.u64(LIST), door.u64(LIST + 8)]).toEqual([0xf000_0000n, 0n]);
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO3, 8, [], 1n << 32n)).toBe(-E2BIG);
    expect(list(dc.DOMCTL_GETPAGEFRAMEINFO3, 8, [], 1025)).toBe(-E2BIG);
  });
});

describe("settings", () => {
  let domid: number;
  beforeEach(() => {
    domid = door.createDomain();
    door.populate(domid, [0, 1, 2, 3]);
  });
  const word = (cmd: number, value: number): number => door.domctl(cmd, domid, [[0, 4, value]]);

  it("hypercall_init: EACCES for a page that is none", () => {
    expect(door.domctl(hc.DOMCTL_HYPERCALL_INIT, domid, [[0, 8, 2]])).toBe(0);
    expect(door.domctl(hc.DOMCTL_HYPERCALL_INIT, domid, [[0, 8, 0x50_0000]])).toBe(-EACCES);
  });

  it("settimeoffset is 32 bits, with its sign", () => {
    expect(word(dc.DOMCTL_SETTIMEOFFSET, -7 >>> 0)).toBe(0);
    expect(door.domctl(dc.DOMCTL_SETTIMEOFFSET, domid, [[0, 8, 0x5_0000_0001n]])).toBe(0);
  });

  it("getvcpuaffinity and setvcpuaffinity: one bitmap, right after the vCPU", () => {
    const ask = (cmd: number, vcpu: number, gpa = LIST): number =>
      door.domctl(cmd, domid, [
        [0, 4, vcpu],
        [8, 8, gpa],
        [16, 4, 8],
      ]);
    door.put(LIST, 8, [[0, 1, 2]]);
    expect(ask(dc.DOMCTL_SETVCPUAFFINITY, 0)).toBe(0);
    door.put(LIST, 8, []);
    expect(ask(dc.DOMCTL_GETVCPUAFFINITY, 0)).toBe(0);
    expect(door.u32(LIST)).toBe(2);
    expect(ask(dc.DOMCTL_GETVCPUAFFINITY, 1)).toBe(-EINVAL);
    expect(ask(dc.DOMCTL_GETVCPUAFFINITY, 0, NOWHERE)).toBe(-EFAULT);
    expect(ask(dc.DOMCTL_SETVCPUAFFINITY, 0, NOWHERE)).toBe(-EFAULT);
    door.put(LIST, 8, []);
    expect(ask(dc.DOMCTL_SETVCPUAFFINITY, 0)).toBe(-EINVAL); // no processor at all
    create(40);
    door.domctl(hc.DOMCTL_MAX_VCPUS, 40, [[0, 4, 2]]);
  });

  it("sendtrigger: a number no domain can have is EINVAL, one that is not there ESRCH", () => {
    const nmi = (vcpu: number): number =>
      door.domctl(dc.DOMCTL_SENDTRIGGER, domid, [
        [0, 4, dc.SENDTRIGGER_NMI],
        [4, 4, vcpu],
      ]);
    expect(nmi(0)).toBe(0);
    expect(nmi(1)).toBe(-ESRCH);
    expect(nmi(128)).toBe(-EINVAL);
  });

  it("get_address_size: 64 for a HVM domain as well", () => {
    expect(door.domctl(dc.DOMCTL_GET_ADDRESS_SIZE, domid)).toBe(0);
    expect(door.result32(0)).toBe(64);
  });

  it("set and get_machine_address_size: kept; the machine's when nobody said any; EBUSY for one that has run", () => {
    const ask = (): number => {
      expect(door.domctl(dc.DOMCTL_GET_MACHINE_ADDRESS_SIZE, domid)).toBe(0);
      return door.result32(0);
    };
    expect(ask()).toBe(40);
    expect(word(dc.DOMCTL_SET_MACHINE_ADDRESS_SIZE, 36)).toBe(0);
    expect(ask()).toBe(36);
    door.domctl(hc.DOMCTL_UNPAUSEDOMAIN, domid);
    expect(word(dc.DOMCTL_SET_MACHINE_ADDRESS_SIZE, 38)).toBe(-EBUSY);
  });

  it("suppress_spurious_page_faults and disable_migrate: taken", () => {
    expect(door.domctl(dc.DOMCTL_SUPPRESS_SPURIOUS_PAGE_FAULTS, domid)).toBe(0);
    expect(word(dc.DOMCTL_DISABLE_MIGRATE, 1)).toBe(0);
  });

  it("gettscinfo answers through a handle, settscinfo has the information behind one", () => {
    const info: Field[] = [
      [8, 4, 2],
      [12, 4, 0],
      [16, 4, 4],
    ];
    expect(door.domctl(dc.DOMCTL_SETTSCINFO, domid, info)).toBe(0);
    door.put(OUT, 24, [[12, 4, 0xffff_ffff]]);
    expect(door.domctl(dc.DOMCTL_GETTSCINFO, domid, [[0, 8, OUT]])).toBe(0);
    expect([0, 8, 12].map((o) => door.u32(OUT + o))).toEqual([2, 5, 0]);
    expect(door.result64(0)).toBe(BigInt(OUT)); // the structure itself does not go back
    expect(door.domctl(dc.DOMCTL_GETTSCINFO, domid, [[0, 8, NOWHERE]])).toBe(-EFAULT);
    expect(door.domctl(dc.DOMCTL_SETTSCINFO, domid, [[8, 4, 9]])).toBe(-EINVAL);
  });

  it("audit_p2m of oneself: EPERM", () => {
    expect(door.domctl(dc.DOMCTL_AUDIT_P2M, 0)).toBe(-EPERM);
    expect(door.domctl(dc.DOMCTL_AUDIT_P2M, domid)).toBe(0);
  });

  it("set_max_evtchn: no port above it, and no more than there are", () => {
    const alloc = (): number =>
      door.call(
        hc.HC_EVENT_CHANNEL_OP,
        hc.EVTCHNOP_ALLOC_UNBOUND,
        door.put(ARG, 8, [
          [0, 2, domid],
          [2, 2, 0],
        ]),
      );
    expect(word(dc.DOMCTL_SET_MAX_EVTCHN, 2)).toBe(0);
    expect([alloc(), alloc(), alloc()]).toEqual([0, 0, -28]);
    expect(word(dc.DOMCTL_SET_MAX_EVTCHN, 0xffff_ffff)).toBe(0);
    expect(alloc()).toBe(0);
  });

  it.each([
    dc.DOMCTL_ARCH_SETUP,
    dc.DOMCTL_REAL_MODE_AREA,
    dc.DOMCTL_SET_OPT_FEATURE,
    6,
    dc.DOMCTL_GET_CPU_POLICY,
    dc.DOMCTL_SET_CPU_POLICY,
    dc.DOMCTL_SOFT_RESET,
    hc.DOMCTL_GET_PAGING_MEMPOOL_SIZE,
    dc.DOMCTL_MONITOR_OP,
  ])("stale or not there yet: %i is ENOSYS", (cmd) => {
    expect(door.domctl(cmd, domid)).toBe(-ENOSYS);
  });
});

describe("defects of the time", () => {
  it("the pause is a flag: the second is no pause, one unpause ends both", () => {
    door = openDoor(4096, [ERA, [KNOB_DOMCTL_DEFECTS, DEFECT_PAUSE_FLAG]]);
    const domid = door.createDomain();
    const flags = (): number => {
      door.domctl(hc.DOMCTL_GETDOMAININFO, domid);
      return door.result32(4) & hc.DOMINF_PAUSED;
    };
    for (let i = 0; i < 300; i++) expect(door.domctl(hc.DOMCTL_PAUSEDOMAIN, domid)).toBe(0);
    expect(flags()).toBe(hc.DOMINF_PAUSED);
    expect(door.domctl(hc.DOMCTL_UNPAUSEDOMAIN, domid)).toBe(0);
    expect(flags()).toBe(0);
    expect(door.domctl(hc.DOMCTL_UNPAUSEDOMAIN, domid)).toBe(0);
  });

  it("iomem_permission of no frames from frame 0 on is everything (F-7)", () => {
    door = openDoor(4096, [ERA, [KNOB_DOMCTL_DEFECTS, DEFECT_UNCHECKED_IO]]);
    const domid = door.createDomain();
    const grant = (first: number, count: number): number =>
      door.domctl(dc.DOMCTL_IOMEM_PERMISSION, domid, [
        [0, 8, first],
        [8, 8, count],
        [16, 1, 1],
      ]);
    expect(grant(0, 0)).toBe(0);
  });
});
