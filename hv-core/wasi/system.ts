/**
 * WASI as the command module uses it: arguments, files read at an offset, bytes to the two outputs, the exit code.
 * Scratch memory is the mailbox: nothing else uses it while the module runs alone.
 */
import { MAILBOX_BASE, MAILBOX_SIZE } from "../abi/layout";
import { args_get, args_sizes_get, fd_close, fd_pread, fd_write, path_open, proc_exit } from "./wasi_snapshot_preview1";

export const STDOUT = 1;
export const STDERR = 2;

const IOVEC: usize = MAILBOX_BASE;
const RESULT: usize = MAILBOX_BASE + 16;
const ARGV: usize = MAILBOX_BASE + 0x1000;
const ARGS: usize = MAILBOX_BASE + 0x2000;
const ARGS_MAX: u32 = 0x4000;
const MAX_ARGS: u32 = 256;
/** Free for callers: file headers and the like. */
export const SCRATCH: usize = MAILBOX_BASE + 0x8000;
export const SCRATCH_SIZE: u32 = MAILBOX_SIZE - 0x8000;

const RIGHT_FD_READ: u64 = 2;
const RIGHT_FD_SEEK: u64 = 4;
const FIRST_PREOPEN = 3;
const LAST_PREOPEN = 8;

export class System {
  /** Fetches the arguments; the number of them, 0 when they do not fit. */
  static loadArguments(): u32 {
    if (args_sizes_get(RESULT, RESULT + 4) != 0) return 0;
    const count = load<u32>(RESULT);
    if (count > MAX_ARGS || load<u32>(RESULT, 4) > ARGS_MAX) return 0;
    return args_get(ARGV, ARGS) == 0 ? count : 0;
  }

  /** Address of argument `index`, NUL-terminated. */
  static argument(index: u32): usize {
    return load<u32>(ARGV + ((<usize>index) << 2));
  }

  static length(text: usize): u32 {
    let n: u32 = 0;
    while (load<u8>(text + n) != 0) n++;
    return n;
  }

  static write(fd: i32, from: usize, bytes: u32): void {
    let done: u32 = 0;
    while (done < bytes) {
      store<u32>(IOVEC, <u32>from + done);
      store<u32>(IOVEC, bytes - done, 4);
      if (fd_write(fd, IOVEC, 1, RESULT) != 0) return;
      const n = load<u32>(RESULT);
      if (n == 0) return;
      done += n;
    }
  }

  /** Opens a file for reading, trying every preopened folder; -1 when none has it. */
  static open(path: usize): i32 {
    let name = path;
    while (load<u8>(name) == 0x2f) name++; // preopens take relative paths
    const bytes = System.length(name);
    for (let dir = FIRST_PREOPEN; dir <= LAST_PREOPEN; dir++) {
      const rights = RIGHT_FD_READ | RIGHT_FD_SEEK;
      if (path_open(dir, 1, name, bytes, 0, rights, rights, 0, RESULT) == 0) return load<i32>(RESULT);
    }
    return -1;
  }

  /** Reads exactly `bytes` at `offset`; false when the file is shorter or cannot be read. */
  static readAt(fd: i32, to: usize, bytes: u32, offset: u64): bool {
    let done: u32 = 0;
    while (done < bytes) {
      store<u32>(IOVEC, <u32>to + done);
      store<u32>(IOVEC, bytes - done, 4);
      if (fd_pread(fd, IOVEC, 1, offset + done, RESULT) != 0) return false;
      const n = load<u32>(RESULT);
      if (n == 0) return false;
      done += n;
    }
    return true;
  }

  static close(fd: i32): void {
    fd_close(fd);
  }

  static exit(code: i32): void {
    proc_exit(code);
  }
}
