/**
 * A domain without a guest from which domctls are issued: its one vCPU runs VMCALL with arguments in its own memory, so the security
 * module sees who really calls. It is unpaused for the time of a call only.
 */
import { DOMCTL_SIZE } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import { type CallArguments, check, HvError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import type { Machine } from "../machine.ts";
import {
  domainCreate,
  domainMaxMem,
  domainMaxVcpus,
  domainPause,
  domainSetHvmContext,
  domainSetPagingPool,
  domainUnpause,
} from "../toolstack/domctl.ts";
import { readGuest, writeGuest } from "../toolstack/foreign.ts";
import { entryContext } from "../toolstack/hvm-context.ts";
import { populateAll } from "../toolstack/memory.ts";

const CODE = 0x1000;
const ARGUMENT = 0x2000;
const PAGES = 4;
const POOL_BYTES = 1 << 20;
const MAX_KIB = 64;
/** Turns of the vCPU for one call: a preempted hypercall is made again and again. */
const MAX_STEPS = 100_000;

const u32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
/** mov eax, 36; mov ebx, ARGUMENT; vmcall; then it turns on the spot. */
const PROGRAM = [0xb8, ...u32(HC_DOMCTL), 0xbb, ...u32(ARGUMENT), 0x0f, 0x01, 0xc1, 0xeb, 0xfe];
const END = CODE + PROGRAM.length - 2;

export function createIssuer(machine: Machine): DomId {
  const { dom0, window } = machine;
  const domid = domainCreate(dom0, 1);
  domainMaxVcpus(dom0, domid, 1);
  domainMaxMem(dom0, domid, MAX_KIB);
  domainSetPagingPool(dom0, domid, POOL_BYTES);
  populateAll(
    dom0,
    domid,
    Array.from({ length: PAGES }, (_, i) => i),
    "a toolstack domain",
  );
  writeGuest(dom0, window, domid, CODE, Uint8Array.from(PROGRAM));
  domainUnpause(dom0, domid);
  domainPause(dom0, domid);
  return domid;
}

/** One domctl by domain `issuer`. @returns the structure as the hypervisor left it. @throws HvError as from dom0 */
export function issueDomctl(
  machine: Machine,
  issuer: DomId,
  name: string,
  cmd: number,
  domid: DomId,
  args: CallArguments,
): DataView {
  const { dom0, window } = machine;
  const structure = new DataView(new ArrayBuffer(DOMCTL_SIZE));
  structure.setUint32(0, cmd, true);
  structure.setUint32(4, DOMCTL_INTERFACE_VERSION_4_17, true);
  structure.setUint16(8, domid, true);
  writeGuest(dom0, window, issuer, ARGUMENT, new Uint8Array(structure.buffer));
  domainSetHvmContext(dom0, issuer, entryContext({ eip: CODE, ebx: 0 }, 1));
  const [slot] = machine.vcpus(issuer);
  domainUnpause(dom0, issuer);
  try {
    for (let step = 0; Number(machine.regs(slot!).rip) !== END; step++) {
      if (step === MAX_STEPS) throw new HvError("EBUSY", name, { hint: "the call does not come to an end" });
      machine.step(slot!);
    }
  } finally {
    domainPause(dom0, issuer);
  }
  check(Number(BigInt.asIntN(32, BigInt(machine.regs(slot!).general.rax))), name, { arguments: { domid, ...args } });
  return new DataView(readGuest(dom0, window, issuer, ARGUMENT, DOMCTL_SIZE).slice().buffer);
}
