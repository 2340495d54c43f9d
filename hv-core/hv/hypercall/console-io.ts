/**
 * HYPERVISOR_console_io: the hypervisor's own console, a ring of bytes that the host prints (journal: nothing depends on it).
 * As in a release build of Xen 4.17 only dom0 may use it; knob console.verbose lets guests write, as a debug build does.
 */
import { E2BIG, EFAULT, ENOSYS, EPERM, OK } from "../../abi/errno";
import { KNOB_CONSOLE_VERBOSE } from "../../abi/knobs";
import { HV_CONSOLE_BASE, HV_CONSOLE_SIZE } from "../../abi/layout";
import { ATTENTION_OUTPUT, Knobs, Machine } from "../../base/machine";
import { Vcpu } from "../vcpu";
import { continueWith, countWork } from "./continuation";
import { copyFromGuest, Scratch } from "./guest-copy";

const CONSOLEIO_WRITE: u32 = 0;
const CONSOLEIO_READ: u32 = 1;
const PIECE: u32 = 4096;

/** Ring header {head u32, tail u32}: bytes ever written, bytes ever read by the host. */
const HEADER: u32 = 8;
const RING: u32 = HV_CONSOLE_SIZE - HEADER;
/** From this fill level on, run() returns so that the host can print. */
const DRAIN_LEVEL: u32 = (RING / 4) * 3;

export function consolePut(byte: u32): void {
  const head = load<u32>(HV_CONSOLE_BASE);
  store<u8>(HV_CONSOLE_BASE + HEADER + (head % RING), <u8>byte);
  store<u32>(HV_CONSOLE_BASE, head + 1);
  if (head + 1 - load<u32>(HV_CONSOLE_BASE, 4) >= DRAIN_LEVEL) Machine.get().hostAttention |= ATTENTION_OUTPUT;
}

/** One page of the text, then the rest as a continuation. */
function write(v: Vcpu, count: u32, buffer: u64): i64 {
  const piece = count < PIECE ? count : PIECE;
  if (copyFromGuest(v, Scratch.at, buffer, piece) != 0) return -EFAULT;
  countWork(piece);
  for (let i: u32 = 0; i < piece; i++) consolePut(load<u8>(Scratch.at + i));
  if (piece == count) return OK;
  return continueWith(v, CONSOLEIO_WRITE, count - piece, buffer + piece);
}

export function consoleIo(v: Vcpu, cmd: u32, count: u32, buffer: u64): i64 {
  const mayWrite = cmd == CONSOLEIO_WRITE && Knobs.get(KNOB_CONSOLE_VERBOSE) != 0;
  if (v.domain.isPrivileged == 0 && !mayWrite) return -EPERM;
  if (cmd == CONSOLEIO_WRITE) return count > 0x7fff_ffff ? -E2BIG : write(v, count, buffer);
  if (cmd == CONSOLEIO_READ) return count > 0x7fff_ffff ? -E2BIG : 0; // nobody types at this console
  return -ENOSYS;
}
