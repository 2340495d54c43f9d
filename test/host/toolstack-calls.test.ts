/** The toolstack library is complete: every domctl of 4.17's interface that this machine carries out has a function, and each works. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { instantiateCore } from "../../host/lib/core.ts";
import { createDom0, type Dom0 } from "../../host/lib/dom0.ts";
import { HvError } from "../../host/lib/errors.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { domainCreate, domainMaxMem, domainMaxVcpus } from "../../host/lib/toolstack/domctl.ts";
import * as ext from "../../host/lib/toolstack/ext-state.ts";
import * as rights from "../../host/lib/toolstack/io-rights.ts";
import { populatePhysmap } from "../../host/lib/toolstack/memory.ts";
import * as settings from "../../host/lib/toolstack/settings.ts";
import { domainGetPageTypes, domainSetBrokenPage } from "../../host/lib/toolstack/vcpu.ts";
import { domainSetVnuma, type VnumaTopology } from "../../host/lib/toolstack/vnuma.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import * as domctls from "../../hv-core/abi/domctl.ts";
import * as hypercalls from "../../hv-core/abi/hypercalls.ts";
import { KNOB_IO_DEVICES, KNOB_IO_ERA, KNOB_IO_IOMMU } from "../../hv-core/abi/knobs.ts";
import { DOMCTL_GSI_PERMISSION } from "../../hv-core/abi/physdev.ts";

const wasm = compileBuild("debug");
const PAGES = 4;
let dom0: Dom0;
let guest: DomId;

function start(knobs: readonly (readonly [number, number])[] = []): void {
  const core = instantiateCore(wasm, { frameCount: 2048 });
  for (const [index, value] of knobs) core.exports.setKnob(index, value);
  core.exports.machineInit(2048, 64);
  dom0 = createDom0(core, 64);
  guest = domainCreate(dom0, 2);
  domainMaxVcpus(dom0, guest, 2);
  domainMaxMem(dom0, guest, 1024);
  populatePhysmap(
    dom0,
    guest,
    Array.from({ length: PAGES }, (_, i) => i),
    0,
  );
}
beforeEach(() => start());

const errnoOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    if (error instanceof HvError) return error.code;
    throw error;
  }
  return "OK";
};

/** Numbers that the machine only refuses, each with its reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  SOFT_RESET_CONT: "internal to the hypervisor",
  ARCH_SETUP: "2014 only",
  REAL_MODE_AREA: "2014 only",
  GETPAGEFRAMEINFO: "2014 only",
  GETPAGEFRAMEINFO2: "2014 only",
  SET_OPT_FEATURE: "2014 only",
  SET_CPUID: "2014 only: CPU policies took its place",
  SET_MACHINE_ADDRESS_SIZE: "2014 only",
  GET_MACHINE_ADDRESS_SIZE: "2014 only",
  SUPPRESS_SPURIOUS_PAGE_FAULTS: "2014 only",
  DISABLE_MIGRATE: "2014 only",
  SET_MAX_EVTCHN: "2014 only",
  BIND_PT_IRQ: "no line of the machine can be bound to a guest",
  UNBIND_PT_IRQ: "no line of the machine can be bound to a guest",
  GET_DEVICE_GROUP: "devices have no groups",
  DEBUG_OP: "no single-stepping for a debugger",
  GET_VCPU_MSRS: "for PV vCPUs",
  SET_VCPU_MSRS: "for PV vCPUs",
  VMTRACE_OP: "no processor trace",
  PSR_CMT_OP: "no cache monitoring",
  PSR_ALLOC: "no cache allocation",
  CACHEFLUSH: "not for x86",
  VUART_OP: "not for x86",
  GDBSX_PAUSEVCPU: "no debugger stub",
  GDBSX_UNPAUSEVCPU: "no debugger stub",
  GDBSX_DOMSTATUS: "no debugger stub",
};
/** In DOMCTL_*, but no commands; and monitor_op, which listeners of vm_event set up for themselves. */
const NO_COMMANDS = ["MONITOR_OP", "SIZE", "UNION", "INTERFACE_VERSION_0A", "INTERFACE_VERSION_4_17", "LAST_0A"];

