/** What a device model may touch besides its slab: dom0's hypercalls, and the place where console output leaves the machine. */
import { getField, setField, slabOf } from "../actors.ts";
import type { Core } from "../core.ts";
import type { Dom0 } from "../dom0.ts";

/** Length of the log, kept in dom0's slab: the log itself lies outside the machine, so restore cuts it to this length. */
const LOG_LENGTH = 12;

/** Everything the guests wrote on any console, in the order in which it came out. */
export interface ConsoleLog {
  bytes: Uint8Array;
  length: number;
  /** Bytes that are known: after a restore more than `length`, until something else is written there. */
  known: number;
}

export interface DeviceContext {
  readonly dom0: Dom0;
  readonly log: ConsoleLog;
}

export function createConsoleLog(): ConsoleLog {
  return { bytes: new Uint8Array(4096), length: 0, known: 0 };
}

/** A guest may print for ever; the log keeps its first 64 MiB. */
const LOG_MAX = 2 ** 26;

export function putConsole(context: DeviceContext, byte: number): void {
  const { log } = context;
  if (log.length === LOG_MAX) return;
  if (log.length === log.bytes.length) {
    const larger = new Uint8Array(log.bytes.length * 2);
    larger.set(log.bytes);
    log.bytes = larger;
  }
  if (log.length >= log.known || log.bytes[log.length] !== byte) log.known = log.length + 1;
  log.bytes[log.length++] = byte;
  setField(context.dom0.core, slabOf(0), LOG_LENGTH, log.length);
}

/** After a restore: shows what had been written by then, as far as it is known; going back and forth in time loses nothing. */
export function restoreConsole(core: Core, log: ConsoleLog): void {
  log.length = Math.min(log.known, getField(core, slabOf(0), LOG_LENGTH));
}

export function consoleText(log: ConsoleLog, from = 0): string {
  return new TextDecoder().decode(log.bytes.subarray(from, log.length));
}
