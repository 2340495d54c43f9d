/** What one instruction left behind: counts, trace records, slots. Taken before it, read after it. */
import { CTR_INSTRUCTIONS } from "../../../hv-core/abi/counters.ts";
import { readCounter, readCounters } from "../../lib/counters.ts";
import type { DomId } from "../../lib/ids.ts";
import { peekVirtual, type Registers, vcpuNamer } from "../../lib/inspect.ts";
import type { Machine } from "../../lib/machine.ts";
import { readTrace, type TraceRecord } from "../../lib/trace/decode.ts";
import { traceEnd } from "../model/records.ts";
import { readSlots } from "./look/ioreq.ts";
import type { PathEvidence } from "./protocol.ts";

interface MarkedVcpu {
  readonly slot: number;
  readonly registers: Registers;
  readonly bytes: Uint8Array;
}

export interface Mark {
  readonly at: number;
  readonly records: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly vcpus: readonly MarkedVcpu[];
}

const LONGEST_INSTRUCTION = 15;

export function takeMark(machine: Machine, domid: DomId, at: number): Mark {
  const vcpus = machine.vcpus(domid).map((slot): MarkedVcpu => {
    const registers = machine.regs(slot);
    const rip = registers.rip + (registers.bitness === 64 ? 0n : registers.segments.cs.base);
    return { slot, registers, bytes: peekVirtual(machine.core, domid, slot, rip, LONGEST_INSTRUCTION) };
  });
  return { at, records: traceEnd(machine.core.view), counters: readCounters(machine.core), vcpus };
}

/**
 * Whether the instruction that began at the mark is over: one has retired, or the hypervisor has moved rip over it and no request of that
 * vCPU is in flight any more.
 */
export function isStepOver(machine: Machine, domid: DomId, mark: Mark, at: number): boolean {
  if (at !== mark.at) return true;
  return mark.vcpus.some(({ slot, registers }, vcpu) => {
    if (!machine.vcpus(domid).includes(slot)) return true;
    if (machine.regs(slot).rip === registers.rip) return false;
    return readSlots(machine, domid, vcpu).every((s) => s.state === "NONE");
  });
}

/** The vCPU that moved: the one of the records, or whose rip changed. */
function mover(machine: Machine, mark: Mark, records: readonly TraceRecord[]): MarkedVcpu | undefined {
  const exited = records.find((r) => mark.vcpus.some((v) => v.slot === r.vcpu));
  return (
    mark.vcpus.find((v) => v.slot === exited?.vcpu) ??
    mark.vcpus.find((v) => machine.regs(v.slot).rip !== v.registers.rip) ??
    mark.vcpus[0]
  );
}

export function readEvidence(
  machine: Machine,
  domid: DomId,
  mark: Mark | undefined,
  at: number,
  isComplete: boolean,
): PathEvidence {
  const { core } = machine;
  if (!mark || mark.vcpus.length === 0)
    return {
      before: -1,
      isComplete,
      vcpu: "",
      rip: 0n,
      bytes: new Uint8Array(0),
      bitness: 32,
      counts: {},
      records: [],
      slots: [],
    };
  const records = readTrace(core, traceEnd(core.view) - mark.records);
  const after = readCounters(core);
  const counts = Object.fromEntries(
    Object.entries(after)
      .map(([name, n]) => [name, n - (mark.counters[name] ?? 0)] as const)
      .filter(([, n]) => n !== 0),
  );
  const vcpu = mover(machine, mark, records)!;
  const isStill = readCounter(core, CTR_INSTRUCTIONS) === mark.at;
  return {
    before: mark.at,
    isComplete: isComplete && (!isStill || at !== mark.at),
    vcpu: vcpuNamer(core)(vcpu.slot),
    rip: vcpu.registers.rip,
    bytes: vcpu.bytes,
    bitness: vcpu.registers.bitness,
    counts,
    records,
    slots: readSlots(machine, domid, machine.vcpus(domid).indexOf(vcpu.slot)),
  };
}
