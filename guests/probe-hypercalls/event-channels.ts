/** Checks of event_channel_op (2-level) and of what it does to the shared-info page. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { mapSharedInfo } from "../lib/hypercall.ts";
import { hex, newline, say } from "../lib/print.ts";
import { check, type Fields, setArg } from "../lib/probe.ts";

const NOWHERE = 0xf0000000;
const SELF = hc.DOMID_SELF;

const event = (name: string, command: number, fields: Fields, show: string[] = [], then = "") => asm`
${setArg(fields)}
${check(`event_channel_op ${name}`, hc.HC_EVENT_CHANNEL_OP, [command, "arg"], show, then)}`;

const bad = (name: string, command: number) =>
  check(`event_channel_op ${name} nowhere`, hc.HC_EVENT_CHANNEL_OP, [command, NOWHERE]);

/** Result, status, vcpu, and the first word of the union: the other domain (our own number becomes DOMID_SELF) or the VIRQ. */
const status = (port: number, more: string[] = []) =>
  event(
    `status ${port}`,
    hc.EVTCHNOP_STATUS,
    { "0:dw": SELF, "4:dd": port },
    ["[arg+8]", "[arg+12]", "[arg+16]", ...more],
    "        call hide_own_number",
  );
/** Also the port at the other end, for channels whose other end is ours. */
const statusOfLoop = (port: number) => status(port, ["[arg+20]"]);

/** The number of a domain depends on how many there were before; it must not be printed. */
const hideOwnNumber = (): string => asm`
        jmp own_number_known
hide_own_number:
        push eax
        cmp dword [arg+8], ${hc.EVTCHNSTAT_INTERDOMAIN}
        ja .other                       ; not an unbound or interdomain channel
        mov eax, [own_number]
        cmp eax, [arg+16]
        jne .other
        mov dword [arg+16], ${SELF}
.other: pop eax
        ret
own_number: dd -1
own_number_known:
        mov eax, 0x40000004
        xor ecx, ecx
        cpuid
        mov [own_number], ecx`;

/** vcpu_info 0 (upcall pending, selector), first pending and mask words: 32-bit layout */
const shared = (when: string) => asm`
${say(`shared_info ${when} = `)}${hex("[shared_info]")}
${say(" ")}${hex("[shared_info+4]")}
${say(" ")}${hex("[shared_info+2048]")}
${say(" ")}${hex("[shared_info+2176]")}
${newline()}`;

const clearPending = (): string => asm`
        mov dword [shared_info], 0
        mov dword [shared_info+4], 0
        mov dword [shared_info+2048], 0`;

const virq = (name: string, number: number, vcpu: number) =>
  event(`bind virq ${name}`, hc.EVTCHNOP_BIND_VIRQ, { "0:dd": number, "4:dd": vcpu }, ["[arg+8]"]);

const portOp = (name: string, command: number, port: number) => event(`${name} ${port}`, command, { "0:dd": port });

const binding = (): string => asm`
${status(0)}
${status(1)}
${status(2)}
${status(3)}
${status(5000)}
${event("status of dom0", hc.EVTCHNOP_STATUS, { "0:dw": 0, "4:dd": 1 })}
${event("status of absent", hc.EVTCHNOP_STATUS, { "0:dw": 4000, "4:dd": 1 })}
${bad("status", hc.EVTCHNOP_STATUS)}
${event("alloc unbound self self", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": SELF, "2:dw": SELF }, ["[arg+4]"])}
${status(3)}
${event("alloc unbound self dom0", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": SELF, "2:dw": 0 }, ["[arg+4]"])}
${status(4)}
${event("alloc unbound self absent", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": SELF, "2:dw": 4000 }, ["[arg+4]"])}
${event("alloc unbound dom0", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": 0, "2:dw": SELF }, ["[arg+4]"])}
${event("alloc unbound absent", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": 4000, "2:dw": SELF }, ["[arg+4]"])}
${bad("alloc unbound", hc.EVTCHNOP_ALLOC_UNBOUND)}
${portOp("send unbound", hc.EVTCHNOP_SEND, 3)}
${event("bind interdomain self 3", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": SELF, "4:dd": 3 }, ["[arg+8]"])}
${shared("after bind")}
${statusOfLoop(3)}
${statusOfLoop(6)}
${event("bind interdomain again", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": SELF, "4:dd": 3 }, ["[arg+8]"])}
${event("bind interdomain not mine", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": SELF, "4:dd": 4 }, ["[arg+8]"])}
${event("bind interdomain dom0 port 9", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": 0, "4:dd": 3000 }, ["[arg+8]"])}
${event("bind interdomain absent", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": 4000, "4:dd": 3 }, ["[arg+8]"])}
${event("bind interdomain port 0", hc.EVTCHNOP_BIND_INTERDOMAIN, { "0:dw": SELF, "4:dd": 0 }, ["[arg+8]"])}`;

