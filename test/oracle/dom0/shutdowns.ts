/** V1287..V1311 and the last rows: shutdown, resume and soft reset, the other calls of sched_op, and the end of the long-lived domains. */
import { ABSENT, type Field, type Probe, u16, u32, u64 } from "./probe.ts";

const hexFlags = (flags: number): string => ((flags & ~0x30) >>> 0).toString(16).padStart(8, "0");

export function shutdowns(p: Probe): void {
  const X = p.makeDomain(16);
  const arg = p.buf(8);
  const shut = (domid: number, reason: number, text: string): number =>
    p.rec("sched", "remote_shutdown", p.call(29, 4, p.put(arg, [u16(0, domid), u32(4, reason)])), text);
  const flags = (text: string, tot = false): void => {
    const i = p.info(X);
    p.out(`flags=${hexFlags(i.flags)}${tot ? ` tot=${i.tot}` : ""}`);
    p.rec("domctl", "getdomaininfo", 0, text);
  };
  shut(ABSENT, 0, "absent");
  shut(0x7ff0, 0, "SELF");
  shut(X, 3, "X reason=crash");
  flags("X after crash");
  shut(X, 0, "X reason=0 again");
  flags("X after second");
  p.dc("resumedomain", X, "X");
  flags("X after resume");
  shut(X, 0x1ff, "X reason=0x1ff");
  flags("X after 0x1ff");
  p.dc("soft_reset", X, "X shut down with 0x1ff");
  p.domctl("resumedomain", X);
  shut(X, 5, "X reason=soft_reset");
  flags("X after soft_reset reason");
  p.dc("soft_reset", X, "X");
  flags("X after soft_reset domctl", true);
  shut(p.PV, 1, "PV without vcpus");
  p.rec("sched", "op", p.call(29, 99, arg), "op=99");
  p.rec("sched", "op", p.call(29, 8, arg), "op=8");
  p.rec("sched", "remote_shutdown", p.call(29, 4, p.badPointer), "arg=0x8");
  const poll = (text: string, fields: readonly Field[]): number =>
    p.rec("sched", "poll", p.call(29, 3, p.put(p.buf(24), fields)), text);
  poll("nr=129", [u32(8, 129)]);
  poll("ports=0x8", [u64(0, p.badPointer), u32(8, 1)]);
  poll("port 100000", [u64(0, p.put(p.buf(8), [u32(0, 100000)])), u32(8, 1), u64(16, 1)]);
  p.rec("sched", "watchdog", p.call(29, 6, p.put(p.buf(8), [u32(0, 5), u32(4, 10)])), "id=5");
  p.rec("sched", "watchdog", p.call(29, 6, p.put(p.buf(8), [u32(0, 1)])), "id=1 timeout=0");
  p.rec("sched", "pin_override", p.call(29, 7, p.put(p.buf(8), [u32(0, 99)])), "pcpu=99");
  p.destroy(X);
}

export function theEnd(p: Probe): void {
  p.dc("destroydomain", p.H, "H at end");
  p.dc("destroydomain", p.H2, "H2 at end");
}
