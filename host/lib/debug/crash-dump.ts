/** What to look at when a guest ended badly: registers, code at rip, the last exits, and the EPT walk of the last refused address. */
import { TRC_EXIT } from "../../../hv-core/abi/trace-events.ts";
import type { DomId } from "../ids.ts";
import { peekVirtual, REGISTER_NAMES, type Registers, vcpuNamer } from "../inspect.ts";
import type { Machine } from "../machine.ts";
import { readTrace } from "../trace/decode.ts";
import { traceLine } from "../trace/text.ts";
import { disassemble, formatLine } from "./disassemble.ts";
import { walkText } from "./walk-text.ts";

const hex16 = (n: bigint): string => n.toString(16).padStart(16, "0");

export function registersText(r: Registers): string {
  const lines: string[] = [];
  for (let i = 0; i < 16; i += 4)
    lines.push(
      REGISTER_NAMES.slice(i, i + 4)
        .map((name) => `${name.padEnd(3)} ${hex16(r.general[name])}`)
        .join("  "),
    );
  lines.push(
    `rip ${hex16(r.rip)}  rflags ${r.rflags.toString(16).padStart(8, "0")}  cpl ${r.cpl}  ${r.bitness}-bit code`,
  );
  lines.push(
    `cr0 ${hex16(r.cr0)}  cr2 ${hex16(r.cr2)}  cr3 ${hex16(r.cr3)}  cr4 ${hex16(r.cr4)}  efer ${r.efer.toString(16)}`,
  );
  const segment = (name: keyof Registers["segments"]): string => {
    const s = r.segments[name];
    return `${name} ${s.selector.toString(16).padStart(4, "0")} base ${s.base.toString(16)} limit ${s.limit.toString(16)} attr ${s.attr.toString(16)}`;
  };
  for (const pair of [
    ["cs", "ss"],
    ["ds", "es"],
    ["fs", "gs"],
    ["tr", "ldtr"],
  ] as const)
    lines.push(`${segment(pair[0])}   ${segment(pair[1])}`);
  return `${lines.join("\n")}\n`;
}

const LAST_EXITS = 12;
const CODE_LINES = 5;

/** The dump, some 40 lines for each vCPU. */
export function crashDump(machine: Machine, domid: DomId): string {
  const parts: string[] = [];
  const name = vcpuNamer(machine.core);
  for (const [id, slot] of machine.vcpus(domid).entries()) {
    const r = machine.regs(slot);
    parts.push(`--- domain ${domid} vCPU ${id}: last exit ${r.exitReason}\n${registersText(r)}`);
    const code = peekVirtual(machine.core, domid, slot, r.segments.cs.base + r.rip, CODE_LINES * 15);
    parts.push(
      code.length === 0
        ? "no code can be read at rip\n"
        : disassemble(code, r.rip, r.bitness, CODE_LINES)
            .map((l) => `${formatLine(l)}\n`)
            .join(""),
    );
    const exits = readTrace(machine.core, 4096).filter((t) => t.vcpu === slot && t.event === TRC_EXIT);
    parts.push(
      `last exits:\n${exits
        .slice(-LAST_EXITS)
        .map((t) => `${traceLine(t, name)}\n`)
        .join("")}`,
    );
    if (r.exitReason === "EPT_VIOLATION" || r.exitReason === "EPT_MISCONFIG") {
      const gpa = Number(r.exitGpa);
      parts.push(`EPT walk of the refused address:\n${walkText(machine.core, domid, gpa, machine.walk(domid, gpa))}`);
    }
  }
  return parts.join("");
}
