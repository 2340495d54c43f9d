/** domctl as Xen 4.17 answered (test names carry the recorded rows): envelope, creation, life cycle, resources, HVM context. */
import { beforeEach, describe, expect, it } from "vitest";
import { DOMCTL_GETVCPUAFFINITY, DOMCTL_SETVCPUAFFINITY } from "../../hv-core/abi/domctl.ts";
import {
  EACCES,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODATA,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  EOPNOTSUPP,
  EOVERFLOW,
  ESRCH,
} from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_GETHVMCONTEXT,
  DOMCTL_GETVCPUINFO,
  DOMCTL_HYPERCALL_INIT,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETDOMAINHANDLE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
  HC_DOMCTL,
  HC_MEMORY_OP,
  HC_SCHED_OP,
  HVM_SAVE_CPU,
  HVM_SAVE_CPU_SIZE,
  HVM_SAVE_HEADER,
  HVM_SAVE_MAGIC,
  SCHEDOP_REMOTE_SHUTDOWN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { ARG, creation, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const ABSENT = 0x7000;
let door: Door;
beforeEach(() => {
  door = openDoor();
});

const info = (domid: number) => {
  const result = door.domctl(DOMCTL_GETDOMAININFO, domid);
  return { result, flags: door.result32(4), tot: door.result64(8), max: door.result64(16), domid: door.result32(0) };
};

describe("envelope", () => {
  it.each([0, 0xa, 0x14, 0x16, 0x18, 0xffffffff])("V003..V008 version 0x%x: -EACCES", (version) => {
    expect(door.domctl(DOMCTL_GETDOMAININFO, 0, [], version)).toBe(-EACCES);
    expect(door.domctl(DOMCTL_PAUSEDOMAIN, ABSENT, [], version)).toBe(-EACCES);
    expect(door.domctl(999, 0, [], version)).toBe(-EACCES);
  });

  it("V011..V013 bad pointer: -EFAULT", () => {
    for (const pointer of [NOWHERE, 0xffffff00]) expect(door.call(HC_DOMCTL, pointer)).toBe(-EFAULT);
  });

  it("V014..V043 stale and unknown commands", () => {
    const domid = door.createDomain();
    for (const cmd of [0, 6, 7, 8, 26, 30, 31, 32, 41, 44, 49, 51, 52, 53, 58, 70, 76, 80, 87, 88, 90, 999, 0xffffffff])
      expect(door.domctl(cmd, domid), `command ${cmd}`).toBe(-ENOSYS);
    expect(door.domctl(23, domid)).toBe(-EINVAL);
    expect(door.domctl(999, ABSENT)).toBe(-ESRCH);
    expect(door.domctl(23, ABSENT)).toBe(-ESRCH);
  });

  it.each([0x7000, 0x7fef, 0x7ff0, 0x7ff1, 0x7ff4, 0x7fff, 0xffff])("V044..V063 domain 0x%x: -ESRCH", (domid) => {
    expect(door.domctl(DOMCTL_UNPAUSEDOMAIN, domid)).toBe(-ESRCH);
    expect(door.domctl(DOMCTL_MAX_VCPUS, domid)).toBe(-ESRCH);
  });
});

describe("createdomain", () => {
  const create = (fields: readonly Field[], domid = 0) => door.domctl(DOMCTL_CREATEDOMAIN, domid, fields);
  const at = (offset: number, bytes: 1 | 2 | 4 | 8, value: number): readonly Field[] =>
    creation({ extra: [[offset, bytes, value]] });

  it.each([
    ["V068 no emulation", creation({ emulation: 0 }), -EOPNOTSUPP],
    ["V069 some of it", creation({ emulation: 0x13f }), -EOPNOTSUPP],
    ["V072 all but vPCI", creation({ emulation: 0x3ff }), 0],
    ["V074 unknown bit", creation({ emulation: 0x800 }), -EINVAL],
    ["V077 no HAP", creation({ flags: 1 }), -EOPNOTSUPP],
    ["V078 HAP without HVM", creation({ flags: 2 }), -EINVAL],
    ["V082 S3 integrity", creation({ flags: 7 }), -EINVAL],
    ["V083 oos off", creation({ flags: 3 | 8 }), 0],
    ["V087 iommu", creation({ flags: 3 | 32 }), -EINVAL],
    ["V089 vpmu", creation({ flags: 3 | 128 }), -EINVAL],
    ["V091 flag bit 8", creation({ flags: 3 | 256 }), -EINVAL],
    ["V093 no vCPU", creation({ vcpus: 0 }), -EINVAL],
    ["V094 128 vCPUs", creation({ vcpus: 128 }), 0],
    ["V095 129 vCPUs", creation({ vcpus: 129 }), -EINVAL],
    ["V106 grant options 0", at(44, 4, 0), -EINVAL],
    ["V107 grant options 1", at(44, 4, 1), 0],
    ["V109 grant options 0x12", at(44, 4, 0x12), -EINVAL],
    ["V110 grant frames -1", at(36, 4, 0xffffffff), 0],
    ["V111 grant frames 0", at(36, 4, 0), -EINVAL],
    ["V114 maptrack 1e8", at(40, 4, 100_000_000), -EINVAL],
    ["V115 no ports", creation({ ports: 0 }), 0],
    ["V116 all ports", creation({ ports: 0xffffffff }), 0],
    ["V117 misc 1", at(60, 4, 1), 0],
    ["V118 misc 2", at(60, 4, 2), -EINVAL],
    ["V119 iommu options", at(24, 4, 1), -EINVAL],
    ["V121 cpupool", at(52, 4, 7), -ESRCH],
    ["V122 vmtrace", at(48, 4, 4096), -EINVAL],
  ] as const)("%s", (_, fields, expected) => {
    expect(create(fields)).toBe(expected);
  });

  it("V100..V105 ids: in use, free, reserved, rover", () => {
    const first = door.createDomain();
    expect(create(creation({}), first)).toBe(-EEXIST);
    expect(create(creation({}), 500)).toBe(0);
    expect(door.u16(ARG + 8)).toBe(500);
    expect(create(creation({}), 0x7ff0)).toBe(0);
    expect(door.u16(ARG + 8)).toBe(first + 1);
    door.domctl(DOMCTL_DESTROYDOMAIN, first + 1);
    expect(create(creation({}))).toBe(0);
    expect(door.u16(ARG + 8)).toBe(first + 2);
  });

  it("refuses a domain when no frames are left and gives everything back", () => {
    const free = door.freeFrames();
    const ids: number[] = [];
    for (;;) {
      const result = create(creation({}));
      if (result !== 0) break;
      ids.push(door.u16(ARG + 8));
    }
    expect(ids.length).toBeGreaterThan(1000);
    for (const id of ids) expect(door.domctl(DOMCTL_DESTROYDOMAIN, id)).toBe(0);
    expect(door.freeFrames()).toBe(free);
  });
});

describe("getdomaininfo", () => {
  it("V124 V135 a fresh domain, before and after max_vcpus", () => {
    door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ vcpus: 2 }));
    const domid = door.u16(ARG + 8);
    expect(info(domid)).toEqual({ result: 0, flags: 0xffff010a, tot: 0n, max: 0n, domid });
    expect(door.result32(68)).toBe(0xffffffff);
    expect(door.result64(48)).toBe(0xffffffffffffffffn);
    expect(door.view.getUint8(door.at(ARG + 16 + 96))).toBe(40);
    expect(door.result32(104)).toBe(1);
    expect(door.domctl(DOMCTL_MAX_VCPUS, domid, [[0, 4, 2]])).toBe(0);
    info(domid);
    expect(door.result32(68)).toBe(1);
  });

  it("V141..V145 ids above all, between, reserved", () => {
    door.domctl(DOMCTL_CREATEDOMAIN, 500, creation({}));
    expect(info(501).result).toBe(-ESRCH);
    expect(info(400)).toMatchObject({ result: 0, domid: 500 });
    expect(info(0x7ff0).result).toBe(-EINVAL);
    expect(info(0x7fef).result).toBe(-ESRCH);
    expect(info(0xffff).result).toBe(-EINVAL);
  });
});

