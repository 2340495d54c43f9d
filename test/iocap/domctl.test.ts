/** Permission and mapping domctls where eras and knobs differ, physdev calls, assignment; what 4.17 answers to the rest is in test/oracle/dom0. */
import { beforeAll, describe, expect, it } from "vitest";
import { readCounter } from "../../host/lib/counters.ts";
import { HvError } from "../../host/lib/errors.ts";
import { DOM0 } from "../../host/lib/ids.ts";
import { readDevice } from "../../host/lib/iocap/bus.ts";
import { createIoWorld, GFN, type IoWorld, M, P } from "../../host/lib/iocap/scenario.ts";
import { scenarioByName } from "../../host/lib/iocap/scenarios.ts";
import type { KnobValues } from "../../host/lib/knobs.ts";
import { readP2m } from "../../host/lib/p2m-map.ts";
import { domainMaxMem, domainSetPagingPool } from "../../host/lib/toolstack/domctl.ts";
import { domctl, nothing } from "../../host/lib/toolstack/domctl-call.ts";
import {
  assignDevice,
  evtchnBindPirq,
  iomemPermission,
  ioportMapping,
  ioportPermission,
  irqPermission,
  memoryMapping,
  physdevMapPirq,
} from "../../host/lib/toolstack/io-rights.ts";
import { logDirtyEnable, logDirtyOff } from "../../host/lib/toolstack/log-dirty.ts";
import { populatePhysmap } from "../../host/lib/toolstack/memory.ts";
import { sharingControl } from "../../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { BUS_DMA_ADDR, BUS_DMA_GO, BUS_DMA_VALUE } from "../../hv-core/abi/bus.ts";
import { CTR_IO_FIXUPS } from "../../hv-core/abi/counters.ts";
import { ENOSYS, EPERM } from "../../hv-core/abi/errno.ts";
import { MAILBOX_BASE } from "../../hv-core/abi/layout.ts";

let wasm: WebAssembly.Module;
beforeAll(() => {
  wasm = compileBuild("debug");
});

const world = (knobs: KnobValues = {}): IoWorld =>
  createIoWorld(wasm, scenarioByName("IO-3"), { accountant: false, knobs });

function code(body: () => void): string {
  try {
    body();
    return "ok";
  } catch (error) {
    if (error instanceof HvError) return error.code;
    throw error;
  }
}

describe("2014", () => {
  it("asks no caller for its own right, and a mapping grants what it maps", () => {
    const w = world({ "iocap.era": 1 });
    const { dom0 } = w.machine;
    ioportPermission(dom0, w.u.domid, 0x3f8, 8, true);
    iomemPermission(dom0, w.u.domid, 0xf_ee00, 1, true);
    memoryMapping(dom0, w.u.domid, GFN, M, 1, true); // never granted
    expect(w.access(w.u, "write", GFN * 4096, 1)).toBe("device");
    memoryMapping(dom0, w.u.domid, GFN, M, 1, false); // and is taken away with it
    expect(code(() => memoryMapping(dom0, w.v.domid, GFN, M, 1, true))).toBe("ok");
  });

  it("takes the right back when the mapping fails", () => {
    const w = world({ "iocap.era": 1 });
    const { dom0 } = w.machine;
    memoryMapping(dom0, w.u.domid, GFN, M, 1, true);
    expect(code(() => memoryMapping(dom0, w.v.domid, 2 ** 36, M + 1, 1, true))).toBe("ENOENT");
    expect(w.machine.core.exports.ioRights(w.v.domid, 0, 0, 0)).toBe(0);
  });
});