it("every domctl that is carried out has its function", () => {
  const names = [...Object.keys(domctls), ...Object.keys(hypercalls), "DOMCTL_GSI_PERMISSION"]
    .filter((name) => name.startsWith("DOMCTL_"))
    .map((name) => name.slice("DOMCTL_".length))
    .filter((name) => !NO_COMMANDS.includes(name));
  const folder = join(ROOT, "host/lib/toolstack");
  const library = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const has = (name: string): boolean => new RegExp(`\\bDOMCTL_${name}\\b`).test(library);
  expect(names.filter((name) => !has(name) && !(name in WITHOUT))).toEqual([]);
  expect(Object.keys(WITHOUT).filter(has)).toEqual([]);
  expect(DOMCTL_GSI_PERMISSION).toBe(88);
});

it("extended state: the size, the state, and back", () => {
  expect(ext.vcpuGetExtStateSize(dom0, guest, 1)).toEqual({ features: 3n, bytes: 592 });
  const state = ext.vcpuGetExtState(dom0, guest, 1);
  expect([...state]).toEqual(Array.from({ length: 16 }, () => 0));
  ext.vcpuSetExtState(dom0, guest, 1, state);
  expect(errnoOf(() => ext.vcpuSetExtState(dom0, guest, 1, new Uint8Array(17)))).toBe("EINVAL");
  expect(errnoOf(() => ext.vcpuGetExtState(dom0, guest, 2))).toBe("ESRCH");
});

it("the extended context of an HVM vCPU is empty, and can be put back", () => {
  const context = ext.vcpuGetExtContext(dom0, guest, 1);
  const view = new DataView(context.buffer);
  expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([1, ext.EXT_CONTEXT_SIZE]);
  expect(context.subarray(8).every((byte) => byte === 0)).toBe(true);
  ext.vcpuSetExtContext(dom0, guest, 0, context);
  expect(() => ext.vcpuSetExtContext(dom0, guest, 0, new Uint8Array(127))).toThrow(RangeError);
  expect(errnoOf(() => ext.vcpuGetExtContext(dom0, guest, 9))).toBe("ESRCH");
});

it("address sizes are for PV domains", () => {
  expect(errnoOf(() => settings.domainGetAddressSize(dom0, guest))).toBe("EOPNOTSUPP");
  expect(errnoOf(() => settings.domainSetAddressSize(dom0, guest, 64))).toBe("EOPNOTSUPP");
});

it("a broken page is shown as one; no page cannot break", () => {
  domainSetBrokenPage(dom0, guest, 2);
  expect(domainGetPageTypes(dom0, guest, [1, 2])).toEqual([0, 0xd000_0000]);
  expect(errnoOf(() => domainSetBrokenPage(dom0, guest, 100))).toBe("EINVAL");
});

it("a virtual NUMA topology is taken whole, or refused", () => {
  const topology: VnumaTopology = {
    distances: [
      [10, 20],
      [20, 10],
    ],
    vcpuNodes: [0, 1],
    machineNodes: [0, undefined],
    ranges: [{ start: 0n, end: 4096n, node: 0 }],
  };
  domainSetVnuma(dom0, guest, topology);
  expect(errnoOf(() => domainSetVnuma(dom0, guest, { ...topology, vcpuNodes: [0] }))).toBe("EINVAL");
  expect(errnoOf(() => domainSetVnuma(dom0, guest, { ...topology, machineNodes: [7, 0] }))).toBe("EINVAL");
  expect(() => domainSetVnuma(dom0, guest, { ...topology, distances: [[10]] })).toThrow(RangeError);
});

it("a device can be asked for; lines by GSI only in the interface of today", () => {
  expect(errnoOf(() => rights.isDeviceFree(dom0, guest, 0))).toBe("EOPNOTSUPP");
  expect(errnoOf(() => rights.gsiPermission(dom0, guest, 5, true))).toBe("ENOSYS");
  start([
    [KNOB_IO_IOMMU, 1],
    [KNOB_IO_DEVICES, 1],
    [KNOB_IO_ERA, 2],
  ]);
  expect(rights.isDeviceFree(dom0, guest, 0)).toBe(true);
  rights.assignDevice(dom0, guest, 0, true);
  expect(rights.isDeviceFree(dom0, guest, 0)).toBe(false);
  expect(errnoOf(() => rights.isDeviceFree(dom0, guest, 1))).toBe("ENODEV");
  rights.gsiPermission(dom0, guest, 5, true);
  expect(errnoOf(() => rights.gsiPermission(dom0, guest, 99, true))).toBe("EACCES");
});
