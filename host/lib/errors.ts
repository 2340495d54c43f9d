/**
 * Failures of hypercalls as typed errors: the errno by name, the call, and what to do next.
 * Expected outcomes of a guest (it crashed, it powered off) are values, never errors; see machine.ts.
 */
import * as errno from "../../hv-core/abi/errno.ts";

export type ErrnoName = Exclude<keyof typeof errno, "OK">;

const names = new Map<number, ErrnoName>();
for (const [name, value] of Object.entries(errno)) {
  if (name !== "OK") names.set(value, name as ErrnoName);
}

/** Name of a positive error number, or undefined when the hypercall interface has none. */
export function errnoName(value: number): ErrnoName | undefined {
  return names.get(value);
}

/** What usually helps. A call may give a better hint of its own. */
const HINTS: Partial<Record<ErrnoName, string>> = {
  EPERM: "the caller is not privileged over that domain",
  ESRCH: "no domain has that id (any more)",
  ENOMEM: "the machine has no free frame left: create it with more memory",
  EFAULT: "a hypercall argument does not lie in the caller's RAM",
  EINVAL: "one of the arguments is out of range",
  ENOSYS: "the hypervisor does not implement this call",
  EOPNOTSUPP: "the hypervisor does not implement this operation",
  EACCES: "wrong interface version",
  ENOSPC: "a fixed limit is reached (ports, servers)",
  EEXIST: "it exists already",
  EBUSY: "somebody else holds it",
  ENOENT: "no such object",
};

export interface HvErrorOptions extends ErrorOptions {
  /** Replaces the general hint for this errno. */
  readonly hint?: string;
  /** What the call was given. */
  readonly arguments?: CallArguments;
}

/** Arguments of a failed call by name, as they are shown. */
export type CallArguments = Readonly<Record<string, number | bigint | string | boolean>>;

const shown = (args: CallArguments): string =>
  Object.entries(args)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

/** A hypercall that failed. */
export class HvError extends Error {
  override readonly name = "HvError";
  readonly code: ErrnoName;
  /** The call as the toolstack names it, for instance "XENMEM_populate_physmap". */
  readonly call: string;
  readonly arguments: CallArguments;
  readonly hint: string;

  constructor(code: ErrnoName, call: string, options: HvErrorOptions = {}) {
    const hint = options.hint ?? HINTS[code] ?? "see spec 08 for the errors of this call";
    const args = options.arguments ?? {};
    const given = Object.keys(args).length > 0 ? `(${shown(args)})` : "";
    super(`${call}${given}: ${code} (${hint})`, options);
    this.code = code;
    this.call = call;
    this.arguments = args;
    this.hint = hint;
  }
}

/**
 * Turns the result of a hypercall into a value or an exception.
 * @throws HvError when `result` is negative.
 */
export function check(result: number, call: string, options: string | HvErrorOptions = {}): number {
  if (result >= 0) return result;
  throw new HvError(errnoName(-result) ?? "EIO", call, typeof options === "string" ? { hint: options } : options);
}

/** Something the user wrote is wrong: one line that says what and what to do. The CLI ends with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