describe("today", () => {
  it("maps ports only for who holds them, and knows overlaps and strangers", () => {
    const w = world({ "iocap.era": 2 });
    const { dom0 } = w.machine;
    const map = (gport: number, mport: number, count: number, isAdd = true): string =>
      code(() => ioportMapping(dom0, w.u.domid, gport, mport, count, isAdd));
    expect(map(0x1000, P, 4)).toBe("EPERM");
    ioportPermission(dom0, w.u.domid, P, 16, true);
    expect(map(0x1000, P, 4)).toBe("ok");
    expect(map(0x2000, P, 4)).toBe("ok"); // the same ports: the guest's number changes in place
    expect(map(0x3000, P + 2, 4)).toBe("EBUSY");
    expect(map(0x3000, P + 4, 4)).toBe("EBUSY"); // only adjacent
    expect(map(0x3000, P + 5, 4)).toBe("ok");
    expect(map(0x2000, P, 3, false)).toBe("ENOENT");
    expect(map(0x2000, P, 4, false)).toBe("ok");
  });

  it("has gsi_permission", () => {
    const w = world({ "iocap.era": 2 });
    const gsi = (line: number, flags: number): string =>
      code(() =>
        domctl(
          w.machine.dom0,
          "gsi_permission",
          88,
          w.u.domid,
          (view, at) => {
            view.setUint32(at, line, true);
            view.setUint32(at + 4, flags, true);
          },
          nothing,
        ),
      );
    expect([gsi(5, 1), gsi(5, 2), gsi(24, 1), gsi(0, 1), gsi(5, 0)]).toEqual(["ok", "EINVAL", "EACCES", "EPERM", "ok"]);
    expect(code(() => domctl(world().machine.dom0, "gsi_permission", 88, 1, nothing, nothing))).toBe("ENOSYS");
  });
});

describe("memory_mapping", () => {
  it("refuses RAM of this machine, wraps and what is beyond the width of addresses, and changes nothing then", () => {
    for (const account of [0, 1, 2, 3, 4]) {
      const w = world({ "iomem.account": account });
      const { dom0 } = w.machine;
      iomemPermission(dom0, w.u.domid, 0x100, 1, true);
      iomemPermission(dom0, w.u.domid, M, 8, true);
      expect(code(() => memoryMapping(dom0, w.u.domid, GFN, 0x100, 1, true))).toBe("EPERM");
      expect(code(() => memoryMapping(dom0, w.u.domid, GFN, 2 ** 28, 1, true))).toBe("EINVAL");
      expect(code(() => memoryMapping(dom0, w.u.domid, 2 ** 36, M, 1, true))).toBe("ENOENT");
      expect(code(() => memoryMapping(dom0, w.u.domid, GFN, M + 4, 8, true))).toBe("EPERM");
      expect(readP2m(w.machine.core, w.u.domid)!.pages.mmio_direct ?? 0).toBe(0);
      expect(w.machine.core.exports.ioInvariants()).toBe(0);
    }
  });

  it("maps a framebuffer wholly or not at all when tables run out half way", () => {
    for (const account of [0, 2, 4]) {
      const w = world({ "iomem.account": account, "p2m.superpages": 0 });
      const { dom0, core } = w.machine;
      const frames = 0x1000;
      iomemPermission(dom0, w.u.domid, 0xe_0000, frames, true);
      const mapped = (): number => readP2m(core, w.u.domid)!.pages.mmio_direct ?? 0;
      domainSetPagingPool(dom0, w.u.domid, (readP2m(core, w.u.domid)!.tables + 5) * 4096);
      expect(code(() => memoryMapping(dom0, w.u.domid, 0x10_0000, 0xe_0000, frames, true))).toBe("ENOMEM");
      expect([account, mapped()]).toEqual([account, 0]);
      domainSetPagingPool(dom0, w.u.domid, 64 * 4096);
      expect(code(() => memoryMapping(dom0, w.u.domid, 0x10_0000, 0xe_0000, frames, true))).toBe("ok");
      expect(mapped()).toBe(frames);
    }
  });

  it("takes large pages back as a whole when a later piece finds no table: splitting them would need one", () => {
    const w = world({ "iomem.account": 3 });
    const { dom0, core } = w.machine;
    const gfn = 0x3_fe00; // 2 MiB below 1 GiB, and 2 MiB above: another table
    iomemPermission(dom0, w.u.domid, 0xe_0000, 1024, true);
    domainSetPagingPool(dom0, w.u.domid, readP2m(core, w.u.domid)!.tables * 4096);
    expect(code(() => mapOnce(w, gfn, 0xe_0000, 1024))).toBe("ENOMEM");
    expect(readP2m(core, w.u.domid)!.pages.mmio_direct ?? 0).toBe(0);
    expect(core.exports.ioInvariants()).toBe(0);
  });

  it("leaves a mapping alone that was there before the call that failed", () => {
    const w = world({ "iomem.account": 3 });
    const { dom0, core } = w.machine;
    iomemPermission(dom0, w.u.domid, M, 2, true);
    memoryMapping(dom0, w.u.domid, 0x3_ffff, M, 1, true);
    domainSetPagingPool(dom0, w.u.domid, readP2m(core, w.u.domid)!.tables * 4096);
    expect(code(() => mapOnce(w, 0x3_ffff, M, 2))).toBe("ENOMEM"); // the second page lies above 1 GiB
    expect(readP2m(core, w.u.domid)!.pages.mmio_direct).toBe(1);
    expect(core.exports.ioInvariants()).toBe(0);
  });

  it("maps 256 MiB with large pages", () => {
    const w = world({ "iomem.account": 4 });
    const { dom0, core } = w.machine;
    iomemPermission(dom0, w.u.domid, 0xe_0000, 0x1_0000, true);
    // A call of the toolstack is for 64 pieces; this one asks for all at once, as a kernel would.
    expect(mapAtOnce(w, 0x10_0000, 0xe_0000, 0x1_0000)).toBe("ok"); // 128 pieces of 2 MiB: 64 and 64
    expect(readP2m(core, w.u.domid)!.entries["2M"]).toBeGreaterThanOrEqual(64);
  });
});

