/** Spec 07 section 7.3: what the hypervisor does with a pointer of a process of dom0, through real page tables of that process. */
import { beforeEach, describe, expect, it } from "vitest";
import { liveDomains } from "../../host/lib/domains.ts";
import { program } from "../../host/lib/explore/code.ts";
import { createWorld, type World } from "../../host/lib/explore/world.ts";
import {
  createProcess,
  fault,
  LOCKED,
  linear,
  mapPage,
  PROCESS_DOM0_PAGES,
  type ProcessMemory,
  PTE_COW,
  PTE_P,
  PTE_SWAPPED,
  PTE_W,
  pageBytes,
  setPageBytes,
} from "../../host/lib/process/memory.ts";
import { DOMCTL_GETPAGEFRAMEINFO3, DOMCTL_SIZE, DOMCTL_UNION } from "../../hv-core/abi/domctl.ts";
import { EFAULT } from "../../hv-core/abi/errno.ts";
import {
  CDF_HAP,
  CDF_HVM,
  DOMCTL_CREATEDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  HC_DOMCTL,
  HC_XEN_VERSION,
} from "../../hv-core/abi/hypercalls.ts";
import { raceBuild } from "./support.ts";

const CAPABILITIES = 3;
let world: World;
let memory: ProcessMemory;

beforeEach(() => {
  world = createWorld(raceBuild, {
    pages: 2,
    programs: [program(0x1000, [])],
    knobs: [],
    dom0Pages: PROCESS_DOM0_PAGES,
  });
  memory = createProcess(world);
  mapPage(memory, 0, LOCKED);
});

const version = (at: number): number => world.exports.hypercall(HC_XEN_VERSION, CAPABILITIES, at, 0, 0, 0);
const protect = (page: number, clear: number, set = 0): void => memory.setPte(page, (memory.pte(page) & ~clear) | set);

function domctlAt(page: number, cmd: number, fill: (view: DataView) => void): number {
  const view = new DataView(new ArrayBuffer(DOMCTL_SIZE));
  view.setUint32(0, cmd, true);
  view.setUint32(4, DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(8, world.domid, true);
  fill(view);
  setPageBytes(memory, page, 0, new Uint8Array(view.buffer));
  return world.exports.hypercall(HC_DOMCTL, linear(page, 0), 0, 0, 0, 0);
}

describe("a pointer of a hypercall", () => {
  it("goes through the page tables of the process, page by page", () => {
    mapPage(memory, 1, 0);
    expect(version(linear(0, 4000))).toBeGreaterThanOrEqual(0);
    expect(String.fromCharCode(...pageBytes(memory, 0, 4000, 7))).toBe("xen-3.0");
  });

  it("is EFAULT where the page is absent, in swap or read-only, and nothing is injected or brought in", () => {
    expect(version(linear(1, 0))).toBe(-EFAULT);
    protect(0, PTE_P, PTE_SWAPPED);
    const swapped = memory.pte(0);
    expect(version(linear(0, 0))).toBe(-EFAULT);
    expect(memory.pte(0)).toBe(swapped);
    fault(memory, 0, false);
    protect(0, PTE_W, PTE_COW);
    expect(version(linear(0, 0))).toBe(-EFAULT);
    fault(memory, 0, true); // what the process itself would have done
    expect(version(linear(0, 0))).toBeGreaterThanOrEqual(0);
  });

  it("may be written up to the page that is missing: EFAULT with half of the answer", () => {
    expect(version(linear(0, 4096 - 16))).toBe(-EFAULT);
    expect(String.fromCharCode(...pageBytes(memory, 0, 4096 - 16, 7))).toBe("xen-3.0");
  });

  it("an address that no page table covers is EFAULT", () => {
    for (const at of [0, 0xffff_f000, 0xffff_fff8]) expect(version(at)).toBe(-EFAULT);
  });
});

describe("a copy-out that fails", () => {
  it("comes after the work: the domain exists and its creator does not know its id", () => {
    const before = liveDomains(world.core);
    protect(0, PTE_W, PTE_COW);
    const result = domctlAt(0, DOMCTL_CREATEDOMAIN, (view) => {
      view.setUint16(8, 0, true);
      view.setUint32(DOMCTL_UNION + 20, CDF_HVM | CDF_HAP, true);
      view.setUint32(DOMCTL_UNION + 28, 1, true);
      view.setUint32(DOMCTL_UNION + 32, 1023, true);
      view.setInt32(DOMCTL_UNION + 36, 64, true);
      view.setInt32(DOMCTL_UNION + 40, 1024, true);
      view.setUint32(DOMCTL_UNION + 44, 2, true);
      view.setUint32(DOMCTL_UNION + 56, 1, true);
    });
    expect(result).toBe(-EFAULT);
    expect(liveDomains(world.core)).toHaveLength(before.length + 1);
    expect(pageBytes(memory, 0, 8, 2)[0]).toBe(0);
  });

  it("a list is rewritten element by element: what was done before the fault stays", () => {
    mapPage(memory, 1, 0);
    const at = 4096 - 16; // two elements on page 1, the third on a page that is not there
    setPageBytes(memory, 1, at, new Uint8Array(new BigUint64Array([0n, 0x7777n]).buffer));
    const result = domctlAt(0, DOMCTL_GETPAGEFRAMEINFO3, (view) => {
      view.setUint32(DOMCTL_UNION, 3, true);
      view.setBigUint64(DOMCTL_UNION + 8, BigInt(linear(1, at)), true);
    });
    expect(result).toBe(-EFAULT);
    const after = pageBytes(memory, 1, at, 16);
    expect(new DataView(after.buffer).getUint32(8, true)).toBe(0xf000_0000);
  });
});
