/** No memory for a copy, and somebody on the sharing ring: the write waits, and succeeds when there is memory (spec 04 section 4.2). */
import { beforeEach, describe, expect, it } from "vitest";
import { frameAddress } from "../../host/lib/core.ts";
import { createMemoryHelper } from "../../host/lib/dedup/memory-helper.ts";
import { frameOf } from "../../host/lib/dedup/pages.ts";
import { hypercall, withBuffer } from "../../host/lib/dom0.ts";
import { type Instruction, program, store32 } from "../../host/lib/explore/code.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import {
  domainCreate,
  domainDestroy,
  domainMaxMem,
  domainMaxVcpus,
  domainSetHvmContext,
  domainUnpause,
} from "../../host/lib/toolstack/domctl.ts";
import { writeGuest } from "../../host/lib/toolstack/foreign.ts";
import { hvmSetParam } from "../../host/lib/toolstack/hvm.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { populateAll } from "../../host/lib/toolstack/memory.ts";
import {
  allocSharingOp,
  handleOf,
  nominateGfn,
  type PageOf,
  shareGfns,
  sharingAudit,
  sharingControl,
  sharingCounts,
} from "../../host/lib/toolstack/sharing.ts";
import { vmEventEnable } from "../../host/lib/toolstack/vm-event.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { HC_MEMORY_OP, HVM_PARAM_SHARING_RING_PFN, XENMEM_INCREASE_RESERVATION } from "../../hv-core/abi/hypercalls.ts";
import { SHARING_OFF } from "../../hv-core/abi/knobs.ts";
import { MACHINE_BASE } from "../../hv-core/abi/layout.ts";
import { VM_EVENT_MODE_SHARING } from "../../hv-core/abi/vm-event.ts";

const CODE = 0x1000;
const PAGE = 0x2000;
const RING_GFN = 5;
const debug = compileBuild("debug");
let machine: Machine;
let source: DomId;
let guest: DomId;

function domain(pages: number): DomId {
  const { dom0 } = machine;
  const domid = domainCreate(dom0, 1);
  domainMaxVcpus(dom0, domid, 1);
  domainMaxMem(dom0, domid, pages * 4 + 64);
  const gfns = Array.from({ length: pages }, (_, i) => i);
  populateAll(dom0, domid, gfns, "RAM");
  sharingControl(dom0, domid, true);
  return domid;
}

function share(a: PageOf, b: PageOf): void {
  const { dom0 } = machine;
  using op = allocSharingOp(dom0);
  const nominate = (page: PageOf): bigint => {
    expect(nominateGfn(dom0, op, page)).toBe(0);
    return handleOf(op);
  };
  const sh = nominate(a);
  expect(shareGfns(dom0, op, a, sh, b, nominate(b))).toBe(0);
}

/** A domain that takes every frame that is left. */
function hog(): DomId {
  const { dom0, core } = machine;
  const domid = domainCreate(dom0, 1);
  domainMaxMem(dom0, domid, 1 << 20);
  const at = MACHINE_BASE >> 2;
  const left = core.u32[at]! - core.u32[at + 1]! + core.u32[at + 3]!;
  withBuffer(dom0, 32, (buffer) => {
    core.view.setUint32(buffer.at + 8, left, true);
    core.view.setUint16(buffer.at + 24, domid, true);
    hypercall(dom0, HC_MEMORY_OP, XENMEM_INCREASE_RESERVATION, buffer.gpa);
  });
  return domid;
}

const wordAt = (domid: DomId, gpa: number): number =>
  machine.core.u32[frameAddress(frameOf(machine.core, domid, gpa / 4096)) >> 2]!;

function start(body: readonly Instruction[]): void {
  writeGuest(machine.dom0, machine.window, guest, CODE, program(CODE, body).code);
  domainSetHvmContext(machine.dom0, guest, entryContext({ eip: CODE, ebx: 0 }, 1));
}

beforeEach(() => {
  machine = createMachine(debug, { memoryBytes: 0, frameCount: 1024, knobs: { "p2m.superpages": 0 } });
  source = domain(8);
  guest = domain(8);
  hvmSetParam(machine.dom0, guest, HVM_PARAM_SHARING_RING_PFN, RING_GFN);
});

