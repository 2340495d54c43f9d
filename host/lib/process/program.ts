/**
 * A valid program of the toolstack, whatever keeps its buffers safe: four hypercalls with buffers on its stack, three of them
 * nested as libxc's functions nest. A strategy (strategies.ts) turns its buffers into system calls and copies.
 *
 *   fill A;  B and D are needed until later;  call with A;  A is done;  call with D;  D is done;  call with B;  B is done;  call with C
 */
import { DOMCTL_SIZE } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_GETDOMAININFO,
  DOMCTL_INTERFACE_VERSION_4_17,
  HC_DOMCTL,
  HC_XEN_VERSION,
} from "../../../hv-core/abi/hypercalls.ts";
import type { Direction } from "../buffers/safe.ts";
import { PAGE, type ProcessMemory, pageBytes, STACK, setPageBytes } from "./memory.ts";
import { type Op, type Vocabulary, vocabulary, wordOf } from "./ops.ts";

const XENVER_CAPABILITIES = 3;
const XENVER_PLATFORM_PARAMETERS = 5;

/** One argument of a hypercall, which the caller has on its stack. */
export interface Argument {
  readonly name: string;
  readonly offset: number;
  /** What the hypervisor reads or writes. */
  readonly bytes: number;
  /** What the caller says. */
  readonly declared: number;
  readonly direction: Direction;
  /** The hypercall that takes it, before its address. */
  readonly call: readonly number[];
  readonly callName: string;
}

export interface ProgramOptions {
  /** Arguments whose hypercalls are made; all by default. A shorter program makes a shorter story. */
  readonly calls?: readonly string[];
  /** The application has locked its stack page for itself before it begins. */
  readonly ownLock?: boolean;
  /** The caller says that C has four bytes; the hypervisor writes eight. */
  readonly tooSmall?: boolean;
}

/** Where the bytes of an argument are, and which pages of the library hold nothing else. */
export interface Placed {
  readonly ops: readonly Op[];
  readonly page: number;
  readonly offset: number;
}

/** How one strategy serves one run of the program. */
export interface Plan {
  acquire(argument: Argument): Placed;
  release(argument: Argument): readonly Op[];
  /** The application's own lock, where it is not a plain mlock. */
  ownLock?(page: number): Op;
  /** The library is done. */
  close(): readonly Op[];
}

export interface Program {
  readonly ops: readonly Op[];
  readonly arguments: readonly Argument[];
}

const argument = (
  name: string,
  offset: number,
  bytes: number,
  direction: Direction,
  call: readonly number[],
  callName: string,
): Argument => ({ name, offset, bytes, declared: bytes, direction, call, callName });

/** Bytes of the stack that belong to somebody else. */
const NEIGHBOUR = 0x4e;
const GUARD = 16;

function domctlBytes(domid: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(DOMCTL_SIZE));
  view.setUint32(0, DOMCTL_GETDOMAININFO, true);
  view.setUint32(4, DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(8, domid, true);
  return new Uint8Array(view.buffer);
}

export const pageName = (page: number): string => (page === STACK ? "stack" : `buffer${page}`);

export function makeProgram(
  newPlan: (v: Vocabulary) => Plan,
  domid: number,
  linear: (page: number, offset: number) => number,
  options: ProgramOptions,
): Program {
  const v = vocabulary(pageName);
  const plan = newPlan(v);
  const version = (what: number): number[] => [HC_XEN_VERSION, what];
  const a = argument("A", 0x100, DOMCTL_SIZE, "inout", [HC_DOMCTL], "getdomaininfo");
  const b = argument("B", 0x400, 1024, "out", version(XENVER_CAPABILITIES), "capabilities");
  const c = {
    ...argument("C", 0x340, 8, "out", version(XENVER_PLATFORM_PARAMETERS), "platform_parameters"),
    ...(options.tooSmall ? { declared: 4 } : {}),
  };
  const d = argument("D", 0x380, 8, "out", version(XENVER_PLATFORM_PARAMETERS), "platform_parameters");
  const places = new Map<Argument, Placed>();
  const acquire = (x: Argument): readonly Op[] => {
    const placed = plan.acquire(x);
    places.set(x, placed);
    return placed.ops;
  };
  const call = (x: Argument): Op => {
    const { page, offset } = places.get(x)!;
    return {
      word: wordOf("call", x.name),
      text: `makes the hypercall ${x.callName} with ${x.name} on the ${pageName(page)} page`,
      pages: [],
      hypercall: [...x.call, linear(page, offset)],
      run(memory) {
        if (page !== STACK && holdsOthersBytes(memory, x, page)) memory.leakSeen = true;
      },
    };
  };
  const callAndRelease = (x: Argument): readonly Op[] => [call(x), ...plan.release(x)];
  const needed = (x: Argument, make: (x: Argument) => readonly Op[]): readonly Op[] =>
    options.calls?.includes(x.name) === false ? [] : make(x);
  const ops = [
    ...(options.ownLock ? [plan.ownLock?.(STACK) ?? v.ownLock(STACK)] : []),
    v.store(STACK, a.offset, domctlBytes(domid), "A"),
    ...needed(b, acquire),
    ...needed(d, acquire),
    ...needed(a, acquire),
    ...needed(a, callAndRelease),
    ...needed(d, callAndRelease),
    ...needed(b, callAndRelease),
    ...needed(c, acquire),
    ...needed(c, callAndRelease),
    ...plan.close(),
  ];
  return { ops, arguments: [a, b, c, d] };
}

/** Whether a page of the library, about to be handed to the hypervisor, holds what the caller of this argument has not put there. */
function holdsOthersBytes(memory: ProcessMemory, x: Argument, page: number): boolean {
  const own = x.direction === "out" ? 0 : x.declared;
  return pageBytes(memory, page, own, PAGE - own).some((byte) => byte !== 0);
}

/** Puts something on the stack that is nobody's argument. */
export function fillStack(memory: ProcessMemory, program: Program): void {
  const bytes = new Uint8Array(PAGE).fill(NEIGHBOUR);
  for (const x of program.arguments) bytes.fill(0, x.offset, x.offset + x.declared);
  setPageBytes(memory, STACK, 0, bytes);
}

/** The argument beside which something was overwritten on the stack. */
export function damagedNeighbour(memory: ProcessMemory, program: Program): Argument | undefined {
  const isDamaged = (offset: number): boolean =>
    pageBytes(memory, STACK, offset, GUARD).some((byte) => byte !== NEIGHBOUR);
  return program.arguments.find((x) => isDamaged(x.offset - GUARD) || isDamaged(x.offset + x.declared));
}
