/** Disassembly. A module of its own: iced-x86 is large, and is fetched when the first listing is asked for. */
import { type DisassembledLine, disassemble } from "../../../lib/debug/disassemble.ts";
import { peekVirtual } from "../../../lib/inspect.ts";
import type { Session } from "../session.ts";

/** Bytes that so many instructions have at most. */
const LONGEST = 15;

/** `lines` instructions from a linear address on, or from where the vCPU stands. */
export function readCode(
  { machine, domid }: Session,
  slot: number,
  gva: bigint | undefined,
  lines: number,
): DisassembledLine[] {
  if (!machine.vcpus(domid).includes(slot)) return [];
  const { rip, bitness, segments } = machine.regs(slot);
  const base = bitness === 64 ? 0n : segments.cs.base;
  const start = gva ?? rip + base;
  const code = peekVirtual(machine.core, domid, slot, start, lines * LONGEST);
  return disassemble(code, start - base, bitness, lines);
}