describe("life", () => {
  it("V125..V134 max_vcpus", () => {
    door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ vcpus: 2 }));
    const domid = door.u16(ARG + 8);
    expect(door.domctl(DOMCTL_GETVCPUINFO, domid)).toBe(-ESRCH);
    expect(door.domctl(DOMCTL_GETVCPUINFO, domid, [[0, 4, 2]])).toBe(-EINVAL);
    for (const [count, expected] of [
      [1, -EINVAL],
      [3, -EINVAL],
      [0, -EINVAL],
      [2, 0],
      [2, 0],
    ] as const)
      expect(door.domctl(DOMCTL_MAX_VCPUS, domid, [[0, 4, count]])).toBe(expected);
    expect(door.domctl(DOMCTL_MAX_VCPUS, 0, [[0, 4, 2]])).toBe(-EINVAL);
  });

  it("V146..V154 pausing", () => {
    const domid = door.createDomain();
    expect(door.domctl(DOMCTL_PAUSEDOMAIN, 0)).toBe(-EINVAL);
    expect(door.domctl(DOMCTL_UNPAUSEDOMAIN, 0)).toBe(-EINVAL);
    expect(door.domctl(DOMCTL_UNPAUSEDOMAIN, domid)).toBe(0);
    expect(door.domctl(DOMCTL_UNPAUSEDOMAIN, domid)).toBe(-EINVAL);
    expect(info(domid).flags).toBe(0xffff0102);
    let paused = 0;
    while (door.domctl(DOMCTL_PAUSEDOMAIN, domid) === 0) paused++;
    expect(paused).toBe(255);
    expect(door.domctl(DOMCTL_PAUSEDOMAIN, domid)).toBe(-EOVERFLOW);
  });

  it("V155..V166 max_mem", () => {
    const domid = door.createDomain();
    for (const [kib, pages] of [
      [4096n, 1024n],
      [4099n, 1024n],
      [0xffffffffffffffffn, 0xffffffffn],
      [1n << 40n, 0xffffffffn],
      [0n, 0n],
    ] as const) {
      expect(door.domctl(DOMCTL_MAX_MEM, domid, [[0, 8, kib]])).toBe(0);
      expect(info(domid).max).toBe(pages);
    }
  });

  it("V167..V176 paging pool", () => {
    const domid = door.createDomain();
    const set = (bytes: bigint) => door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid, [[0, 8, bytes]]);
    const get = () => {
      expect(door.domctl(DOMCTL_GET_PAGING_MEMPOOL_SIZE, domid)).toBe(0);
      return door.result64(0);
    };
    expect(get()).toBe(0x100000n);
    expect(set(0x100001n)).toBe(-EINVAL);
    expect(set(0x101000n)).toBe(0);
    expect(get()).toBe(0x101000n);
    expect(set(1n << 44n)).toBe(-EINVAL);
    expect(set(1n << 40n)).toBe(-ENOMEM);
    expect(set(0n)).toBe(-ENOMEM);
    expect(get()).toBeLessThan(0x100000n);
  });

  it("V279..V281 hypercall_init fills a page with stubs", () => {
    const domid = door.createDomain();
    door.populate(domid, [5]);
    expect(door.domctl(DOMCTL_HYPERCALL_INIT, domid, [[0, 8, 5]])).toBe(0);
    expect(door.domctl(DOMCTL_HYPERCALL_INIT, domid, [[0, 8, 0x90000]])).toBe(-EINVAL);
    expect(door.domctl(DOMCTL_HYPERCALL_INIT, domid, [[0, 8, 0xffffffffffffffffn]])).toBe(-EINVAL);
  });

  it("V136..V138 the handle", () => {
    const domid = door.createDomain();
    expect(
      door.domctl(DOMCTL_SETDOMAINHANDLE, domid, [
        [0, 8, 0x5a5a5a5a5a5a5a5an],
        [8, 8, 0x1122334455667788n],
      ]),
    ).toBe(0);
    info(domid);
    expect([door.result64(76), door.result64(84)]).toEqual([0x5a5a5a5a5a5a5a5an, 0x1122334455667788n]);
  });

  it("V1289..V1301 shutdown and resume", () => {
    const domid = door.createDomain();
    const shutdown = (reason: number) =>
      door.call(
        HC_SCHED_OP,
        SCHEDOP_REMOTE_SHUTDOWN,
        door.put(ARG, 8, [
          [0, 2, domid],
          [4, 4, reason],
        ]),
      );
    expect(shutdown(3)).toBe(0);
    expect(info(domid).flags).toBe(0x0003010e);
    expect(shutdown(0)).toBe(0);
    expect(info(domid).flags).toBe(0x0003010e);
    expect(door.domctl(DOMCTL_RESUMEDOMAIN, domid)).toBe(0);
    expect(info(domid).flags).toBe(0xffff010a);
    expect(shutdown(0x1ff)).toBe(0);
    expect(info(domid).flags).toBe(0x00ff010e);
  });
});

