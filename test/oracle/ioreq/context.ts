/** Save records that start vCPU 0 in long mode with flat segments, as the recorded scenario did (format: toolstack/hvm-context.ts). */
import {
  HVM_SAVE_CPU,
  HVM_SAVE_CPU_SIZE,
  HVM_SAVE_END,
  HVM_SAVE_HEADER,
  HVM_SAVE_HEADER_SIZE,
  HVM_SAVE_MAGIC,
} from "../../../hv-core/abi/hypercalls.ts";

/** Fields of struct hvm_hw_cpu, 8 bytes each. */
const QUADS: readonly (readonly [offset: number, value: bigint])[] = [
  [568, 0x80000n], // rsp
  [648, 2n], // rflags
  [656, 0x80000033n], // cr0
  [672, 0x1000n], // cr3
  [680, 0x620n], // cr4
  [720, 0xffff0ff0n], // dr6
  [728, 0x400n], // dr7
];
const RIP = 640;
const SELECTORS = 736;
const LIMITS = 768;
const ATTRIBUTES = 888;
const EFER = 992;
const FCW = 0;
const MXCSR = 24;
/** cs ds es fs gs ss tr ldtr */
const SELECTOR_VALUES = [8, 0x10, 0x10, 0, 0, 0x10, 0, 0];
const LIMIT_VALUES = [-1, -1, -1, -1, -1, -1, 0x67, 0];
const ATTRIBUTE_VALUES = [0xa9b, 0xc93, 0xc93, 0xc93, 0xc93, 0xc93, 0x8b, 0x82];

export function longModeContext(rip: number): Uint8Array {
  const bytes = new Uint8Array(8 + HVM_SAVE_HEADER_SIZE + 8 + HVM_SAVE_CPU_SIZE + 8);
  const view = new DataView(bytes.buffer);
  let used = 0;
  const record = (code: number, length: number): number => {
    view.setUint16(used, code, true);
    view.setUint32(used + 4, length, true);
    used += 8 + length;
    return used - length;
  };
  const header = record(HVM_SAVE_HEADER, HVM_SAVE_HEADER_SIZE);
  view.setUint32(header, HVM_SAVE_MAGIC, true);
  view.setUint32(header + 4, 1, true);
  const cpu = record(HVM_SAVE_CPU, HVM_SAVE_CPU_SIZE);
  view.setUint16(cpu + FCW, 0x0040, true);
  view.setUint32(cpu + MXCSR, 0x1f80, true);
  for (const [offset, value] of QUADS) view.setBigUint64(cpu + offset, value, true);
  view.setBigUint64(cpu + RIP, BigInt(rip), true);
  view.setBigUint64(cpu + EFER, 0x500n, true);
  for (let i = 0; i < 8; i++) {
    view.setUint32(cpu + SELECTORS + i * 4, SELECTOR_VALUES[i]!, true);
    view.setInt32(cpu + LIMITS + i * 4, LIMIT_VALUES[i]!, true);
    view.setUint32(cpu + ATTRIBUTES + i * 4, ATTRIBUTE_VALUES[i]!, true);
  }
  record(HVM_SAVE_END, 0);
  return bytes;
}
