/** V1165..V1207 and V1226..V1232: vm_event rings, page accesses, paging. The recorded machine is an AMD one, and built without paging. */
import { HVM_PARAM_MONITOR_RING_PFN } from "../../../hv-core/abi/hypercalls.ts";
import { XENMEM_ACCESS_OP, XENMEM_PAGING_OP } from "../../../hv-core/abi/vm-event.ts";
import { ABSENT, hex, type Probe, u8, u16, u32, u64, type Value } from "./probe.ts";

const ALL = 0xffff_ffff_ffff_ffffn;
const MODES = ["mode 0", "paging", "monitor", "sharing", "mode 4"];
/** Order of the record: paging, monitor, sharing, then modes that do not exist. */
const MODE_ORDER = [1, 2, 3, 0, 4];
const VM_EVENT_INVALID = 0x7ff4;

export function vmEvents(p: Probe): void {
  const { H, H2, PV } = p;
  const op = (domid: number, operation: number, mode: number, text: string, port?: "port" | "version"): void => {
    const result = p.domctl("vm_event_op", domid, [u32(0, operation), u32(4, mode)]);
    const value = p.r32(p.union + 8);
    if (result === 0 && port === "port") p.out(`port=${value === 0 ? "0" : "nonzero"}`);
    if (result === 0 && port === "version") p.out(`version=${value}`);
    p.rec("vm_event", "vm_event_op", result, text);
  };
  for (const mode of MODE_ORDER)
    for (const operation of [0, 1, 2, 4])
      op(
        H2,
        operation,
        mode,
        `H2 ${MODES[mode]} op=${operation} (0 enable 1 disable 2 resume)`,
        mode === 2 && operation === 0 ? "port" : undefined,
      );
  op(H2, 3, 0, "H2 get_version", "version");
  op(VM_EVENT_INVALID, 3, 0, "DOMID_INVALID get_version", "version");
  op(ABSENT, 3, 0, "absent get_version");
  op(0, 0, 2, "self monitor enable");
  p.rec("hvm_op", "set_param", p.param(true, H2, HVM_PARAM_MONITOR_RING_PFN, 0x3f8).result, "H2 MONITOR_RING=0x3f8");
  op(H2, 0, 2, "H2 monitor enable with ring gfn 0x3f8");
  op(H2, 0, 2, "H2 monitor enable again");
  op(H2, 2, 2, "H2 monitor resume while enabled");

  const access = (domid: number, who: string, operation: number, kind: number, pfn: Value, nr: number): void => {
    const arg = p.put(p.buf(32), [u8(0, operation), u8(1, kind), u16(2, domid), u32(4, nr), u64(8, pfn)]);
    const text = `${who} op=${operation} access=${kind} pfn=${hex(pfn)} nr=${nr}`;
    p.rec("mem_access", "access_op", p.mem(XENMEM_ACCESS_OP, arg), text);
  };
  access(H2, "H2 set r (monitor ring?)", 0, 1, 0x10, 1);
  access(H2, "H2 get", 1, 0, 0x10, 0);
  access(H2, "H2 set bad access", 0, 99, 0x10, 1);
  access(H2, "H2 set default", 0, 1, ALL, 0);
  access(H2, "H2 get default", 1, 0, ALL, 0);
  access(H2, "H2 get hole", 1, 0, 0x90000, 0);
  access(H2, "H2 op=2", 2, 0, 0, 0);
  access(H2, "H2 op=9", 9, 0, 0, 0);
  access(0, "self", 1, 0, 0, 0);
  access(ABSENT, "absent", 1, 0, 0, 0);
  access(PV, "PV", 1, 0, 0, 0);
  access(H, "H without monitor ring", 0, 1, 0x10, 1);
  access(H2, "H2 range overflow", 0, 7, 0x10, 0x8000_0000);
  op(H2, 1, 2, "H2 monitor disable");
  access(H2, "H2 after disable", 1, 0, 0x10, 0);
}

export function paging(p: Probe): void {
  const call = (domid: number, operation: number, text: string): void => {
    const arg = p.put(p.buf(24), [u8(0, operation), u16(2, domid), u64(16, 0x10)]);
    p.rec("mem_paging", "paging_op", p.mem(XENMEM_PAGING_OP, arg), text);
  };
  for (let operation = 0; operation < 4; operation++) call(p.H2, operation, `H2 op=${operation}`);
  call(ABSENT, 0, "absent");
  call(0, 0, "self");
  p.rec("mem_paging", "paging_op", p.mem(XENMEM_PAGING_OP, 8), "arg=0x8");
}