describe("destroydomain", () => {
  it("V415..V419 gives every frame back", () => {
    const free = door.freeFrames();
    const domid = door.createDomain({ vcpus: 3, pages: 2000 });
    expect(door.populate(domid, [0, 512], 9)).toBe(2);
    expect(door.populate(domid, [0x10000, 0x12345, 0xfeffc])).toBe(3);
    expect(door.freeFrames()).toBeLessThan(free);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, 0)).toBe(-EINVAL);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, ABSENT)).toBe(-ESRCH);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(0);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(-ESRCH);
    expect(info(domid).result).toBe(-ESRCH);
    expect(door.freeFrames()).toBe(free);
  });

  it("V420..V430 a zombie lives while dom0 maps one of its pages", () => {
    const free = door.freeFrames();
    const domid = door.createDomain({ pages: 16384 });
    door.populate(domid, [0, 1, 2]);
    const gfn = 0x1000;
    door.put(LIST, 8, [[0, 8, 1]]);
    door.put(LIST + 8, 8, [[0, 8, gfn]]);
    const batch = door.put(ARG, 32, [
      [0, 2, 0x7ff0],
      [2, 2, 4],
      [4, 2, 1],
      [6, 2, domid],
      [8, 8, LIST],
      [16, 8, LIST + 8],
      [24, 8, OUT],
    ]);
    expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, batch)).toBe(0);
    expect(door.u32(OUT)).toBe(0);
    expect(door.core.dom0Mfn(gfn)).not.toBe(0);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(0);
    expect(info(domid)).toMatchObject({ result: 0, flags: 0xffff010b, tot: 1n, max: 16384n });
    for (const cmd of [DOMCTL_PAUSEDOMAIN, DOMCTL_UNPAUSEDOMAIN, DOMCTL_MAX_MEM, DOMCTL_DESTROYDOMAIN])
      expect(door.domctl(cmd, domid)).toBe(0);
    expect(door.populate(domid, [7])).toBe(0);
    const unmap = door.put(ARG, 16, [
      [0, 2, 0x7ff0],
      [8, 8, gfn],
    ]);
    expect(door.call(HC_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, unmap)).toBe(0);
    expect(info(domid).result).toBe(-ESRCH);
    // dom0's p2m may keep an empty table for the window it mapped in.
    expect(free - door.freeFrames()).toBeLessThanOrEqual(1);
  });
});

