/** The toolstack library: results are data, failures one error type with errno, call, arguments and a hint. */
import { beforeEach, expect, it } from "vitest";
import { instantiateCore } from "../../host/lib/core.ts";
import { createDom0, type Dom0 } from "../../host/lib/dom0.ts";
import { HvError } from "../../host/lib/errors.ts";
import { DomId } from "../../host/lib/ids.ts";
import { domainGetCpuPolicy, domainSetCpuPolicy } from "../../host/lib/toolstack/cpu-policy.ts";
import * as irq from "../../host/lib/toolstack/dm-op-irq.ts";
import {
  domainCreate,
  domainDestroy,
  domainGetInfo,
  domainGetPagingPool,
  domainList,
  domainMaxMem,
  domainMaxVcpus,
} from "../../host/lib/toolstack/domctl.ts";
import * as hvm from "../../host/lib/toolstack/hvm.ts";
import * as memory from "../../host/lib/toolstack/memory.ts";
import { populatePhysmap } from "../../host/lib/toolstack/memory.ts";
import * as permissions from "../../host/lib/toolstack/permissions.ts";
import * as settings from "../../host/lib/toolstack/settings.ts";
import * as vcpu from "../../host/lib/toolstack/vcpu.ts";
import { xsmLoadPolicy, xsmLoadPolicyFile } from "../../host/lib/toolstack/xsm.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { KNOB_XSM, XSM_POLICY } from "../../hv-core/abi/knobs.ts";

const wasm = compileBuild("debug");
let dom0: Dom0;
let guest: DomId;
beforeEach(() => {
  const core = instantiateCore(wasm, { frameCount: 2048 });
  core.exports.machineInit(2048, 64);
  dom0 = createDom0(core, 64);
  guest = domainCreate(dom0, 2);
  domainMaxVcpus(dom0, guest, 2);
  domainMaxMem(dom0, guest, 1024);
  populatePhysmap(dom0, guest, [0, 1, 2, 3], 0);
});

