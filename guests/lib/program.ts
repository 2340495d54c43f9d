/**
 * The frame of a 32-bit toy guest: entry, hypercall page, body, power off, routines, data. A guest's own file is then only its subject.
 *
 * Read next: boot.ts (entry), hypercall.ts, print.ts.
 */
import { asm } from "../asm/assembler.ts";
import { IMAGE_BASE, stack, start } from "./boot.ts";
import { hvmParamBlock, hypercallPage, setUpHypercalls, shutdown } from "./hypercall.ts";
import { print } from "./print.ts";

/** @param body code after the set-up; falls through into power off
 *  @param data routines and data of the guest */
export const program32 = (body: string, data = ""): string => asm`
        org ${IMAGE_BASE}
${start()}
main:
${setUpHypercalls()}
${body}
${shutdown(32)}
${print(32)}
${data}
${hvmParamBlock()}
${hypercallPage()}
${stack()}
`;