describe("HVM context", () => {
  const context = (size: number, buffer: number): readonly Field[] => [
    [0, 4, size],
    [8, 8, buffer],
  ];
  const header = (magic: number = HVM_SAVE_MAGIC): readonly Field[] => [
    [0, 2, HVM_SAVE_HEADER],
    [4, 4, 24],
    [8, 4, magic],
    [12, 4, 1],
  ];

  it("V300..V314 sizes and refusals", () => {
    const domid = door.createDomain();
    expect(door.domctl(DOMCTL_GETHVMCONTEXT, domid, context(0, 0))).toBe(0);
    const size = door.result32(0);
    expect(door.domctl(DOMCTL_GETHVMCONTEXT, domid, context(size - 1, LIST))).toBe(-ENOSPC);
    expect(door.domctl(DOMCTL_GETHVMCONTEXT, domid, context(size, LIST))).toBe(0);
    expect(door.u16(LIST)).toBe(HVM_SAVE_HEADER);
    expect(door.u32(LIST + 8)).toBe(HVM_SAVE_MAGIC);
    expect(door.domctl(DOMCTL_GETHVMCONTEXT, 0, context(0, 0))).toBe(-EINVAL);
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, 0, context(0, 0))).toBe(-EINVAL);
    door.put(LIST, 64, header());
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(8, LIST))).toBe(-ENODATA);
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(0, LIST))).toBe(-ENODATA);
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(64, NOWHERE))).toBe(-EFAULT);
    door.put(LIST, 64, header(0x1234));
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(64, LIST))).toBe(-EINVAL);
  });

  it("a CPU record comes back as it went in", () => {
    const domid = door.createDomain();
    const cpu = LIST + 32;
    const end = cpu + 8 + HVM_SAVE_CPU_SIZE;
    door.put(LIST, 2048, header());
    door.put(cpu, 8 + HVM_SAVE_CPU_SIZE, [
      [0, 2, HVM_SAVE_CPU],
      [4, 4, HVM_SAVE_CPU_SIZE],
      [8 + 512, 8, 0x1111n],
      [8 + 520, 8, 0x2222n],
      [8 + 640, 8, 0x100000n],
      [8 + 648, 8, 0x246n],
      [8 + 656, 8, 0x11n],
      [8 + 736, 4, 0x10],
      [8 + 768, 4, 0xffffffff],
      [8 + 888, 4, 0xc9b],
      [8 + 892, 4, 0xc93],
      [8 + 908, 4, 0xc93],
      [8 + 912, 4, 0x8b],
    ]);
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(end + 8 - LIST, LIST))).toBe(0);
    expect(door.domctl(DOMCTL_GETHVMCONTEXT, domid, context(8192, OUT))).toBe(0);
    for (const offset of [512, 520, 640, 648, 656]) {
      const back = door.u64(OUT + 32 + 8 + offset);
      expect(back, `offset ${offset}`).toBe(door.u64(cpu + 8 + offset));
    }
    for (const offset of [736, 768, 888, 892, 908, 912])
      expect(door.u32(OUT + 32 + 8 + offset)).toBe(door.u32(cpu + 8 + offset));
    // The vCPU is on-line now.
    door.domctl(DOMCTL_GETVCPUINFO, domid);
    expect(door.view.getUint8(door.at(ARG + 16 + 4))).toBe(1);
  });

  it.each([
    ["paging without protection", 656, 0x8000_0000n],
    ["unknown EFER bits", 992, 0x4000n],
    ["LMA without LME", 992, 0x400n],
  ] as const)("refuses %s", (_, offset, value) => {
    const domid = door.createDomain();
    door.put(LIST, 2048, header());
    door.put(LIST + 32, 8 + HVM_SAVE_CPU_SIZE, [
      [0, 2, HVM_SAVE_CPU],
      [4, 4, HVM_SAVE_CPU_SIZE],
      [8 + offset, 8, value],
    ]);
    expect(door.domctl(DOMCTL_SETHVMCONTEXT, domid, context(2000, LIST))).toBe(-EINVAL);
  });
});

describe("setvcpuaffinity", () => {
  const HARD = 1;
  const SOFT = 2;
  const set = (door: Door, d: number, hard: number, soft: number): number => {
    door.put(LIST, 16, [
      [0, 8, 2],
      [8, 8, 1],
    ]);
    return door.domctl(DOMCTL_SETVCPUAFFINITY, d, [
      [4, 4, HARD | SOFT],
      [8, 8, hard],
      [16, 4, 64],
      [24, 8, soft],
      [32, 4, 64],
    ]);
  };
  const hardOf = (door: Door, d: number): number => {
    door.put(OUT, 8, []);
    door.domctl(DOMCTL_GETVCPUAFFINITY, d, [
      [4, 4, HARD],
      [8, 8, OUT],
      [16, 4, 64],
    ]);
    return door.u32(OUT);
  };

  it("a soft affinity that cannot be read undoes the hard one: nothing has changed", () => {
    const door = openDoor();
    const d = door.createDomain();
    expect(set(door, d, LIST, NOWHERE)).toBe(-EFAULT);
    expect(hardOf(door, d)).toBe(3);
    expect(set(door, d, LIST, LIST + 8)).toBe(0);
    expect(hardOf(door, d)).toBe(2);
  });
});
