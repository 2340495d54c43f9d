/** V1208..V1225: memory sharing on a Xen that was built without it. */
import { ABSENT, type Probe, u8, u16, u64 } from "./probe.ts";

const SHARING_OP = 22;

export function sharing(p: Probe): void {
  const op = (domid: number, number: number, text: string): number => {
    const arg = p.put(p.buf(48), [u8(0, number), u16(2, domid), u64(8, 0x10)]);
    return p.rec("mem_sharing", "sharing_op", p.mem(SHARING_OP, arg), text);
  };
  for (let number = 0; number < 12; number++) op(p.H2, number, `H2 op=${number}`);
  op(ABSENT, 0, "absent");
  op(0, 0, "self");
  p.rec("mem_sharing", "sharing_op", p.mem(SHARING_OP, p.badPointer), "arg=0x8");
  p.dc("mem_sharing_op", p.H2, "H2 control enable", [u8(1, 1)]);
  p.dc("mem_sharing_op", p.H2, "H2 op=9", [u8(0, 9)]);
  p.dc("mem_sharing_op", 0, "self");
}
