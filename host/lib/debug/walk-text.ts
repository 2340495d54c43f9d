/** An EPT walk for people: one line for each level, then what it ends in. */

import { EPTE_SVE_BIT } from "../../../hv-core/abi/ept.ts";
import type { Core } from "../core.ts";
import type { DomId } from "../ids.ts";
import { translateGpa, type WalkStep } from "../inspect.ts";

/** Set in every empty slot of a table. */
const SUPPRESS_VE = 1n << BigInt(EPTE_SVE_BIT);
const NAMES: Readonly<Record<number, string>> = { 4: "PML4", 3: "PDPT", 2: "PD", 1: "PT" };
const SIZES: Readonly<Record<number, string>> = { 3: "1G page", 2: "2M page", 1: "4K page" };

/** Why the walk stops at its last step: a page, a hole, or an illegal entry. */
export function walkEnd(step: WalkStep | undefined): string {
  if (!step) return "no such domain";
  const e = step.decoded;
  const isEmpty = (step.entry & ~SUPPRESS_VE) === 0n;
  // An entry of zeroes is a hole: its type counts as mmio_dm (spec 01 section 1.5).
  if (isEmpty) return `EPT violation: nothing is mapped at level ${step.level}, p2m type mmio_dm (a hole)`;
  if (!e.isPresent)
    return `EPT violation: the entry at level ${step.level} gives no rights, p2m type ${e.type}, access ${e.access}`;
  if (e.isInvalidated) return `EPT misconfiguration at level ${step.level}: the entry's type is to be recalculated`;
  if (e.rights.startsWith("-w"))
    return `EPT misconfiguration at level ${step.level}: writable but not readable, p2m type ${e.type}, access ${e.access}`;
  if (step.level === 1 || e.leaf)
    return `${SIZES[step.level] ?? "page"}, p2m type ${e.type}, access ${e.access}, memory type ${e.emt}`;
  return "the walk stops in a table";
}

/** Every bit of an entry by name: rights stand elsewhere. */
function bitNames(step: WalkStep): string {
  const e = step.decoded;
  if (!e.isPresent && step.entry === 0n) return "";
  const isLeaf = e.leaf || step.level === 1;
  const names = [
    ...(isLeaf ? [e.type, e.access, `${e.emt}${e.ipat ? " ipat" : ""}`] : []),
    ...(!isLeaf && e.isInvalidated ? ["invalidated"] : []),
    ...(e.recalc ? ["recalc"] : []),
    ...(e.accessed ? ["A"] : []),
    ...(e.dirty ? ["D"] : []),
    ...(e.suppressVe ? ["sve"] : []),
  ];
  return names.length > 0 ? `  [${names.join(", ")}]` : "";
}

/** The steps as plain data: entries as hexadecimal text, since they have 64 bits. */
export function walkJson(steps: readonly WalkStep[]): readonly object[] {
  return steps.map(({ level, tableMfn, index, entry, decoded }) => ({
    level,
    table: tableMfn,
    index,
    entry: `0x${entry.toString(16).padStart(16, "0")}`,
    ...decoded,
  }));
}

export function walkText(core: Core, domid: DomId, gpa: number, steps: readonly WalkStep[]): string {
  const lines = [
    `gpa 0x${gpa.toString(16)} = gfn 0x${Math.floor(gpa / 4096).toString(16)} + 0x${(gpa % 4096).toString(16)}`,
  ];
  for (const s of steps) {
    const e = s.decoded;
    const target = !e.isPresent
      ? "not present"
      : `mfn 0x${e.mfn.toString(16)} ${e.rights}${e.leaf || s.level === 1 ? " leaf" : ""}`;
    const table = `mfn 0x${s.tableMfn.toString(16)}[${s.index}]`;
    lines.push(
      `  level ${s.level} ${(NAMES[s.level] ?? "").padEnd(4)} ${table.padEnd(18)} 0x${s.entry.toString(16).padStart(16, "0")}  ${target}${bitNames(s)}`,
    );
  }
  lines.push(`  => ${walkEnd(steps.at(-1))}`);
  const mfn = translateGpa(core, domid, gpa);
  if (mfn >= 0)
    lines.push(`  => machine address 0x${(mfn * 4096 + (gpa % 4096)).toString(16)} (mfn 0x${mfn.toString(16)})`);
  return `${lines.join("\n")}\n`;
}
