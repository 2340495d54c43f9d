/**
 * The terminal as the guest's console: keys go in, output comes out. In raw mode Ctrl-C arrives as a byte; it asks for a clean end,
 * as SIGINT and SIGTERM do when standard input is no terminal.
 */

export interface Terminal extends Disposable {
  /** Bytes typed since the last call. */
  takeInput(): Uint8Array | undefined;
  readonly isStopped: boolean;
  /** No more input can come (end of file, or no terminal was asked for). */
  readonly isInputOver: boolean;
  write(bytes: Uint8Array): void;
  /** Waits until there is input, a stop, or the time is over. */
  wait(milliseconds: number): Promise<void>;
}

const CTRL_C = 3;

/** @param withInput read standard input for the guest. */
export function openTerminal(withInput: boolean): Terminal {
  const { stdin, stdout } = process;
  const pending: Uint8Array[] = [];
  let isStopped = false;
  let isInputOver = !withInput;
  let wake = (): void => {};
  const isRaw = withInput && stdin.isTTY === true;

  const stop = (): void => {
    isStopped = true;
    wake();
  };
  const onData = (chunk: Buffer): void => {
    const end = isRaw ? chunk.indexOf(CTRL_C) : -1;
    const bytes = end >= 0 ? chunk.subarray(0, end) : chunk;
    if (bytes.length > 0) pending.push(new Uint8Array(bytes));
    if (end >= 0) stop();
    wake();
  };
  const onEnd = (): void => {
    isInputOver = true;
    wake();
  };

  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  if (withInput) {
    if (isRaw) stdin.setRawMode(true);
    stdin.on("data", onData);
    stdin.on("end", onEnd);
    stdin.on("error", onEnd);
    stdin.resume();
  }

  return {
    takeInput: () => pending.shift(),
    get isStopped() {
      return isStopped;
    },
    get isInputOver() {
      return isInputOver && pending.length === 0;
    },
    write(bytes) {
      if (bytes.length > 0) stdout.write(bytes);
    },
    wait(milliseconds) {
      if (isStopped || pending.length > 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => wake(), milliseconds);
        wake = () => {
          clearTimeout(timer);
          wake = () => {};
          resolve();
        };
      });
    },
    [Symbol.dispose]() {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      if (!withInput) return;
      stdin.off("data", onData);
      stdin.off("end", onEnd);
      stdin.off("error", onEnd);
      if (isRaw) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