const mapAtOnce = (w: IoWorld, gfn: number, mfn: number, count: number): string =>
  code(() => mapOnce(w, gfn, mfn, count));

/** One memory_mapping, whatever it answers: the toolstack's own goes on where the call before has stopped. */
function mapOnce(w: IoWorld, gfn: number, mfn: number, count: number): void {
  domctl(
    w.machine.dom0,
    "memory_mapping",
    39,
    w.u.domid,
    (view, at) => {
      view.setBigUint64(at, BigInt(gfn), true);
      view.setBigUint64(at + 8, BigInt(mfn), true);
      view.setBigUint64(at + 16, BigInt(count), true);
      view.setUint32(at + 24, 1, true);
    },
    nothing,
  );
}

describe("ioport_mapping without memory", () => {
  it.each([0, 3])("changes nothing: a right to a part of the range stays (accountant %i)", (account) => {
    const w = world({ "iomem.account": account });
    const { dom0, core } = w.machine;
    const { domid } = w.u;
    ioportPermission(dom0, domid, P + 2, 2, true);
    domainMaxMem(dom0, w.v.domid, 2 ** 30);
    let gfn = 0x10_0000;
    while (populatePhysmap(dom0, w.v.domid, [gfn], 0) === 1) gfn++;
    expect(code(() => ioportMapping(dom0, domid, 0x1000, P, 8, true))).toBe("ENOMEM");
    const { view } = core;
    expect(core.exports.ioRights(domid, 1, 0, 0)).toBe(1);
    expect([view.getUint32(MAILBOX_BASE, true), view.getUint32(MAILBOX_BASE + 8, true)]).toEqual([P + 2, P + 3]);
    expect(core.exports.ioRights(domid, 1, P + 4, 0)).toBe(0);
    expect(core.exports.ioInvariants()).toBe(0);
  });
});

describe("a late hardware domain (R-5)", () => {
  it("does not exist: dom0 is it from boot on, whatever a new domain asks for, and no call moves its rights", () => {
    const w = world();
    const { dom0, core } = w.machine;
    const had = core.exports.ioRights(DOM0, 0, 0, 0);
    for (let flag = 0; flag < 8; flag++) {
      let domid: number | undefined;
      code(() => {
        domid = createWithFlags(dom0, 1 << flag);
      });
      if (domid === undefined) continue;
      for (const kind of [0, 1, 2]) expect([flag, core.exports.ioRights(domid, kind, 0, 0)]).toEqual([flag, 0]);
    }
    expect([had, core.exports.ioRights(DOM0, 0, 0, 0)]).toEqual([1, 1]);
    expect(core.exports.bootGrant(0, 0xe_0000, 0, 0xe_0000, 0, 0)).toBe(-EPERM); // nor the boot loader's list, once a domain was made
    expect(w.u.run("hypercall", 33, 13, w.u.put([0x7ff0, 1, 16, 16]))! | 0).toBe(-ENOSYS); // map_pirq is the hardware domain's
  });
});

function createWithFlags(dom0: IoWorld["machine"]["dom0"], flags: number): number {
  return domctl(
    dom0,
    "createdomain",
    1,
    0,
    (view, at) => {
      view.setUint32(at + 20, flags, true);
      view.setUint32(at + 28, 1, true);
    },
    (view, at) => view.getUint16(at - 8, true),
  );
}

