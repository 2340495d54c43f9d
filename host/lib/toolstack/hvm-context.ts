/**
 * HVM save records (public Xen format, Xen's public/arch-x86/hvm/save.h): what DOMCTL_sethvmcontext takes.
 * A record is {typecode u16, instance u16, length u32} and its data. A PVH guest gets HEADER, one CPU, an MTRR record for each vCPU, END;
 * the state is that of the direct-boot entry (spec 10 section 2).
 */
import {
  HVM_SAVE_CPU,
  HVM_SAVE_CPU_SIZE,
  HVM_SAVE_END,
  HVM_SAVE_HEADER,
  HVM_SAVE_HEADER_SIZE,
  HVM_SAVE_MAGIC,
  HVM_SAVE_MTRR,
  HVM_SAVE_MTRR_SIZE,
} from "../../../hv-core/abi/hypercalls.ts";

/** Offsets in struct hvm_hw_cpu. */
const FCW = 0;
const MXCSR = 24;
const RAX = 512;
const RBX = 520;
const RIP = 640;
const RFLAGS = 648;
const CR0 = 656;
const DR6 = 720;
const DR7 = 728;
const SEGMENTS = ["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr"] as const;
const SELECTORS = 736;
const LIMITS = 768;
const BASES = 808;
const ATTRIBUTES = 888;

const CR0_PE = 1;
const CR0_ET = 16;
/** Packed access rights: 7:0 as in the descriptor, 11:8 AVL L D/B G. */
const CODE_32 = 0xc9b;
const DATA_32 = 0xc93;
const TSS_32_BUSY = 0x8b;
/** In the MTRR record: PAT, capabilities, default type (enabled, write-back). */
const MTRR_PAT = 0;
const MTRR_CAP = 224;
const MTRR_DEF_TYPE = 232;

export interface EntryState {
  readonly eip: number;
  readonly eax?: number;
  /** Address of the start-info block (PVH) or of the multiboot information. */
  readonly ebx: number;
}

/** Records that start vCPU 0 at a 32-bit flat entry, paging off. The other vCPUs stay down. */
export function entryContext(entry: EntryState, vcpus: number): Uint8Array {
  const mtrrs = vcpus * (8 + HVM_SAVE_MTRR_SIZE);
  const bytes = new Uint8Array(8 + HVM_SAVE_HEADER_SIZE + 8 + HVM_SAVE_CPU_SIZE + mtrrs + 8);
  const view = new DataView(bytes.buffer);
  let used = 0;
  /** Starts a record; returns where its data goes. */
  const record = (code: number, instance: number, length: number): number => {
    view.setUint16(used, code, true);
    view.setUint16(used + 2, instance, true);
    view.setUint32(used + 4, length, true);
    const data = used + 8;
    used = data + length;
    return data;
  };
  const header = record(HVM_SAVE_HEADER, 0, HVM_SAVE_HEADER_SIZE);
  view.setUint32(header, HVM_SAVE_MAGIC, true);
  view.setUint32(header + 4, 1, true);
  fillCpu(view, record(HVM_SAVE_CPU, 0, HVM_SAVE_CPU_SIZE), entry);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) fillMtrr(view, record(HVM_SAVE_MTRR, vcpu, HVM_SAVE_MTRR_SIZE));
  record(HVM_SAVE_END, 0, 0);
  return bytes;
}

function fillMtrr(view: DataView, at: number): void {
  view.setUint32(at + MTRR_PAT, 0x00070406, true);
  view.setUint32(at + MTRR_PAT + 4, 0x00070406, true);
  view.setUint32(at + MTRR_CAP, 0x508, true);
  view.setUint32(at + MTRR_DEF_TYPE, 0x806, true);
}

function fillCpu(view: DataView, cpu: number, entry: EntryState): void {
  view.setUint16(cpu + FCW, 0x0040, true);
  view.setUint32(cpu + MXCSR, 0x1f80, true);
  view.setUint32(cpu + RAX, entry.eax ?? 0, true);
  view.setUint32(cpu + RBX, entry.ebx, true);
  view.setUint32(cpu + RIP, entry.eip, true);
  view.setUint32(cpu + RFLAGS, 2, true);
  view.setUint32(cpu + CR0, CR0_PE | CR0_ET, true);
  view.setUint32(cpu + DR6, 0xffff0ff0, true);
  view.setUint32(cpu + DR7, 0x400, true);
  SEGMENTS.forEach((name, i) => {
    const isData = name === "ds" || name === "es" || name === "ss";
    view.setUint32(cpu + SELECTORS + i * 4, 0, true);
    view.setUint32(cpu + LIMITS + i * 4, name === "tr" ? 0x67 : name === "cs" || isData ? 0xffffffff : 0, true);
    view.setUint32(cpu + BASES + i * 8, 0, true);
    view.setUint32(
      cpu + ATTRIBUTES + i * 4,
      name === "cs" ? CODE_32 : isData ? DATA_32 : name === "tr" ? TSS_32_BUSY : 0,
      true,
    );
  });
}