const failure = (call: () => unknown): HvError => {
  try {
    call();
  } catch (error) {
    if (error instanceof HvError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

it("a failure says errno, call, arguments and what to do", () => {
  const error = failure(() => settings.domainSendTrigger(dom0, DomId(0x7000), 0, 3));
  expect([error.code, error.call, error.arguments]).toEqual([
    "ESRCH",
    "DOMCTL_sendtrigger",
    { domid: 0x7000, trigger: 0, vcpu: 3 },
  ]);
  expect(error.message).toBe(
    "DOMCTL_sendtrigger(domid=28672, trigger=0, vcpu=3): ESRCH (no domain has that id (any more))",
  );
  expect(failure(() => xsmLoadPolicy(dom0, [])).hint).toMatch(/knob xsm=policy/);
});

it("settings come back as they were set", () => {
  settings.domainSetScheduler(dom0, guest, { weight: 512, cap: 50 });
  expect(settings.domainGetScheduler(dom0, guest)).toEqual({ weight: 512, cap: 50 });
  settings.domainSetTscInfo(dom0, guest, { mode: 2, khz: 5, incarnation: 8, elapsedNs: 0n });
  expect(settings.domainGetTscInfo(dom0, guest)).toMatchObject({ mode: 2, incarnation: 9 });
  settings.domainSetNodeAffinity(dom0, guest, 1n);
  expect(settings.domainGetNodeAffinity(dom0, guest)).toBe(1n);
  expect(failure(() => settings.domainSetNodeAffinity(dom0, guest, 0n)).code).toBe("EINVAL");
  settings.domainSetTimeOffset(dom0, guest, -5n);
  settings.domainSetHandle(dom0, guest, new Uint8Array(16).fill(7));
  settings.domainSetDebugging(dom0, guest, true);
  settings.domainHypercallInit(dom0, guest, 1);
  settings.domainSetAccessRequired(dom0, guest, true);
  settings.domainSetVirqHandler(dom0, guest, 12);
  expect(failure(() => settings.domainSetTarget(dom0, guest, guest)).code).toBe("EINVAL");
  expect(failure(() => settings.domainSoftReset(dom0, guest)).code).toBe("EINVAL");
  settings.domainResume(dom0, guest);
});

it("a CPU policy comes back as it was set; a wrong leaf is named", () => {
  const fresh = domainCreate(dom0, 1);
  const brand = { leaf: 0x8000_0004, eax: 0x4141, ebx: 1, ecx: 2, edx: 3 };
  domainSetCpuPolicy(dom0, fresh, [brand]);
  expect(domainGetCpuPolicy(dom0, fresh)).toContainEqual(brand);
  const wrong = { leaf: 7, subleaf: 9, eax: 0, ebx: 0, ecx: 0, edx: 0 };
  expect(() => domainSetCpuPolicy(dom0, fresh, [wrong])).toThrow(/ERANGE.*refuses leaf 0x7 subleaf 0x9/s);
  domainDestroy(dom0, fresh);
});

it("vCPUs and pages", () => {
  expect(vcpu.vcpuGetInfo(dom0, guest, 1)).toMatchObject({ isOnline: false, cpuTimeNs: 0n });
  expect(vcpu.vcpuGetAffinity(dom0, guest, 0)).toEqual({ hard: 3n, soft: 3n });
  expect(vcpu.vcpuSetAffinity(dom0, guest, 0, { hard: 2n, soft: 3n })).toEqual({ hard: 2n, soft: 2n });
  expect(failure(() => vcpu.vcpuSetAffinity(dom0, guest, 0, { hard: 4n, soft: 0n })).code).toBe("EINVAL");
  expect(failure(() => vcpu.vcpuGetContext(dom0, guest, 0)).code).toBe("ENODATA");
  vcpu.vcpuSetContext(dom0, guest, 0, null);
  expect(() => vcpu.vcpuSetContext(dom0, guest, 0, new Uint8Array(3))).toThrow(RangeError);
  expect(vcpu.domainGetPageTypes(dom0, guest, [0, 3, 4])).toEqual([0, 0, 0xf0000000]);
  expect(vcpu.domainAuditP2m(dom0, guest)).toEqual({ orphans: 0n, m2pBad: 0n, p2mBad: 0n });
});

it("an HVM context is a list of records, each of which can be asked for", () => {
  const context = vcpu.domainGetHvmContext(dom0, guest);
  const view = new DataView(context.buffer);
  const types: number[] = [];
  for (let at = 0; at < context.length; at += 8 + view.getUint32(at + 4, true)) types.push(view.getUint16(at, true));
  expect(types).toEqual([1, 5, 5, 6, 6, 7, 8, 9, 14, 14, 18, 18, 19, 19, 0]);
  expect(vcpu.domainGetHvmRecord(dom0, guest, 6, 1)).toHaveLength(1024);
  expect(failure(() => vcpu.domainGetHvmRecord(dom0, guest, 2)).code).toBe("ENODATA");
});

it("memory, permissions and what a device model does", () => {
  expect([memory.currentReservation(dom0, guest), memory.maximumReservation(dom0, guest)]).toEqual([4, 256]);
  expect(memory.maximumGpfn(dom0, guest)).toBe(3);
  expect(memory.decreaseReservation(dom0, guest, [3, 2, 900], 0)).toBe(2);
  expect(memory.currentReservation(dom0, guest)).toBe(2);
  expect([hvm.hvmGetMemType(dom0, guest, 1), hvm.hvmGetMemType(dom0, guest, 3)]).toEqual([0, 2]);
  expect(domainGetPagingPool(dom0, guest)).toBeGreaterThan(0);
  permissions.domainIoportPermission(dom0, guest, 0x200, 8, true);
  expect(failure(() => permissions.domainIoportPermission(dom0, guest, 0xffff, 2, true)).code).toBe("EINVAL");
  permissions.domainIomemPermission(dom0, guest, 0xa0n, 0x20n, true);
  expect(failure(() => permissions.domainIomemPermission(dom0, guest, 2n ** 63n, 2n ** 63n + 1n, true)).code).toBe(
    "EINVAL",
  );
  permissions.domainIrqPermission(dom0, guest, 5, true);
  expect(failure(() => permissions.domainIrqPermission(dom0, guest, 1e6, true)).code).toBe("EINVAL");
  expect(irq.dmNrVcpus(dom0, guest)).toBe(2);
  irq.dmSetIsaIrqLevel(dom0, guest, 4, true);
  expect(failure(() => irq.dmSetIsaIrqLevel(dom0, guest, 16, true)).code).toBe("EINVAL");
  irq.dmSetPciIntxLevel(dom0, guest, 3, 1, true);
  expect(failure(() => irq.dmSetPciIntxLevel(dom0, guest, 3, 4, true)).code).toBe("EINVAL");
  irq.dmSetPciLinkRoute(dom0, guest, 3, 11);
  expect(failure(() => irq.dmSetPciLinkRoute(dom0, guest, 4, 0)).code).toBe("EINVAL");
  expect(failure(() => irq.dmInjectMsi(dom0, guest, 0xfee0_0000n, 0)).code).toBe("ERANGE");
  irq.dmInjectEvent(dom0, guest, 0, { vector: 13, type: 3, errorCode: 0 });
  expect(failure(() => irq.dmInjectEvent(dom0, guest, 0, { vector: 13, type: 3 }))).toMatchObject({
    code: "EBUSY",
    call: "XEN_DMOP_inject_event",
    arguments: { domid: guest, vcpu: 0, vector: 13, type: 3 },
  });
});

it("the list of domains begins with dom0", () => {
  expect(domainList(dom0).map((d) => [d.domid, d.isPaused, d.maxVcpuId])).toEqual([
    [0, false, 0],
    [guest, true, 1],
  ]);
});

it("what is gone is gone", () => {
  domainDestroy(dom0, guest);
  expect(failure(() => domainGetInfo(dom0, guest)).code).toBe("ESRCH");
});

it("a policy file becomes rules of the security module", () => {
  const core = instantiateCore(wasm, { frameCount: 1024 });
  core.exports.setKnob(KNOB_XSM, XSM_POLICY);
  core.exports.machineInit(1024, 64);
  const dom = createDom0(core, 64);
  const text = `{ "version": 1, "rules": [{ "subject": "a", "domctl": "pausedomain", "target": "any" }] }`;
  xsmLoadPolicyFile(dom, text, "p.json", new Map([["a", 5]]));
  expect(() => xsmLoadPolicyFile(dom, text, "p.json", new Map())).toThrow(`p.json:1: no domain is called "a"`);
});