describe("a domain's first right to real I/O, and the loss of its last one", () => {
  it("make all of its memory be looked at again: its memory types count now, or no longer (R-9)", () => {
    const w = world();
    const { dom0, core } = w.machine;
    const pending = (): number => readP2m(core, w.u.domid)!.pendingPages;
    expect(pending()).toBe(0);
    iomemPermission(dom0, w.u.domid, M, 1, true);
    const all = pending();
    expect(all).toBeGreaterThan(1000);
    w.u.run("read", 0x10_0000); // the pages it touches are repaired
    const left = pending();
    expect(left).toBeLessThan(all);
    iomemPermission(dom0, w.u.domid, M + 1, 1, true); // not the first one
    iomemPermission(dom0, w.u.domid, M + 1, 1, false); // nor the last
    expect(pending()).toBe(left);
    iomemPermission(dom0, w.u.domid, M, 1, false);
    expect(pending()).toBe(all);
  });
});

describe("the quota", () => {
  it("bounds the ranges of a set: -ENOMEM, and what is there stays", () => {
    const w = world({ "iocap.quota": 2 });
    const { dom0 } = w.machine;
    iomemPermission(dom0, w.u.domid, 0xe_0000, 1, true);
    iomemPermission(dom0, w.u.domid, 0xe_0010, 3, true);
    expect(code(() => iomemPermission(dom0, w.u.domid, 0xe_0020, 1, true))).toBe("ENOMEM");
    expect(code(() => iomemPermission(dom0, w.u.domid, 0xe_0011, 1, false))).toBe("ENOMEM"); // a hole costs a range
    expect(code(() => iomemPermission(dom0, w.u.domid, 0xe_0001, 15, true))).toBe("ok"); // joins the two
    expect(w.machine.core.exports.ioInvariants()).toBe(0);
  });
});

describe("interrupt lines", () => {
  it("are mapped by dom0's kernel, bound by its flag, and full at seven guests", () => {
    const w = world();
    const { dom0 } = w.machine;
    expect(code(() => irqPermission(dom0, w.u.domid, 16, 1))).toBe("EPERM"); // not mapped yet
    physdevMapPirq(dom0, 16);
    expect(code(() => irqPermission(dom0, w.u.domid, 16, 1))).toBe("ok");
    expect(code(() => physdevMapPirq(dom0, 24))).toBe("EINVAL");
    expect(code(() => physdevMapPirq(dom0, 0))).toBe("EINVAL");
    evtchnBindPirq(dom0, 16, false);
    expect(w.u.run("hypercall", 32, 2, w.u.put([16, 1, 0]))! | 0).toBe(-16); // -EBUSY: the first binder does not share
  });

  it("tell every guest of theirs, and wait for all acknowledgements", () => {
    const w = world();
    const { dom0, core } = w.machine;
    const raise = (): number => core.exports.deviceRaise(0); // line 5
    expect(raise()).toBe(0);
    irqPermission(dom0, w.u.domid, 5, 1);
    evtchnBindPirq(dom0, 5, true);
    expect(w.u.run("hypercall", 32, 2, w.u.put([5, 1, 0]))).toBe(0);
    expect(raise()).toBe(2);
    expect(raise()).toBe(0); // masked
    const eoi = (): number => core.exports.hypercall(33, 12, eoiArgument(w), 0, 0, 0);
    expect(eoi()).toBe(0);
    expect(raise()).toBe(0); // U has not acknowledged
    w.machine.destroyGuest(w.u.domid);
    expect(raise()).toBe(1);
  });

  it("are no business of a guest's physdev_op, and unknown operations are -ENOSYS", () => {
    const w = world();
    expect(w.u.run("hypercall", 33, 12, w.u.put([5]))! | 0).toBe(-38);
    expect(w.machine.core.exports.hypercall(33, 99, 0x1000, 0, 0, 0)).toBe(-38);
  });
});

/** A word 5 in a page of dom0 that nobody uses. */
function eoiArgument(w: IoWorld): number {
  const gpa = (w.machine.dom0.pages - 2) * 4096;
  w.machine.core.u32[(w.machine.dom0.ramAt + gpa) >> 2] = 5;
  return gpa;
}

