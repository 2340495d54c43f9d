/** Checks of vcpu_op, sched_op and set_timer_op on a guest with one vCPU. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { check, setArg } from "../lib/probe.ts";

const NOWHERE = 0xf0000000;

const vcpu = (name: string, command: number, id: number, arg: number | string, show: string[] = []) =>
  check(`vcpu_op ${name}`, hc.HC_VCPU_OP, [command, id, arg], show);
const sched = (name: string, command: number, arg: number | string) =>
  check(`sched_op ${name}`, hc.HC_SCHED_OP, [command, arg]);
const timer = (name: string, low: number, high: number) =>
  check(`set_timer_op ${name}`, hc.HC_SET_TIMER_OP, [low, high]);

/** register_vcpu_info: u64 mfn, u32 offset, u32 reserved. */
const registerInfo = (name: string, gfn: number | string, offset: number) => asm`
${setArg({ "0:dd": gfn, "8:dd": offset })}
${vcpu(`register vcpu_info ${name}`, hc.VCPUOP_REGISTER_VCPU_INFO, 0, "arg")}`;

/** poll: handle, u32 ports, u64 timeout (32-bit layout: 4, 4, 8). */
const poll = (name: string, ports: number | string, count: number, timeoutLow: number) => asm`
${setArg({ "0:dd": ports, "4:dd": count, "8:dd": timeoutLow })}
${sched(`poll ${name}`, hc.SCHEDOP_POLL, "arg")}`;

export const vcpuAndSchedChecks = (): string => asm`
${vcpu("is_up 0", hc.VCPUOP_IS_UP, 0, 0)}
${vcpu("is_up 1", hc.VCPUOP_IS_UP, 1, 0)}
${vcpu("is_up 200", hc.VCPUOP_IS_UP, 200, 0)}
${setArg({ "0:dd": 0 })}
${vcpu("initialise self", hc.VCPUOP_INITIALISE, 0, "arg")}
${vcpu("initialise nowhere", hc.VCPUOP_INITIALISE, 0, NOWHERE)}
${vcpu("initialise 1", hc.VCPUOP_INITIALISE, 1, "arg")}
${vcpu("up self", hc.VCPUOP_UP, 0, 0)}
${vcpu("up 1", hc.VCPUOP_UP, 1, 0)}
${setArg({ "0:dd": 0xeeeeeeee })}
${vcpu("runstate", hc.VCPUOP_GET_RUNSTATE_INFO, 0, "arg", ["[arg]"])}
${vcpu("runstate nowhere", hc.VCPUOP_GET_RUNSTATE_INFO, 0, NOWHERE)}
${vcpu("register runstate nowhere", hc.VCPUOP_REGISTER_RUNSTATE_AREA, 0, NOWHERE)}
${setArg({ "0:dd": 1000 })}
${vcpu("periodic 1 us", hc.VCPUOP_SET_PERIODIC_TIMER, 0, "arg")}
${vcpu("periodic nowhere", hc.VCPUOP_SET_PERIODIC_TIMER, 0, NOWHERE)}
${vcpu("stop periodic", hc.VCPUOP_STOP_PERIODIC_TIMER, 0, 0)}
${setArg({ "0:dd": 0, "4:dd": 0x1000 })}
${vcpu("single shot", hc.VCPUOP_SET_SINGLESHOT_TIMER, 0, "arg")}
${vcpu("single shot nowhere", hc.VCPUOP_SET_SINGLESHOT_TIMER, 0, NOWHERE)}
${vcpu("single shot 1", hc.VCPUOP_SET_SINGLESHOT_TIMER, 1, "arg")}
${setArg({ "0:dd": 1, "8:dd": 1 })}
${vcpu("single shot in the past, future only", hc.VCPUOP_SET_SINGLESHOT_TIMER, 0, "arg")}
${vcpu("stop single shot", hc.VCPUOP_STOP_SINGLESHOT_TIMER, 0, 0)}
${registerInfo("misaligned", "buffer >> 12", 2)}
${registerInfo("crossing", "buffer >> 12", 4096 - 8)}
${registerInfo("offset beyond", "buffer >> 12", 4096)}
${registerInfo("no memory", 0xf0000, 0)}
${vcpu("register vcpu_info nowhere", hc.VCPUOP_REGISTER_VCPU_INFO, 0, NOWHERE)}
${vcpu("register vcpu_info 1", hc.VCPUOP_REGISTER_VCPU_INFO, 1, "arg")}
${vcpu("command 12", 12, 0, "arg")}
${vcpu("command 13", 13, 0, NOWHERE)}
${vcpu("command 14", 14, 0, "arg")}
${vcpu("command 99", 99, 0, "arg")}
${vcpu("down 1", hc.VCPUOP_DOWN, 1, 0)}
${sched("yield", hc.SCHEDOP_YIELD, 0)}
${sched("shutdown nowhere", hc.SCHEDOP_SHUTDOWN, NOWHERE)}
${poll("nothing, in the past", 0, 0, 1)}
${poll("port 0", "port_zero", 1, 1)}
${poll("port 900", "port_high", 1, 1)}
${poll("port 5000", "port_beyond", 1, 1)}
${poll("129 ports", "port_zero", 129, 1)}
${poll("ports nowhere", NOWHERE, 1, 1)}
${sched("poll nowhere", hc.SCHEDOP_POLL, NOWHERE)}
${setArg({ "0:dw": hc.DOMID_SELF, "4:dd": 0 })}
${sched("remote shutdown self", hc.SCHEDOP_REMOTE_SHUTDOWN, "arg")}
${setArg({ "0:dw": 0, "4:dd": 0 })}
${sched("remote shutdown dom0", hc.SCHEDOP_REMOTE_SHUTDOWN, "arg")}
${setArg({ "0:dw": 4000, "4:dd": 0 })}
${sched("remote shutdown absent", hc.SCHEDOP_REMOTE_SHUTDOWN, "arg")}
${sched("remote shutdown nowhere", hc.SCHEDOP_REMOTE_SHUTDOWN, NOWHERE)}
${setArg({ "0:dd": 3, "4:dd": 100 })}
${sched("watchdog 3", 6, "arg")}
${setArg({ "0:dd": 1, "4:dd": 0 })}
${sched("watchdog 1 stop", 6, "arg")}
${setArg({ "0:dd": 0, "4:dd": 1000 })}
${sched("watchdog new", 6, "arg")}
${setArg({ "0:dd": 1, "4:dd": 0 })}
${sched("watchdog 1 off", 6, "arg")}
${sched("pin override", 7, "arg")}
${sched("command 8", 8, "arg")}
${sched("command -1", -1, "arg")}
${timer("cancel", 0, 0)}
${timer("far", 0, 0x1000)}
${timer("cancel again", 0, 0)}
        jmp vcpu_sched_done
port_zero: dd 0
port_high: dd 900
port_beyond: dd 5000
vcpu_sched_done:
`;
