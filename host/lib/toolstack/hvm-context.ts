/**
 * HVM save records (public Xen format, Xen's public/arch-x86/hvm/save.h): what DOMCTL_sethvmcontext takes.
 * A record is {typecode u16, instance u16, length u32} and its data. A PVH guest needs HEADER, one CPU and END;
 * the state is that of the direct-boot entry (spec 10 section 2).
 */
const HEADER_CODE = 1;
const CPU_CODE = 2;
const END_CODE = 0;
const HEADER_LENGTH = 24;
const CPU_LENGTH = 1032;
const HEADER_MAGIC = 0x54381286;

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

export interface EntryState {
  readonly eip: number;
  readonly eax?: number;
  /** Address of the start-info block (PVH) or of the multiboot information. */
  readonly ebx: number;
}

/** Records that start vCPU 0 at a 32-bit flat entry, paging off. */
export function entryContext(entry: EntryState): Uint8Array {
  const bytes = new Uint8Array(8 + HEADER_LENGTH + 8 + CPU_LENGTH + 8);
  const view = new DataView(bytes.buffer);
  const descriptor = (at: number, code: number, length: number): number => {
    view.setUint16(at, code, true);
    view.setUint32(at + 4, length, true);
    return at + 8;
  };
  const header = descriptor(0, HEADER_CODE, HEADER_LENGTH);
  view.setUint32(header, HEADER_MAGIC, true);
  view.setUint32(header + 4, 1, true);

  const cpu = descriptor(header + HEADER_LENGTH, CPU_CODE, CPU_LENGTH);
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

  descriptor(cpu + CPU_LENGTH, END_CODE, 0);
  return bytes;
}
