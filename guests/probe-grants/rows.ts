/** The words of the rows: an entry, a structure, an operation, a look at memory. 32-bit layouts (spec 08 section 8.6). */
import * as grant from "../../hv-core/abi/grant.ts";
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { hex, newline, say } from "../lib/print.ts";
import { check, type Fields, setArg } from "../lib/probe.ts";

/** gfns above the guest's RAM: where the table, the status frames and mappings appear. */
export const TABLE_GFN = 0x8000;
export const STATUS_GFN = 0x8010;
export const MAP_GFN = 0x8100;
export const TABLE = TABLE_GFN * 4096;
export const STATUS = STATUS_GFN * 4096;
/** Pages of RAM that are granted, and one that is mapped over. */
export const PAGE = 0x1000;
export const ABSENT = 4000;
export const NOWHERE = 0xf0000000;
export const SELF: number = hc.DOMID_SELF;
/** Our own number: an operand, not a constant. */
export const ME = "me";

export const op = (name: string, command: number, fields: Fields, show: string[] = [], count = 1, then = "") => asm`
${setArg(fields)}
${check(`grant_table_op ${name}`, hc.HC_GRANT_TABLE_OP, [command, "arg", count], show, then)}`;

export const bare = (name: string, command: number, count: number | string, arg: number | string = NOWHERE) =>
  check(`grant_table_op ${name}`, hc.HC_GRANT_TABLE_OP, [command, arg, count]);

/** A domid field: DOMID_SELF and others as they are, our own number from where CPUID left it. */
const setDomid = (offset: number, domid: number | typeof ME): string =>
  domid === ME
    ? asm`
        mov eax, [own_number]
        mov word [arg+${offset}], ax`
    : asm`
        mov word [arg+${offset}], ${domid}`;

/** Entry of version 1: flags and frame, granted to ourselves or to domain 1234. */
export const entry1 = (ref: number, flags: number, frame: number, toUs = true): string => asm`
        mov dword [${TABLE + ref * 8 + 4}], ${frame}
        mov eax, [own_number]
${toUs ? "" : "        mov eax, 1234"}
        shl eax, 16
        or eax, ${flags}
        mov [${TABLE + ref * 8}], eax`;

/** Entry of version 2: flags, the word behind the domid, and the frame or reference. */
export const entry2 = (ref: number, flags: number, word: number | typeof ME, last: number): string => asm`
        mov eax, ${word === ME ? "[own_number]" : word}
        mov [${TABLE + ref * 16 + 4}], eax
        mov dword [${TABLE + ref * 16 + 8}], ${last}
        mov dword [${TABLE + ref * 16 + 12}], 0
        mov eax, [own_number]
        shl eax, 16
        or eax, ${flags}
        mov [${TABLE + ref * 16}], eax`;

const status16 = (offset: number): string => asm`
        movsx ebx, word [arg+${offset}]
        mov [shown], ebx`;

interface Map {
  readonly at?: number;
  readonly high?: number;
  readonly flags: number;
  readonly ref: number;
  readonly domid?: number | typeof ME;
}

/** Result of the call, status, and the handle when it is one. */
export const map = (name: string, { at = MAP_GFN * 4096, high = 0, flags, ref, domid = ME }: Map) => asm`
${setArg({ "0:dd": at, "4:dd": high, "8:dd": flags, "12:dd": ref, "20:dd": -1 })}
${setDomid(16, domid)}
${check(`grant_table_op map ${name}`, hc.HC_GRANT_TABLE_OP, [grant.GNTTABOP_MAP_GRANT_REF, "arg", 1], ["[shown]", "[arg+20]"], status16(18))}`;

export const unmap = (name: string, handle: number, at: number = MAP_GFN * 4096) => asm`
${setArg({ "0:dd": at, "16:dd": handle })}
${check(`grant_table_op unmap ${name}`, hc.HC_GRANT_TABLE_OP, [grant.GNTTABOP_UNMAP_GRANT_REF, "arg", 1], ["[shown]"], status16(20))}`;

export interface Side {
  readonly name: number;
  readonly domid?: number | typeof ME;
  readonly offset?: number;
}

/** Bit 0 of `flags`: the source is a reference; bit 1: the destination. */
export const copy = (name: string, source: Side, dest: Side, length: number, flags: number) => asm`
${setArg({ "0:dd": source.name, "6:dw": source.offset ?? 0, "8:dd": dest.name, "14:dw": dest.offset ?? 0, "16:dw": length, "18:dw": flags })}
${setDomid(4, source.domid ?? SELF)}
${setDomid(12, dest.domid ?? SELF)}
${check(`grant_table_op copy ${name}`, hc.HC_GRANT_TABLE_OP, [grant.GNTTABOP_COPY, "arg", 1], ["[shown]"], status16(20))}`;

export const swap = (a: number, b: number) => asm`
${setArg({ "0:dd": a, "4:dd": b })}
${check(`grant_table_op swap ${a} ${b}`, hc.HC_GRANT_TABLE_OP, [grant.GNTTABOP_SWAP_GRANT_REF, "arg", 1], ["[shown]"], status16(8))}`;

export const setVersion = (version: number) =>
  op(`set_version ${version}`, grant.GNTTABOP_SET_VERSION, { "0:dd": version }, ["[arg]"]);

/** Prints a dword of memory: what is there now. */
export const peek = (name: string, address: number): string => asm`
${say(`read ${name} = `)}
        mov eax, [${address}]
${hex("eax")}
${newline()}`;

/** The flags of an entry, without the domid beside them. */
export const flagsOf = (name: string, address: number): string => asm`
${say(`flags ${name} = `)}
        movzx eax, word [${address}]
${hex("eax")}
${newline()}`;

export const poke = (address: number, value: number): string => asm`
        mov dword [${address}], ${value}`;

/** add_to_physmap of a frame of the table. */
export const addFrame = (name: string, index: number, gfn: number) => asm`
${setArg({ "0:dw": SELF, "4:dd": hc.XENMAPSPACE_GRANT_TABLE, "8:dd": index, "12:dd": gfn })}
${check(`add_to_physmap ${name}`, hc.HC_MEMORY_OP, [hc.XENMEM_ADD_TO_PHYSMAP, "arg"])}`;

export const variables = (): string => asm`
        align 4
shown:  dd 0
own_number: dd -1`;

export const findOwnNumber = (): string => asm`
        mov eax, 0x40000004
        xor ecx, ecx
        cpuid
        mov [own_number], ecx`;
