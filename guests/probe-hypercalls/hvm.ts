/** Checks of hvm_op: parameters, upcall vector, and the sub-operations that are gone. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { check, setArg } from "../lib/probe.ts";

const NOWHERE = 0xf0000000;

const hvm = (name: string, command: number, arg: number | string, show: string[] = []) =>
  check(`hvm_op ${name}`, hc.HC_HVM_OP, [command, arg], show);

const get = (index: number, domid: number = hc.DOMID_SELF, who = "") => asm`
${setArg({ "0:dw": domid, "4:dd": index, "8:dd": 0x55555555, "12:dd": 0x66666666 })}
${hvm(`get_param${who} ${index}`, hc.HVMOP_GET_PARAM, "arg", ["[arg+12]", "[arg+8]"])}`;

const set = (
  index: number,
  low: number | string,
  high: number | string = 0,
  domid: number = hc.DOMID_SELF,
  who = "",
) => asm`
${setArg({ "0:dw": domid, "4:dd": index, "8:dd": low, "12:dd": high })}
${hvm(`set_param${who} ${index} to ${high} ${low}`, hc.HVMOP_SET_PARAM, "arg")}`;

const vector = (vcpu: number, number: number) => asm`
${setArg({ "0:dd": vcpu, "4:db": number })}
${hvm(`upcall vector of vcpu ${vcpu} to ${number}`, hc.HVMOP_SET_EVTCHN_UPCALL_VECTOR, "arg")}`;

const indices = Array.from({ length: 42 }, (_, i) => i);
const memType = (gfn: number, domid: number = hc.DOMID_SELF) => asm`
${setArg({ "0:dw": domid, "8:dd": gfn })}
${hvm(`get_mem_type ${gfn}${domid === hc.DOMID_SELF ? "" : " other"}`, hc.HVMOP_GET_MEM_TYPE, "arg", ["[arg+2]"])}`;

export const hvmChecks = (): string => asm`
${indices.map((i) => get(i)).join("\n")}
${get(1, 0, " of dom0")}
${get(1, 4000, " of absent")}
${get(1, hc.DOMID_XEN, " of DOMID_XEN")}
${hvm("get_param nowhere", hc.HVMOP_GET_PARAM, NOWHERE)}
${hvm("set_param nowhere", hc.HVMOP_SET_PARAM, NOWHERE)}
${set(0, 0)}
${set(1, 5)}
${set(2, 5)}
${get(2)}
${set(2, 1)}
${set(3, 0)}
${set(4, 0)}
${set(5, 0)}
${set(12, 0)}
${set(17, 0)}
${set(18, 2)}
${set(19, 0)}
${set(19, 5)}
${set(27, 0)}
${set(31, 1)}
${set(32, 0)}
${set(35, 0)}
${set(36, 3)}
${set(36, 0)}
${set(39, 0)}
${set(1, 5, 0, 0, " of dom0")}
${set(0, 0xf3, 0x02000000)}
${get(0)}
${set(0, 0x0f, 0x02000000)}
${set(0, 0x01, 0x01000000)}
${set(0, 0, 0x7f000000)}
${get(0)}
${set(0, 0)}
${vector(0, 0x0f)}
${vector(0, 0x10)}
${vector(0, 0x40)}
${vector(1, 0x40)}
${vector(5, 0x0f)}
${hvm("upcall vector nowhere", hc.HVMOP_SET_EVTCHN_UPCALL_VECTOR, NOWHERE)}
${memType(0)}
${memType(0x100)}
${memType(0xf0000)}
${memType(0xfee00)}
${memType(0xfefff)}
${memType(0, 0)}
${hvm("get_mem_type nowhere", hc.HVMOP_GET_MEM_TYPE, NOWHERE)}
${hvm("flush_tlbs", hc.HVMOP_FLUSH_TLBS, 0)}
${hvm("flush_tlbs with argument", hc.HVMOP_FLUSH_TLBS, "arg")}
${hvm("get_time", hc.HVMOP_GET_TIME, "arg")}
${hvm("get_time nowhere", hc.HVMOP_GET_TIME, NOWHERE)}
${[2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 27, 99].map((n) => hvm(`command ${n} nowhere`, n, NOWHERE)).join("\n")}
`;
