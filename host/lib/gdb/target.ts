/**
 * What the commands of the protocol do to a session: threads are the vCPUs of one domain, memory is linear memory under their page tables, and going on
 * is the session's going on. Read next: commands.ts (the words of the protocol).
 */
import { UsageError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { pauseFlags, vcpuNamer } from "../inspect.ts";
import { writeGuest } from "../toolstack/foreign.ts";
import type { Session, Stop } from "../travel/types.ts";
import type { WatchHit, WatchId } from "../travel/watch.ts";
import { toHex } from "./packet.ts";
import { type RegisterMap, readRegister, writeRegisters } from "./registers.ts";

/** Instructions between two looks whether GDB wants to interrupt. */
const SLICE = 1_000_000;

export interface Target {
  readonly session: Session;
  readonly map: RegisterMap;
  /** Thread ids: vCPU id + 1. */
  threads(): number[];
  /** The thread of the last stop. */
  current(): number;
  describeThread(thread: number): string;
  readAll(thread: number): string;
  readOne(thread: number, number: number): string | undefined;
  /** @throws HvError, UsageError */
  write(thread: number, values: readonly (readonly [number: number, bytes: Uint8Array])[]): void;
  /** As many of the bytes as are mapped. */
  readMemory(thread: number, address: bigint, bytes: number): Uint8Array;
  /** False when not all of it is mapped RAM; then nothing is written. */
  writeMemory(thread: number, address: bigint, data: Uint8Array): boolean;
  /** Z and z: type 0 and 1 execution, 2 writes, 3 reads, 4 both. */
  insert(type: number, address: bigint, bytes: number): void;
  remove(type: number, address: bigint, bytes: number): void;
  step(thread: number): string;
  stepBack(thread: number): string;
  /** Forwards until something stops it or `isInterrupted`; `pause` lets others run in between. */
  proceed(isInterrupted: () => boolean, pause: () => Promise<void>): Promise<string>;
  proceedBack(isInterrupted: () => boolean): string;
  stopReply(): string;
  /** How the guest ended, to be shown once. */
  takeNote(): string | undefined;
}

const ACCESS = ["x", "x", "w", "r", "rw"] as const;
const SIGINT = "02";
const SIGTRAP = "05";

export function createTarget(session: Session, domid: DomId, map: RegisterMap): Target {
  const { machine } = session;
  const slotOf = (thread: number): number => {
    const slot = machine.vcpus(domid)[thread - 1];
    if (slot === undefined) throw new UsageError(`there is no thread ${thread}`);
    return slot;
  };
  const watches = new Map<string, WatchId>();
  let thread = 1;
  let reply = `T${SIGTRAP}thread:1;`;
  let note: string | undefined;

  const keyOf = (type: number, address: bigint, bytes: number): string => `${type},${address},${type < 2 ? 1 : bytes}`;

  /** What a hit is called in a stop reply. */
  function reasonOf(hit: WatchHit): string {
    if (hit.kind === "execute") return "hwbreak:;";
    const spec = session.watches().find((w) => w.id === hit.id);
    const access = spec && "access" in spec ? spec.access : "w";
    const word = access === "rw" ? "awatch" : access === "r" ? "rwatch" : "watch";
    return `${word}:${hit.linear.toString(16)};`;
  }

  function report(stop: Stop, signal = SIGTRAP): string {
    const hit = stop.hits[0];
    if (hit && hit.slot >= 0) {
      const found = machine.vcpus(domid).indexOf(hit.slot);
      if (found >= 0) thread = found + 1;
    }
    let why = hit ? reasonOf(hit) : "";
    if (stop.reason === "start") why = "replaylog:begin;";
    if (stop.reason === "ended" || stop.reason === "idle") {
      why = "replaylog:end;";
      const end = machine.ended(domid);
      note = end ? `the guest has ended: ${end.outcome}: ${end.reason}\n` : "every vCPU waits for an event\n";
    }
    reply = `T${signal}thread:${thread};${why}`;
    return reply;
  }

  return {
    session,
    map,
    threads: () => machine.vcpus(domid).map((_, i) => i + 1),
    current: () => thread,
    describeThread(id) {
      const slot = slotOf(id);
      const state = pauseFlags(machine.core, slot) === 0 ? "runs" : "waits";
      // Reason 0 is what stands there before the first exit: no exception of a guest leaves it here.
      const { exitReason } = machine.regs(slot);
      const last = exitReason === "EXCEPTION_NMI" ? "no exit yet" : `last exit ${exitReason}`;
      return `${vcpuNamer(machine.core)(slot)} ${state}, ${last}`;
    },
    readAll(id) {
      const regs = machine.regs(slotOf(id));
      return map.registers.map((spec) => readRegister(spec, regs)).join("");
    },
    readOne(id, number) {
      const spec = map.registers[number];
      return spec && readRegister(spec, machine.regs(slotOf(id)));
    },
    write(id, values) {
      const specs = values.flatMap(([number, bytes]) => {
        const spec = map.registers[number];
        if (!spec || bytes.length !== spec.bits / 8) throw new UsageError(`register ${number} does not take that`);
        const isSame = readRegister(spec, machine.regs(slotOf(id))) === toHex(bytes);
        if (spec.context === undefined && !isSame) throw new UsageError(`${spec.name} cannot be written`);
        return isSame ? [] : [[spec, bytes] as const];
      });
      if (specs.length > 0) session.act("write registers", (m) => writeRegisters(m, domid, id - 1, specs));
    },
    readMemory: (id, address, bytes) => machine.peekLinear(slotOf(id), address, bytes),
    writeMemory(id, address, data) {
      if (data.length === 0) return true;
      const slot = slotOf(id);
      if (machine.peekLinear(slot, address, data.length).length < data.length) return false;
      session.act(`write ${data.length} bytes at 0x${address.toString(16)}`, (m) => {
        for (let done = 0; done < data.length; ) {
          const at = address + BigInt(done);
          const length = Math.min(4096 - Number(at & 0xfffn), data.length - done);
          writeGuest(m.dom0, m.window, domid, m.translate(slot, at)!, data.subarray(done, done + length));
          done += length;
        }
      });
      return true;
    },
    insert(type, address, bytes) {
      const access = ACCESS[type];
      if (access === undefined) throw new UsageError(`there is no breakpoint of type ${type}`);
      const key = keyOf(type, address, bytes);
      if (watches.has(key)) return;
      watches.set(key, session.watch({ kind: "linear", address, bytes: type < 2 ? 1 : bytes, access }));
    },
    remove(type, address, bytes) {
      const key = keyOf(type, address, bytes);
      const id = watches.get(key);
      if (id !== undefined) session.unwatch(id);
      watches.delete(key);
    },
    step(id) {
      thread = id;
      return report(session.stepVcpu(slotOf(id)));
    },
    stepBack(id) {
      thread = id;
      return report(session.stepBackVcpu(slotOf(id)));
    },
    async proceed(isInterrupted, pause) {
      while (true) {
        const stop = session.run({ maxInstructions: SLICE });
        if (stop.reason !== "budget") return report(stop);
        await pause();
        if (isInterrupted()) return report(stop, SIGINT);
      }
    },
    proceedBack: (isInterrupted) => report(session.runBack({ cancel: isInterrupted })),
    stopReply: () => reply,
    takeNote() {
      const text = note;
      note = undefined;
      return text;
    },
  };
}
