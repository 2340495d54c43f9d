/** Checks of memory_op: what a guest may do to its own physical memory. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { hex, newline, say } from "../lib/print.ts";
import { check, type Fields, setArg } from "../lib/probe.ts";

const NOWHERE = 0xf0000000;
const SELF = hc.DOMID_SELF;

const memory = (name: string, command: number, fields: Fields, show: string[] = []) => asm`
${setArg(fields)}
${check(`memory_op ${name}`, hc.HC_MEMORY_OP, [command, "arg"], show)}`;

/** add_to_physmap, 32-bit layout: domid u16, size u16, space u32, idx u32, gfn u32 */
const add = (name: string, space: number, idx: number | string, gfn: number, domid: number = SELF) =>
  memory(`add_to_physmap ${name}`, hc.XENMEM_ADD_TO_PHYSMAP, {
    "0:dw": domid,
    "4:dd": space,
    "8:dd": idx,
    "12:dd": gfn,
  });

/** reservation, 32-bit layout: extent_start, nr_extents, extent_order, mem_flags, domid */
const reservation = (
  name: string,
  command: number,
  list: string | number,
  count: number,
  order: number,
  flags = 0,
  domid: number = SELF,
) => memory(name, command, { "0:dd": list, "4:dd": count, "8:dd": order, "12:dd": flags, "16:dw": domid });

const self = (name: string, command: number) => memory(name, command, { "0:dw": SELF });
const other = (name: string, command: number) => memory(`${name} of dom0`, command, { "0:dw": 0 });

/** Reads one dword of a guest page: what is behind the address now? */
const peek = (name: string, address: number): string => asm`
${say(`read ${name} = `)}
        mov eax, [${address}]
${hex("eax")}
${newline()}`;
const poke = (address: number, value: number): string => asm`
        mov dword [${address}], ${value}`;

const map = (): string => asm`
        mov dword [map_arg], 16
        mov dword [map_arg+4], buffer
${check("memory_op memory_map", hc.HC_MEMORY_OP, [hc.XENMEM_MEMORY_MAP, "map_arg"], ["[map_arg]"])}
${Array.from({ length: 5 }, (_, i) => mapEntry(i)).join("\n")}
        mov dword [map_arg], 1
        mov dword [map_arg+4], buffer
${check("memory_op memory_map for one", hc.HC_MEMORY_OP, [hc.XENMEM_MEMORY_MAP, "map_arg"], ["[map_arg]"])}
        mov dword [map_arg], 0
${check("memory_op memory_map for none", hc.HC_MEMORY_OP, [hc.XENMEM_MEMORY_MAP, "map_arg"], ["[map_arg]"])}
        mov dword [map_arg], 16
        mov dword [map_arg+4], ${NOWHERE}
${check("memory_op memory_map buffer nowhere", hc.HC_MEMORY_OP, [hc.XENMEM_MEMORY_MAP, "map_arg"])}
${check("memory_op machine_memory_map", hc.HC_MEMORY_OP, [10, "map_arg"])}
`;
const mapEntry = (i: number): string => asm`
${say(`memory_map ${i} = `)}${[4, 0, 12, 8, 16].map((o) => `${hex(`[buffer+${20 * i + o}]`)}${say(" ")}`).join("\n")}
${newline()}`;

const FREE = 0x2000; // a gfn in the middle of RAM (address 0x2000000)
const OTHER = 0x2001;

const physmap = (): string => asm`
${poke(0x2000000, 0x11110000)}
${poke(0x2001000, 0x22220000)}
${add("shared_info idx 1", hc.XENMAPSPACE_SHARED_INFO, 1, FREE)}
${add("shared_info at -1", hc.XENMAPSPACE_SHARED_INFO, 0, -1)}
${add("shared_info beyond the guest's addresses", hc.XENMAPSPACE_SHARED_INFO, 0, 0x10000000)}
${add("shared_info of dom0", hc.XENMAPSPACE_SHARED_INFO, 0, FREE, 0)}
${add("shared_info of absent", hc.XENMAPSPACE_SHARED_INFO, 0, FREE, 4000)}
${add("shared_info moves", hc.XENMAPSPACE_SHARED_INFO, 0, FREE)}
${peek("the page shared_info took", 0x2000000)}
${peek("where shared_info was", 0x2001000)}
${add("shared_info moves back", hc.XENMAPSPACE_SHARED_INFO, 0, 0x2002)}
${peek("where shared_info was", 0x2000000)}
${add("gmfn 2001 to 2003", hc.XENMAPSPACE_GMFN, OTHER, 0x2003)}
${peek("2001 after the move", 0x2001000)}
${peek("2003 after the move", 0x2003000)}
${add("gmfn of a hole", hc.XENMAPSPACE_GMFN, OTHER, 0x2004)}
${add("gmfn onto itself", hc.XENMAPSPACE_GMFN, 0x2003, 0x2003)}
${peek("2003 onto itself", 0x2003000)}
${add("gmfn_range", hc.XENMAPSPACE_GMFN_RANGE, 0x2003, 0x2005)}
${add("gmfn_foreign without batch", hc.XENMAPSPACE_GMFN_FOREIGN, 0x2003, 0x2005)}
${add("dev_mmio", hc.XENMAPSPACE_DEV_MMIO, 0x2003, 0x2005)}
${add("space 6", 6, 0, 0x2005)}
${add("space 99", 99, 0, 0x2005)}
${check("memory_op add_to_physmap nowhere", hc.HC_MEMORY_OP, [hc.XENMEM_ADD_TO_PHYSMAP, NOWHERE])}
${memory("remove_from_physmap 2006", hc.XENMEM_REMOVE_FROM_PHYSMAP, { "0:dw": SELF, "4:dd": 0x2006 })}
${peek("2006 after the removal", 0x2006000)}
${memory("remove_from_physmap 2006 again", hc.XENMEM_REMOVE_FROM_PHYSMAP, { "0:dw": SELF, "4:dd": 0x2006 })}
${memory("remove_from_physmap of dom0", hc.XENMEM_REMOVE_FROM_PHYSMAP, { "0:dw": 0, "4:dd": 0x2006 })}
${memory("remove_from_physmap of absent", hc.XENMEM_REMOVE_FROM_PHYSMAP, { "0:dw": 4000, "4:dd": 0x2006 })}`;

