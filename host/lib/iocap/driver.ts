/**
 * A driver in a domain: a loop of real instructions that takes a command from a page of the domain's memory, carries it out, and writes the
 * result back. In a guest it is the image; in dom0 it runs on a second processor that dom0's kernel brings up.
 */
import { HC_VCPU_OP, VCPUOP_INITIALISE, VCPUOP_UP } from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import { DOM0, type DomId } from "../ids.ts";
import { vcpuSlots } from "../inspect.ts";
import { FLAT_BASE, loadFlat } from "../loader/flat.ts";
import type { Machine } from "../machine.ts";
import { readGuest, writeGuest } from "../toolstack/foreign.ts";

export type Command = "write" | "read" | "out" | "in" | "hypercall";
const COMMANDS: Readonly<Record<Command, number>> = { write: 1, read: 2, out: 3, in: 4, hypercall: 5 };

/** In the driver's page: command, address or port or number, value, second value, result. */
const COMMAND = 0x800;
const ADDRESS = 0x804;
const VALUE = 0x808;
const SECOND = 0x80c;
const RESULT = 0x810;
/** Where a driver keeps structures for hypercalls. */
const STRUCTURE = 0x900;

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

/** The loop, to run at linear address `base` in flat 32-bit mode. */
export function driverCode(base: number): Uint8Array {
  const at = (offset: number): number[] => u32(base + offset);
  const head = [
    ...[0xa1, ...at(COMMAND)], // mov eax, [command]
    ...[0x85, 0xc0, 0x74, 0xf7], // test eax, eax; jz to the start
    ...[0x8b, 0x3d, ...at(ADDRESS)], // mov edi, [address]
    ...[0x8b, 0x35, ...at(VALUE)], // mov esi, [value]
    ...[0x8b, 0x0d, ...at(SECOND)], // mov ecx, [second]
  ];
  const bodies: readonly (readonly number[])[] = [
    [0x89, 0x37], // mov [edi], esi
    [0x8b, 0x07], // mov eax, [edi]
    [0x89, 0xfa, 0x89, 0xf0, 0xef], // mov edx, edi; mov eax, esi; out dx, eax
    [0x89, 0xfa, 0xed], // mov edx, edi; in eax, dx
    [0x89, 0xf8, 0x89, 0xf3, 0x0f, 0x01, 0xc1], // mov eax, edi; mov ebx, esi; vmcall
  ];
  const done = [...[0xa3, ...at(RESULT)], ...[0xc7, 0x05, ...at(COMMAND), ...u32(0)]];
  // cmp eax, n; jne to the next; body; jmp to the end
  const after = (i: number): number => bodies.slice(i + 1).reduce((sum, b) => sum + b.length + 7, 0);
  const middle = bodies.flatMap((body, i) => [0x83, 0xf8, i + 1, 0x75, body.length + 2, ...body, 0xeb, after(i)]);
  const length = head.length + middle.length + done.length;
  return new Uint8Array([...head, ...middle, ...done, 0xe9, ...u32(-(length + 5))]);
}

export interface Driver {
  readonly name: string;
  readonly domid: DomId;
  readonly slot: number;
  /** Gives the processor a command and runs it until it is done. @returns the result (EAX); undefined when the domain was crashed by it. */
  run(command: Command, address: number, value?: number, second?: number): number | undefined;
  /** Writes a structure where the driver keeps them. @returns its guest-physical address. */
  put(words: readonly number[]): number;
}

const MAX_STEPS = 4000;

function driver(
  machine: Machine,
  name: string,
  domid: DomId,
  slot: number,
  base: number,
  write: (gpa: number, data: Uint8Array) => void,
  read: (gpa: number, bytes: number) => Uint8Array,
): Driver {
  const words = (list: readonly number[]): Uint8Array => new Uint8Array(new Uint32Array(list).buffer);
  return {
    name,
    domid,
    slot,
    run(command, address, value = 0, second = 0) {
      write(base + COMMAND, words([COMMANDS[command], address, value, second]));
      for (let steps = 0; steps < MAX_STEPS; steps++) {
        machine.core.exports.runVcpu(slot, 16);
        const state = new DataView(read(base + COMMAND, 20).buffer);
        if (state.getUint32(0, true) === 0) return state.getUint32(16, true);
        if (machine.ended(domid)) return undefined;
      }
      return undefined;
    },
    put(list) {
      write(base + STRUCTURE, words(list));
      return base + STRUCTURE;
    },
  };
}

/** A new domain that is nothing but a driver. */
export function createDriverDomain(machine: Machine, name: string): Driver {
  const parsed = loadFlat(driverCode(FLAT_BASE));
  if (!parsed.ok) throw new Error(parsed.problem);
  const { domid } = machine.createGuest({
    image: parsed.value,
    memoryBytes: 2 ** 22,
    vcpus: 1,
    cmdline: "",
    modules: [],
  });
  const { dom0, window } = machine;
  return driver(
    machine,
    name,
    domid,
    machine.vcpus(domid)[0]!,
    FLAT_BASE,
    (gpa, data) => writeGuest(dom0, window, domid, gpa, data),
    (gpa, bytes) => readGuest(dom0, window, domid, gpa, bytes),
  );
}

const CONTEXT_SIZE = 128;
/** Flat 32-bit segments as VCPUOP_initialise takes them: code, data, task. */
const CODE_SEGMENT = 0xc9b;
const DATA_SEGMENT = 0xc93;
const TASK_SEGMENT = 0x8b;

/** dom0's driver: its kernel starts processor 1 (knob dom0.vcpus) on the last page of its RAM. */
export function createDom0Driver(machine: Machine): Driver {
  const { dom0 } = machine;
  const base = (dom0.pages - 1) * 4096;
  const code = driverCode(base);
  dom0.core.u8.fill(0, dom0.ramAt + base, dom0.ramAt + base + 4096);
  dom0.core.u8.set(code, dom0.ramAt + base);
  startProcessor(dom0, base);
  const at = (gpa: number): number => dom0.ramAt + gpa;
  return driver(
    machine,
    "dom0",
    DOM0,
    vcpuSlots(dom0.core, DOM0)[1]!,
    base,
    (gpa, data) => dom0.core.u8.set(data, at(gpa)),
    (gpa, bytes) => dom0.core.u8.slice(at(gpa), at(gpa) + bytes),
  );
}

/** dom0 brings up its processor 1 in flat 32-bit mode at `eip` (knob dom0.vcpus). */
export function startProcessor(dom0: Dom0, eip: number): void {
  withBuffer(dom0, CONTEXT_SIZE, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint32(at + 8 + 32, eip, true);
    view.setUint32(at + 8 + 36, 2, true); // eflags
    view.setUint32(at + 8 + 40, 0x11, true); // cr0: PE, ET
    for (let i = 0; i < 5; i++) view.setUint32(at + 92 + i * 4, i === 4 ? 0x67 : 0xffff_ffff, true);
    [CODE_SEGMENT, DATA_SEGMENT, DATA_SEGMENT, DATA_SEGMENT, TASK_SEGMENT].forEach((attributes, i) => {
      view.setUint16(at + 112 + i * 2, attributes, true);
    });
    check(hypercall(dom0, HC_VCPU_OP, VCPUOP_INITIALISE, 1, gpa), "VCPUOP_initialise");
  });
  check(hypercall(dom0, HC_VCPU_OP, VCPUOP_UP, 1, 0), "VCPUOP_up");
}
