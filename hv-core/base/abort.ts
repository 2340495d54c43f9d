/**
 * Called by the compiler's own checks (`assert`, bounds). It never returns. The message is left in the mailbox as UTF-16
 * so that the host can print it; the trap then ends the instance.
 */
import { MAILBOX_BASE } from "../abi/layout";

export function hvAbort(message: usize, file: usize, line: u32, column: u32): void {
  store<u32>(MAILBOX_BASE, <u32>message);
  store<u32>(MAILBOX_BASE, <u32>file, 4);
  store<u32>(MAILBOX_BASE, line, 8);
  store<u32>(MAILBOX_BASE, column, 12);
  unreachable();
}
