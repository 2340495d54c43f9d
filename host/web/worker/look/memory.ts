/** Guest memory, by physical or by linear address. Looking changes nothing. */
import { peek, translateGva } from "../../../lib/inspect.ts";
import type { Session } from "../session.ts";

export interface MemoryLook {
  readonly bytes: Uint8Array;
  /** 1 where a frame is behind the address, 0 where nothing is (the byte reads 0xff). */
  readonly backed: Uint8Array;
}

const PAGE = 4096n;

export function readMemory(
  { machine, domid }: Session,
  space: "physical" | "virtual",
  slot: number,
  address: bigint,
  length: number,
): MemoryLook {
  const bytes = new Uint8Array(length).fill(0xff);
  const backed = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const at = address + BigInt(done);
    const part = Math.min(Number(PAGE - (at % PAGE)), length - done);
    const gpa = space === "physical" ? Number(at) : translateGva(machine.core, slot, at);
    if (gpa !== undefined && Number.isSafeInteger(gpa)) {
      const read = peek(machine.core, domid, gpa, part);
      bytes.set(read.data, done);
      if (read.backed) backed.fill(1, done, done + part);
    }
    done += part;
  }
  return { bytes, backed };
}
