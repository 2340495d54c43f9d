/** V1233..V1286: event channels of other domains. */
import { HC_EVENT_CHANNEL_OP } from "../../../hv-core/abi/hypercalls.ts";
import { ABSENT, type Probe, u16, u32 } from "./probe.ts";

export function events(p: Probe): void {
  const { H, H2, PV } = p;
  const ev = (op: number, arg: number): number => p.call(HC_EVENT_CHANNEL_OP, op, arg);
  const rec = (call: string, result: number, text: string): number => p.rec("evtchn", call, result, text);
  const arg = p.buf(64);
  const alloc = (domid: number, remote: number, text: string): number => {
    const result = ev(6, p.put(arg, [u16(0, domid), u16(2, remote), u32(4, 0)]));
    const port = p.r32(arg + 4);
    if (result === 0) p.out(`port=${port}`);
    rec("alloc_unbound", result, text);
    return port;
  };
  const status = (domid: number, port: number, text: string): void => {
    p.fill(arg, 64, 0);
    const result = ev(5, p.put(arg, [u16(0, domid), u32(4, port)]));
    const state = p.r32(arg + 8);
    if (result === 0) p.out(`status=${state} vcpu=${p.r32(arg + 12)}`);
    if (result === 0 && (state === 1 || state === 2)) {
      const remote = p.r16(arg + 16);
      p.out(`dom=${remote === 0 ? "0" : remote === H ? "H" : "other"} port=${state === 2 ? "set" : "-"}`);
    }
    rec("status", result, text);
  };
  const first = alloc(H, 0, "dom=H remote=0");
  alloc(H, 0, "dom=H remote=0 second");
  const third = alloc(H, H2, "dom=H remote=H2");
  alloc(H, H, "dom=H remote=H");
  alloc(ABSENT, 0, "dom absent");
  alloc(H, ABSENT, "dom=H remote absent");
  alloc(H, 0x7ff0, "dom=H remote=SELF");
  alloc(0x7ff1, 0, "dom=IO");
  status(H, first, "H first port");
  status(H, third, "H third port (remote H2)");
  status(H, 0, "H port 0");
  status(H, 500, "H port 500 (free)");
  status(H, 100000, "H port 100000");
  status(H, 0xffffffff, "H port ~0");
  status(ABSENT, 1, "absent");
  const bind = (domid: number, port: number): number => ev(0, p.put(arg, [u16(0, domid), u32(4, port)]));
  const bound = bind(H, first);
  const local = p.r32(arg + 8);
  p.out(`local=${local ? "nonzero" : "0"}`);
  rec("bind_interdomain", bound, "H first port");
  status(H, first, "H first port after bind");
  status(0x7ff0, local, "own local port");
  rec("bind_interdomain", bind(H, first), "H first port again");
  rec("bind_interdomain", bind(H, third), "H port reserved for H2");
  rec("bind_interdomain", bind(H, 0), "H port 0");
  rec("bind_interdomain", bind(H, 500), "H port 500 (free)");
  rec("bind_interdomain", bind(H, 100000), "H port 100000");
  rec("bind_interdomain", bind(ABSENT, 100000), "absent");
  const words = (op: number, a: number, b = 0): number => ev(op, p.put(arg, [u32(0, a), u32(4, b)]));
  rec("send", words(4, local), "own local port");
  rec("send", words(4, 100000), "port 100000");
  rec("send", words(4, 0), "port 0");
  rec("send", words(4, 3000), "port 3000 (free)");
  rec("bind_vcpu", words(8, local, 99), "vcpu 99");
  rec("bind_vcpu", words(8, local), "vcpu 0");
  rec("bind_vcpu", words(8, 3000), "free port");
  rec("unmask", words(9, 3000), "free port 3000");
  rec("unmask", words(9, 1 << 20), "port 2^20");
  rec("close", words(3, local), "own local port");
  rec("close", words(3, local), "again");
  status(H, first, "H first port after peer closed");
  rec("close", words(3, 0), "port 0");
  rec("close", words(3, 100000), "port 100000");
  rec("bind_virq", words(1, 99), "virq=99");
  rec("bind_virq", words(1, 24), "virq=24");
  rec("bind_virq", words(1, 0, 99), "virq=TIMER vcpu=99");
  rec("bind_virq", words(1, 3, 1), "virq=DOM_EXC(global) vcpu=1");
  words(1, 0);
  rec("bind_virq", words(1, 0), "virq=TIMER vcpu=0 (kernel has it)");
  words(1, 3);
  rec("bind_virq", words(1, 3), "virq=DOM_EXC (xenstored has it)");
  rec("bind_ipi", words(7, 99), "vcpu=99");
  rec("reset", words(10, ABSENT), "absent");
  rec("reset", words(10, H), "H");
  status(H, first, "H first port after reset");
  rec("op", words(99, 0), "op=99");
  rec("op", words(14, 0xffff), "op=14");
  rec("alloc_unbound", ev(6, p.badPointer), "arg=0x8");
  alloc(PV, 0, "dom=PV (no vcpus)");
  let n = 0;
  let last = 0;
  const more = (): number => ev(6, p.put(arg, [u16(0, H2), u16(2, 0)]));
  let result = more();
  for (; result === 0 && n < 5000; n++) {
    last = p.r32(arg + 4);
    result = more();
  }
  p.out(`succeeded=${n} lastport=${last}`);
  rec("alloc_unbound", result, "dom=H2 until failure (max_evtchn_port=1023)");
  rec("reset", words(10, H2), "H2 (closes all)");
}