const balloon = (): string => asm`
${poke(0x2010000, 0x33330000)}
${reservation("decrease one", hc.XENMEM_DECREASE_RESERVATION, "gfn_2010", 1, 0)}
${peek("2010 after decrease", 0x2010000)}
${reservation("decrease it again", hc.XENMEM_DECREASE_RESERVATION, "gfn_2010", 1, 0)}
${self("current_reservation", hc.XENMEM_CURRENT_RESERVATION)}
${reservation("populate one", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 1, 0)}
${reservation("populate over memory", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 1, 0)}
${reservation("decrease three, the second a hole", hc.XENMEM_DECREASE_RESERVATION, "gfns", 3, 0)}
${reservation("decrease 512 at once", hc.XENMEM_DECREASE_RESERVATION, "gfn_2200", 1, 9)}
${self("current_reservation less 512", hc.XENMEM_CURRENT_RESERVATION)}
${reservation("populate 512 at once", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2200", 1, 9)}
${reservation("populate order 20", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2200", 1, 20)}
${reservation("populate order 40", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2200", 1, 40)}
${reservation("populate none", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 0, 0)}
${reservation("populate -1 extents", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", -1, 0)}
${reservation("populate on demand", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 1, 0, 0x10000)}
${reservation("populate list nowhere", hc.XENMEM_POPULATE_PHYSMAP, NOWHERE, 1, 0)}
${reservation("decrease list nowhere", hc.XENMEM_DECREASE_RESERVATION, NOWHERE, 1, 0)}
${reservation("populate dom0", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 1, 0, 0, 0)}
${reservation("populate absent", hc.XENMEM_POPULATE_PHYSMAP, "gfn_2010", 1, 0, 0, 4000)}
${reservation("increase", hc.XENMEM_INCREASE_RESERVATION, 0, 1, 0)}
${check("memory_op populate nowhere", hc.HC_MEMORY_OP, [hc.XENMEM_POPULATE_PHYSMAP, NOWHERE])}
        jmp memory_done
gfn_2010: dd 0x2010
gfn_2200: dd 0x2200
gfns:   dd 0x2020, 0x2006, 0x2022
        align 8
map_arg: dd 0, 0
memory_done:`;

const numbers = (): string => asm`
${self("maximum_reservation", hc.XENMEM_MAXIMUM_RESERVATION)}
${self("maximum_gpfn", hc.XENMEM_MAXIMUM_GPFN)}
${other("current_reservation", hc.XENMEM_CURRENT_RESERVATION)}
${other("maximum_gpfn", hc.XENMEM_MAXIMUM_GPFN)}
${memory("current_reservation of absent", hc.XENMEM_CURRENT_RESERVATION, { "0:dw": 4000 })}
${check("memory_op current_reservation nowhere", hc.HC_MEMORY_OP, [hc.XENMEM_CURRENT_RESERVATION, NOWHERE])}
${[5, 8, 12, 13, 16, 17, 18, 19, 22, 24, 25, 26, 27, 29, 30, 63].map((n) => memory(`command ${n}`, n, { "0:dw": SELF })).join("\n")}
${[11, 20, 21, 23, 28].map((n) => check(`memory_op command ${n} nowhere`, hc.HC_MEMORY_OP, [n, NOWHERE])).join("\n")}`;

export const memoryChecks = (): string => asm`
${physmap()}
${balloon()}
${map()}
${numbers()}
`;