describe("dom0's own MMIO", () => {
  it("is mapped at its first touch, if it holds the frame and nothing is there", () => {
    const w = world();
    const fixups = (): number => readCounter(w.machine.core, CTR_IO_FIXUPS);
    expect(w.access(w.dom0, "write", M * 4096, 1)).toBe("device");
    expect(w.access(w.dom0, "write", M * 4096, 2)).toBe("device");
    expect(fixups()).toBe(1);
    iomemPermission(w.machine.dom0, DOM0, M + 1, 1, false);
    expect(w.access(w.dom0, "write", (M + 1) * 4096, 1)).toBe("nobody");
    expect(fixups()).toBe(1);
  });
});

describe("ports that dom0 does not get at start", () => {
  it("are neither its own nor its to give (ioport.dom0Disable)", () => {
    const w = world({ "ioport.dom0Disable": P + 8 * 65536 });
    expect(w.access(w.dom0, "out", P, 1)).toBe("nobody");
    expect(code(() => ioportPermission(w.machine.dom0, w.u.domid, P, 1, true))).toBe("EPERM");
  });
});

describe("the hypervisor's own frames", () => {
  it("are reserved, or counted as well (iomem.own)", () => {
    for (const own of [0, 1]) {
      const w = world({ "iomem.account": 3, "iomem.own": own });
      const state = w.machine.core.exports.ioUnit(0, 0xf_ee00, 0);
      expect(state & 255).toBe(5);
      expect(w.machine.core.u32[w.machine.core.exports ? 0x07a0_0000 >> 2 : 0]).toBe(own);
      expect(code(() => iomemPermission(w.machine.dom0, w.u.domid, 0xf_ec00, 1, true))).toBe("EPERM");
      expect(w.machine.core.exports.ioInvariants()).toBe(0);
    }
  });
});

describe("a device with DMA", () => {
  it("and memory that may change under it exclude each other", () => {
    const w = world({ "io.iommu": 1 });
    const { dom0 } = w.machine;
    const { domid } = w.u;
    logDirtyEnable(dom0, domid);
    expect(code(() => assignDevice(dom0, domid, 0, true))).toBe("EXDEV");
    logDirtyOff(dom0, domid);
    assignDevice(dom0, domid, 0, true);
    expect(code(() => logDirtyEnable(dom0, domid))).toBe("EINVAL");
    expect(code(() => sharingControl(dom0, domid, true))).toBe("EXDEV");
    assignDevice(dom0, domid, 0, false);
    sharingControl(dom0, domid, true);
    expect(code(() => assignDevice(dom0, domid, 0, true))).toBe("EXDEV");
  });

  it("reaches the memory of the domain it is assigned to, until it is taken away", () => {
    const w = world({ "io.iommu": 1 });
    const { dom0, core } = w.machine;
    iomemPermission(dom0, w.u.domid, M, 1, true);
    memoryMapping(dom0, w.u.domid, GFN, M, 1, true);
    const write = (value: number): void => {
      for (const [register, word] of [
        [BUS_DMA_ADDR, 0x20_0000],
        [BUS_DMA_VALUE, value],
        [BUS_DMA_GO, 1],
      ] as const)
        w.access(w.u, "write", GFN * 4096 + register, word);
      while (core.exports.deviceStep(0)) {}
    };
    const memory = (): number => new DataView(w.machine.peek(w.u.domid, 0x20_0000, 4).buffer).getUint32(0, true);
    write(7);
    expect([memory(), readDevice(core, 0).dmaFaults]).toEqual([0, 1]);
    assignDevice(dom0, w.u.domid, 0, true);
    write(8);
    expect([memory(), readDevice(core, 0).dmaDone]).toEqual([8, 1]);
    expect(code(() => assignDevice(dom0, w.v.domid, 0, true))).toBe("EBUSY");
    expect(code(() => assignDevice(dom0, w.v.domid, 0, false))).toBe("ENODEV");
    expect(code(() => assignDevice(dom0, w.v.domid, 3, true))).toBe("ENODEV");
    expect(code(() => assignDevice(dom0, DOM0, 0, true))).toBe("EINVAL");
    assignDevice(dom0, w.u.domid, 0, false);
    write(9);
    expect(memory()).toBe(8);
    expect(code(() => assignDevice(world().machine.dom0, w.u.domid, 0, true))).toBe("EOPNOTSUPP");
  });
});