describe("a listener on the sharing ring", () => {
  it("hears of the write, frees memory, and the write is made", () => {
    start([store32(PAGE, 0x77)]);
    let eater: DomId | undefined;
    const asked: number[] = [];
    const helper = createMemoryHelper(machine.dom0, guest, (gfn) => {
      asked.push(gfn);
      if (eater === undefined) return false;
      domainDestroy(machine.dom0, eater);
      eater = undefined;
      return true;
    });
    share({ domid: source, gfn: 2 }, { domid: guest, gfn: PAGE / 4096 });
    eater = hog();
    domainUnpause(machine.dom0, guest);
    machine.run({ maxInstructions: 10_000 });
    expect(machine.ended(guest)).toBeUndefined(); // it waits
    expect(wordAt(guest, PAGE)).toBe(0);
    expect(sharingCounts(machine.dom0)).toEqual({ freedPages: 1, usedFrames: 1 });
    expect(helper.serve()).toBe(1);
    expect(asked).toEqual([PAGE / 4096]);
    machine.run({ maxInstructions: 10_000 });
    expect([wordAt(guest, PAGE), wordAt(source, 2 * 4096)]).toEqual([0x77, 0]);
    expect(sharingCounts(machine.dom0)).toEqual({ freedPages: 0, usedFrames: 1 });
    expect([machine.ended(guest), helper.serve(), sharingAudit(machine.dom0)]).toEqual([undefined, 0, 0]);
  });
  it("that answers without making memory is asked again: the vCPU faults again", () => {
    start([store32(PAGE, 0x77)]);
    let asked = 0;
    const helper = createMemoryHelper(machine.dom0, guest, () => {
      asked++;
      return true;
    });
    share({ domid: source, gfn: 2 }, { domid: guest, gfn: PAGE / 4096 });
    const eater = hog();
    domainUnpause(machine.dom0, guest);
    for (let i = 0; i < 5; i++) {
      machine.run({ maxInstructions: 1_000 });
      expect(helper.serve()).toBe(1);
    }
    expect([asked, machine.ended(guest), wordAt(guest, PAGE)]).toEqual([5, undefined, 0]);
    domainDestroy(machine.dom0, eater);
    machine.run({ maxInstructions: 1_000 });
    helper.serve();
    machine.run({ maxInstructions: 1_000 });
    expect(wordAt(guest, PAGE)).toBe(0x77);
  });
});

describe("the ring", () => {
  it("page may be a shared one: it is unshared first", () => {
    share({ domid: source, gfn: RING_GFN }, { domid: guest, gfn: RING_GFN });
    expect(vmEventEnable(machine.dom0, guest, VM_EVENT_MODE_SHARING)).toBeGreaterThan(0);
    expect(sharingCounts(machine.dom0)).toEqual({ freedPages: 0, usedFrames: 1 });
  });
  it("is not there where sharing is not built", () => {
    machine = createMachine(debug, { memoryBytes: 0, frameCount: 1024, knobs: { "sharing.build": SHARING_OFF } });
    const domid = domainCreate(machine.dom0, 1);
    domainMaxVcpus(machine.dom0, domid, 1);
    domainMaxMem(machine.dom0, domid, 64);
    populateAll(machine.dom0, domid, [RING_GFN], "ring page");
    hvmSetParam(machine.dom0, domid, HVM_PARAM_SHARING_RING_PFN, RING_GFN);
    expect(() => vmEventEnable(machine.dom0, domid, VM_EVENT_MODE_SHARING)).toThrow(/ENOSYS/);
  });
  it("page that cannot be unshared is ENOENT", () => {
    share({ domid: source, gfn: RING_GFN }, { domid: guest, gfn: RING_GFN });
    hog();
    expect(() => vmEventEnable(machine.dom0, guest, VM_EVENT_MODE_SHARING)).toThrow(/ENOENT|ENOMEM/);
    expect(sharingCounts(machine.dom0)).toEqual({ freedPages: 1, usedFrames: 1 });
  });
});
