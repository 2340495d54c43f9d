/** V818..V1012: HVM parameters of H2 and the other operations of hvm_op. */
import { HC_HVM_OP } from "../../../hv-core/abi/hypercalls.ts";
import { ABSENT, ALL, hex, type Probe, resultName, u16, u32, u64 } from "./probe.ts";

const VALUES: readonly (readonly [index: number, value: bigint, name: string])[] = [
  [12, 0x3fe000n, "IDENT_PT"],
  [12, 0x3fe001n, "IDENT_PT unaligned"],
  [12, 0n, "IDENT_PT 0"],
  [10, 4n, "TIMER_MODE 4"],
  [10, 3n, "TIMER_MODE 3"],
  [10, 9n, "TIMER_MODE 9"],
  [14, 3n, "ACPI_S_STATE 3"],
  [14, 5n, "ACPI_S_STATE 5"],
  [14, 0n, "ACPI_S_STATE 0"],
  [0, 0x0200000000000030n, "callback vector 0x30"],
  [0, 0x0200000000000000n, "callback vector 0"],
  [0, 0x0200000000000131n, "callback vector 0x131"],
  [0, 0x0100000000001801n, "callback INTx dev 3 intx 1"],
  [0, 9n, "callback GSI 9"],
  [0, 0x0300000000000001n, "callback type 3"],
  [0, 0n, "callback 0"],
  [9, 0x7fn, "VIRIDIAN 0x7f"],
  [9, 1n << 40n, "VIRIDIAN bad bits"],
  [35, 3n, "ALTP2M 3"],
  [35, 9n, "ALTP2M 9"],
  [36, 4n, "X87_FIP_WIDTH 4"],
  [36, 8n, "X87_FIP_WIDTH 8"],
  [36, 3n, "X87_FIP_WIDTH 3"],
  [38, 1n, "MCA_CAP 1 (LMCE)"],
  [38, 4n, "MCA_CAP 4"],
  [15, 0x1000n, "VM86_TSS"],
  [37, (128n << 32n) | 0x1000n, "VM86_TSS_SIZED 128"],
  [37, (10n << 32n) | 0x1000n, "VM86_TSS_SIZED 10"],
  [31, 1n, "TRIPLE_FAULT reboot"],
  [31, 6n, "TRIPLE_FAULT 6"],
  [27, 0x3ffn, "PAGING_RING"],
  [34, 0x1000n, "VM_GENERATION_ID"],
  [19, 1n, "ACPI_IOPORTS 1"],
  [19, 2n, "ACPI_IOPORTS 2"],
  [19, 0n, "ACPI_IOPORTS 0"],
  [0xffffffff, 1n, "index ~0"],
];

export function params(p: Probe): void {
  const { H, H2, PV } = p;
  const rec = (call: string, result: number, text: string): number => p.rec("hvm_op", call, result, text);
  for (let k = 0; k < 42; k++) {
    const { result, value } = p.param(false, H2, k, 0xdead);
    if (result === 0) p.out(`value=${hex(value)}`);
    rec("get_param", result, `H2 fresh index=${k}`);
  }
  const set = (index: number, value: bigint, text: string): void => {
    const { result } = p.param(true, H2, index, value);
    const after = p.param(false, H2, index, 0);
    p.out(`then get=${resultName(after.result)} value=${after.result === 0 ? hex(after.value) : "0"}`);
    rec("set_param", result, text);
  };
  for (let k = 0; k < 42; k++) if (k !== 12) set(k, 1n, `H2 index=${k} value=1`);
  for (let k = 0; k < 42; k++) if (k !== 12) set(k, 2n, `H2 index=${k} value=2 (change)`);
  for (const [index, value, name] of VALUES) set(index, value, `H2 ${name} index=${index | 0} value=${hex(value)}`);
  const get = (domid: number, index: number, text: string): number =>
    rec("get_param", p.param(false, domid, index, 0).result, text);
  get(PV, 1, "PV index=1");
  get(ABSENT, 1, "absent");
  get(0x7ff0, 1, "SELF (PV dom0)");
  get(ABSENT, 99, "absent, index=99");
  rec("get_param", p.call(HC_HVM_OP, 1, p.badPointer), "arg=0x8");
  for (let k = 2; k < 27; k++) {
    if ([5, 10, 15, 23, 24, 25].includes(k)) continue;
    rec("op", p.call(HC_HVM_OP, k, p.buf(64)), `op=${k} zero arg`);
  }
  rec("op", p.call(HC_HVM_OP, 99, p.buf(64)), "op=99");
  rec("get_time", p.call(HC_HVM_OP, 10, p.buf(16)), "PV dom0");
  rec("flush_tlbs", p.call(HC_HVM_OP, 5, 0), "arg=NULL from PV dom0");
  rec("flush_tlbs", p.call(HC_HVM_OP, 5, p.buf(8)), "arg non-NULL");
  const type = (domid: number, gfn: number | bigint, text: string, shows = true): void => {
    const arg = p.put(p.buf(16), [u16(0, domid), u64(8, gfn)]);
    const result = p.call(HC_HVM_OP, 15, arg);
    if (shows) p.out(`type=${p.r16(arg + 2)}`);
    rec("get_mem_type", result, text);
  };
  type(PV, 0, "PV", false);
  type(ABSENT, 0, "absent", false);
  type(H, 0x90700, "H hole");
  type(H, ALL, "H pfn=~0");
  type(H, 1, "H ram");
  rec("altp2m", p.call(HC_HVM_OP, 25, p.buf(64)), "version 0");
  rec("altp2m", p.call(HC_HVM_OP, 25, p.put(p.buf(64), [u32(0, 1), u32(4, 1), u16(8, H)])), "get_domain_state H");
}