const sending = (): string => asm`
${clearPending()}
${portOp("send", hc.EVTCHNOP_SEND, 3)}
${shared("after send 3")}
${portOp("send", hc.EVTCHNOP_SEND, 3)}
${shared("after send 3 again")}
${clearPending()}
        mov dword [shared_info+2176], 1 << 6      ; mask port 6
${portOp("send masked", hc.EVTCHNOP_SEND, 3)}
${shared("after masked send")}
${portOp("unmask", hc.EVTCHNOP_UNMASK, 6)}
${shared("after unmask")}
${clearPending()}
${portOp("unmask nothing pending", hc.EVTCHNOP_UNMASK, 6)}
${shared("after empty unmask")}
${portOp("send", hc.EVTCHNOP_SEND, 0)}
${portOp("send", hc.EVTCHNOP_SEND, 100)}
${portOp("send", hc.EVTCHNOP_SEND, 1023)}
${portOp("send", hc.EVTCHNOP_SEND, 1024)}
${portOp("send", hc.EVTCHNOP_SEND, -1)}
${bad("send", hc.EVTCHNOP_SEND)}
${portOp("unmask", hc.EVTCHNOP_UNMASK, 100)}
${portOp("unmask", hc.EVTCHNOP_UNMASK, 5000)}`;

const others = (): string => asm`
${virq("timer", hc.VIRQ_TIMER, 0)}
${virq("timer again", hc.VIRQ_TIMER, 0)}
${virq("timer on vcpu 1", hc.VIRQ_TIMER, 1)}
${virq("debug", hc.VIRQ_DEBUG, 0)}
${virq("console", hc.VIRQ_CONSOLE, 0)}
${virq("dom_exc on vcpu 1", hc.VIRQ_DOM_EXC, 1)}
${virq("dom_exc", hc.VIRQ_DOM_EXC, 0)}
${virq("16", 16, 0)}
${virq("24", 24, 0)}
${virq("-1", -1, 0)}
${status(7)}
${status(8)}
${portOp("send to a virq", hc.EVTCHNOP_SEND, 7)}
${event("bind ipi", hc.EVTCHNOP_BIND_IPI, { "0:dd": 0 }, ["[arg+4]"])}
${event("bind ipi vcpu 1", hc.EVTCHNOP_BIND_IPI, { "0:dd": 1 }, ["[arg+4]"])}
${event("bind vcpu", hc.EVTCHNOP_BIND_VCPU, { "0:dd": 3, "4:dd": 0 })}
${event("bind vcpu 1", hc.EVTCHNOP_BIND_VCPU, { "0:dd": 3, "4:dd": 1 })}
${event("bind vcpu of a timer", hc.EVTCHNOP_BIND_VCPU, { "0:dd": 7, "4:dd": 0 })}
${event("bind vcpu of port 100", hc.EVTCHNOP_BIND_VCPU, { "0:dd": 100, "4:dd": 0 })}
${event("bind pirq 3", hc.EVTCHNOP_BIND_PIRQ, { "0:dd": 3, "4:dd": 0 }, ["[arg+8]"])}
${event("bind pirq 5000", hc.EVTCHNOP_BIND_PIRQ, { "0:dd": 5000, "4:dd": 0 }, ["[arg+8]"])}
${portOp("close", hc.EVTCHNOP_CLOSE, 6)}
${status(6)}
${status(3)}
${portOp("send", hc.EVTCHNOP_SEND, 3)}
${portOp("close", hc.EVTCHNOP_CLOSE, 6)}
${portOp("close", hc.EVTCHNOP_CLOSE, 0)}
${portOp("close", hc.EVTCHNOP_CLOSE, 5000)}
${portOp("close", hc.EVTCHNOP_CLOSE, 7)}
${status(7)}
${virq("timer after close", hc.VIRQ_TIMER, 0)}
${event("alloc unbound takes the lowest", hc.EVTCHNOP_ALLOC_UNBOUND, { "0:dw": SELF, "2:dw": 0 }, ["[arg+4]"])}
${event("expand array without control", hc.EVTCHNOP_EXPAND_ARRAY, { "0:dd": 16 })}
${event("init control bad gfn", hc.EVTCHNOP_INIT_CONTROL, { "0:dd": 0xf0000, "8:dd": 0, "12:dd": 0 })}
${event("init control vcpu 1", hc.EVTCHNOP_INIT_CONTROL, { "0:dd": 0xf0000, "8:dd": 0, "12:dd": 1 })}
${event("init control misaligned", hc.EVTCHNOP_INIT_CONTROL, { "0:dd": 0x300, "8:dd": 4, "12:dd": 0 })}
${event("set priority", hc.EVTCHNOP_SET_PRIORITY, { "0:dd": 3, "4:dd": 7 })}
${event("set priority 16", hc.EVTCHNOP_SET_PRIORITY, { "0:dd": 3, "4:dd": 16 })}
${event("reset dom0", hc.EVTCHNOP_RESET, { "0:dw": 0 })}
${event("reset absent", hc.EVTCHNOP_RESET, { "0:dw": 4000 })}
${event("command 14", 14, { "0:dd": 0 })}
${event("command 99", 99, { "0:dd": 0 })}`;

export const eventChannelChecks = (): string => asm`
${hideOwnNumber()}
${mapSharedInfo()}
${clearPending()}
${binding()}
${sending()}
${others()}
${setPendingPoll()}
`;

/** A pending port ends a poll at once, whatever the timeout. */
const setPendingPoll = (): string => asm`
        mov dword [shared_info+2048], 1 << 3
${setArg({ "0:dd": "port_three", "4:dd": 1, "8:dd": 0 })}
${check("sched_op poll pending", hc.HC_SCHED_OP, [hc.SCHEDOP_POLL, "arg"])}
${clearPending()}
        jmp event_done
port_three: dd 3
event_done:`;
