/**
 * Repeated string instructions as Xen's emulator does them: as many elements as possible in one request with a count, for MOVS,
 * INS and OUTS with the address of a buffer in guest memory instead of data (spec 03 section 3.5, hvmemul_rep_*).
 *
 * Such a request is dropped whole when its end leaves the server's range, and the device model writes the buffer itself, whatever
 * its type. With knob emulate.rep=fixed every element is an access of its own (emulate/emulate.ts), as on a processor.
 * Before: exits/on-ept-violation.ts, exits/on-io.ts. After: emulate/do-io.ts; elements that do not fit: emulate/emulate.ts.
 */
import { REG_RAX } from "../../abi/cpu";
import { QUAL_IO_PORT_SHIFT } from "../../abi/exits";
import { IOREQ_TYPE_COPY, IOREQ_TYPE_PIO, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import { AS_FIXED, KNOB_EMULATE_REP, KNOB_EMULATE_REP_TYPED } from "../../abi/knobs";
import { P2M_IOREQ_SERVER, P2M_MMIO_DIRECT, P2M_MMIO_DM } from "../../abi/p2m-types";
import { FLAG_DF } from "../../abi/regs";
import { Knobs } from "../../base/machine";
import { Cpu } from "../../hw/cpu";
import { GuestWalk } from "../../hw/guest-walk";
import { Run } from "../../hw/run";
import { STRING_INS, STRING_MOVS, STRING_NONE, STRING_OUTS, STRING_STOS, StringExit } from "../../hw/string-exit";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { IO_REP_COMPLETION, Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { ioDo } from "./do-io";
import { Internal } from "./internal";
import { IO_KIND_DOWN, IO_KIND_PTR, IO_KIND_READ } from "./io-kind";
import { IO_OKAY, IO_RETRY } from "./io-result";

/** The elements have to be done one by one. */
export const REP_SINGLE: i32 = -1;

/** Elements of one request at most. */
const MAX_REPS: u64 = 4096;
const PAGE_SIZE: u64 = 4096;
const PAGE_OFFSET: u64 = 4095;
/** Writes to it are looked at one by one. */
const PCI_ADDRESS_PORT: u32 = 0xcf8;
const NOWHERE: u64 = 0xffff_ffff_ffff_ffff;

/** Whether the exit is about a string instruction with elements to put together. */
function isRepeated(c: Cpu): bool {
  return c.exitStringKind != STRING_NONE && Knobs.get(KNOB_EMULATE_REP) != <u32>AS_FIXED;
}

/** The exit was an EPT violation. @returns a Verdict, or REP_SINGLE. */
export function repMemory(v: Vcpu): i32 {
  const c = v.cpu;
  if (!isRepeated(c)) return REP_SINGLE;
  return c.exitStringKind == STRING_MOVS ? moves(v, c) : c.exitStringKind == STRING_STOS ? stores(v, c) : REP_SINGLE;
}

/** The exit was an INS or OUTS. @returns a Verdict, or REP_SINGLE. */
export function repPort(v: Vcpu): i32 {
  const c = v.cpu;
  if (!isRepeated(c)) return REP_SINGLE;
  const isInput = c.exitStringKind == STRING_INS;
  const port = <u32>c.exitQualification >> QUAL_IO_PORT_SHIFT;
  if (Internal.claimsPort(v, port, c.exitStringSize) || port == PCI_ADDRESS_PORT) return REP_SINGLE;
  if (!isInput && c.exitStringKind != STRING_OUTS) return REP_SINGLE;
  const lin = isInput ? c.exitStringTo : c.exitStringFrom;
  const reps = contiguous(c, lin, clipped(c), isInput);
  if (reps == 0) return REP_SINGLE;
  const gpa = address(c, lin, isInput);
  const type = P2m.lookup(v.domain, gpa >> 12, 0);
  if (type == <u32>P2M_MMIO_DM || type == <u32>P2M_MMIO_DIRECT) return REP_SINGLE;
  return withBuffer(v, c, IOREQ_TYPE_PIO | (isInput ? IO_KIND_READ : 0), port, gpa, reps, 0);
}

/** One side is device memory and the other RAM. */
function moves(v: Vcpu, c: Cpu): i32 {
  const d = v.domain;
  let reps = contiguous(c, c.exitStringFrom, clipped(c), false);
  if (reps == 0) return REP_SINGLE;
  reps = contiguous(c, c.exitStringTo, reps, true);
  if (reps == 0) return REP_SINGLE;
  const from = address(c, c.exitStringFrom, false);
  const to = address(c, c.exitStringTo, true);
  if (Internal.claimsMemory(v, from) || Internal.claimsMemory(v, to)) return REP_SINGLE;
  const fromDevice = P2m.lookup(d, from >> 12, 0) == <u32>P2M_MMIO_DM;
  const toDevice = P2m.lookup(d, to >> 12, 0) == <u32>P2M_MMIO_DM;
  if (fromDevice == toDevice) return REP_SINGLE;
  if (fromDevice) return withBuffer(v, c, IOREQ_TYPE_COPY | IO_KIND_READ, from, to, inGfn(c, from, reps), P2M_MMIO_DM);
  return withBuffer(v, c, IOREQ_TYPE_COPY, to, from, inGfn(c, to, reps), P2M_MMIO_DM);
}

/** The value stands in the request; the device model writes it count times. */
function stores(v: Vcpu, c: Cpu): i32 {
  const reps = contiguous(c, c.exitStringTo, clipped(c), true);
  if (reps == 0) return REP_SINGLE;
  const to = address(c, c.exitStringTo, true);
  if (Internal.claimsMemory(v, to) || P2m.lookup(v.domain, to >> 12, 0) != <u32>P2M_MMIO_DM) return REP_SINGLE;
  const size = c.exitStringSize;
  const data = size == 8 ? c.reg(REG_RAX) : c.reg(REG_RAX) & (((<u64>1) << (size << 3)) - 1);
  return request(v, c, IOREQ_TYPE_COPY, to, data, inGfn(c, to, reps), P2M_MMIO_DM);
}

function isDown(c: Cpu): bool {
  return (c.rflags & FLAG_DF) != 0;
}

function clipped(c: Cpu): u64 {
  return min<u64>(c.exitStringCount, MAX_REPS);
}

/** Guest-physical address of `lin`, all ones when the access would fault. */
function address(c: Cpu, lin: u64, isWrite: bool): u64 {
  return GuestWalk.translate(c, lin, isWrite, c.cpl == 3);
}

/**
 * How many of `reps` elements from `lin` on lie in guest frames that follow each other; 0 when not even the first one does, or when
 * it would fault.
 */
function contiguous(c: Cpu, lin: u64, reps: u64, isWrite: bool): u64 {
  const first = address(c, lin, isWrite);
  if (first == NOWHERE) return 0;
  const size = <u64>c.exitStringSize;
  const down = isDown(c) && reps > 1;
  const offset = lin & PAGE_OFFSET;
  const bytes = reps * size;
  let done = down ? size + offset : PAGE_SIZE - offset;
  let frame = first >> 12;
  while (done < bytes) {
    lin += down ? -PAGE_SIZE : PAGE_SIZE;
    const next = address(c, lin, isWrite);
    frame += down ? -1 : 1;
    if (next == NOWHERE || next >> 12 != frame) return done / size;
    done += PAGE_SIZE;
  }
  return reps;
}

/** Device memory: a request stays in one frame, except for a single element over its border. */
function inGfn(c: Cpu, gpa: u64, reps: u64): u64 {
  const size = <u64>c.exitStringSize;
  const offset = gpa & PAGE_OFFSET;
  if (PAGE_SIZE - offset < size) return 1;
  return min<u64>(reps, isDown(c) ? offset / size + 1 : (PAGE_SIZE - offset) / size);
}

/** A request whose data lie in RAM at `buffer`: as many elements as fit into its page, or one over its border. */
function withBuffer(v: Vcpu, c: Cpu, kind: u32, addr: u64, buffer: u64, reps: u64, type: u32): i32 {
  const d = v.domain;
  const isInto = (kind & IO_KIND_READ) != 0;
  if (!isRam(d, buffer >> 12, isInto)) return REP_SINGLE;
  const size = <u64>c.exitStringSize;
  const offset = buffer & PAGE_OFFSET;
  const down = isDown(c);
  let count = min<u64>(reps, down ? (offset + size - 1) / size : (PAGE_SIZE - offset) / size);
  if (count == 0) {
    if (!isRam(d, (buffer >> 12) + (down ? -1 : 1), isInto)) return REP_SINGLE;
    count = 1;
  }
  return request(v, c, kind | IO_KIND_PTR, addr, buffer, count, type);
}

/** Whether a device model may be sent there. Into a watched page it writes behind the watcher's back: as on Xen, if the knob says so. */
function isRam(d: Domain, gfn: u64, isInto: bool): bool {
  const type = P2m.lookup(d, gfn, 0);
  if (isInto && type == <u32>P2M_IOREQ_SERVER && Knobs.get(KNOB_EMULATE_REP_TYPED) == <u32>AS_FIXED) return false;
  return P2mType.isRam(type) && Frame.isValid(d.lookupMfn);
}

function request(v: Vcpu, c: Cpu, kind: u32, addr: u64, data: u64, count: u64, type: u32): i32 {
  if (isDown(c)) kind |= IO_KIND_DOWN;
  const result = ioDo(v, kind, addr, data, <u32>count, c.exitStringSize, type);
  if (result == IO_OKAY) {
    advance(c, v.ioCount);
    return v.ioPending != 0 ? Verdict.Block : Verdict.Done;
  }
  if (result != IO_RETRY) return REP_SINGLE;
  if (v.ioPending == 0) return Verdict.Retry;
  v.ioCompletion = IO_REP_COMPLETION;
  return Verdict.Block;
}

function advance(c: Cpu, count: u32): void {
  if (!StringExit.advance(c, count)) return;
  c.exitInsnLength = c.exitStringLength;
  Run.skip(c);
}

/** The device model has written the value of a STOS as often as it was told. */
export function repResume(v: Vcpu): void {
  if (v.ioState != <u32>STATE_IOREQ_RESP_READY) return;
  if (ioDo(v, v.ioKind, v.ioAddr, v.ioData, v.ioCount, v.ioSize, 0) == IO_OKAY) advance(v.cpu, v.ioCount);
}
