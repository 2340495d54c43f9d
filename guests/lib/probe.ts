/**
 * The shape of a probe guest: it prints one line per check, `name = result`, on the debug port, and powers off.
 *
 * test/oracle compares the lines with what a real Xen printed. So a probe prints nothing that depends on time, on the host or on earlier runs.
 */
import { asm } from "../asm/assembler.ts";
import { IMAGE_BASE, stack, start } from "./boot.ts";
import { hvmParamBlock, hypercall, hypercallPage, setUpHypercalls, sharedInfoPage, shutdown } from "./hypercall.ts";
import { hex, newline, print, say } from "./print.ts";

/** A 32-bit probe: set-up, the checks, power off, routines, data. */
export const probe32 = (checks: string, data = ""): string => asm`
        org ${IMAGE_BASE}
${start()}
main:
${setUpHypercalls()}
${checks}
${say("end = 0\n")}
${shutdown(32)}
${print(32)}
${data}
${hvmParamBlock()}
        align 8
arg:    zero 256                        ; argument structure of the check in hand
buffer: zero 2048
${hypercallPage()}
${sharedInfoPage()}
${stack()}
`;

/** Fills the argument structure: `{ "4:dd": 5 }` is `dword [arg+4] = 5`; everything else becomes zero. */
export type Fields = Readonly<Record<string, number | string>>;
const WORDS: Readonly<Record<string, string>> = { db: "byte", dw: "word", dd: "dword" };

export function setArg(fields: Fields): string {
  const stores = Object.entries(fields).map(([key, value]) => {
    const [offset, size] = key.split(":") as [string, string];
    return `        mov ${WORDS[size]} [arg+${offset}], ${value}`;
  });
  return asm`
        call clear_arg
${stores.join("\n")}`;
}

/** Needed once by probes that use `setArg`. */
export const clearArg = (): string => asm`
clear_arg: pushad
        mov edi, arg
        mov ecx, 256 / 4
        xor eax, eax
        rep stosd
        popad
        ret
`;

/** Prints `name = result` of one hypercall, then the dwords of `show` (memory operands); `then` is code that runs before printing. */
export const check = (
  name: string,
  number: number,
  args: readonly (number | string)[],
  show: readonly string[] = [],
  then = "",
): string => asm`
${hypercall(32, number, ...args)}
${then}
${say(`${name} = `)}${hex("eax")}
${show.map((s) => say(" ") + hex(s)).join("\n")}
${newline()}`;
