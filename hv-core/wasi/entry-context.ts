/** HVM save records for DOMCTL_sethvmcontext: vCPU 0 at the direct-boot entry (spec 10 section 2), as host/lib/toolstack/hvm-context.ts. */
const HEADER_LENGTH: u32 = 24;
const CPU_LENGTH: u32 = 1032;
export const ENTRY_CONTEXT_BYTES: u32 = 8 + HEADER_LENGTH + 8 + CPU_LENGTH + 8;

const HEADER_MAGIC: u32 = 0x54381286;
const CODE_32: u32 = 0xc9b;
const DATA_32: u32 = 0xc93;
const TSS_32_BUSY: u32 = 0x8b;
const LIMITS: usize = 768;
const ATTRIBUTES: usize = 888;

/** Writes the records at `at` (zeroed): entered at `eip` with EBX = `ebx`. */
export function entryContext(at: usize, eip: u32, ebx: u32): void {
  store<u16>(at, 1);
  store<u32>(at, HEADER_LENGTH, 4);
  store<u32>(at, HEADER_MAGIC, 8);
  store<u32>(at, 1, 12);
  const record = at + 8 + HEADER_LENGTH;
  store<u16>(record, 2);
  store<u32>(record, CPU_LENGTH, 4);
  const cpu = record + 8;
  store<u16>(cpu, 0x0040);
  store<u32>(cpu, 0x1f80, 24);
  store<u32>(cpu, ebx, 520);
  store<u32>(cpu, eip, 640);
  store<u32>(cpu, 2, 648);
  store<u32>(cpu, 0x11, 656);
  store<u32>(cpu, 0xffff0ff0, 720);
  store<u32>(cpu, 0x400, 728);
  // cs ds es fs gs ss tr ldtr
  for (let i: usize = 0; i < 8; i++) {
    const isData = i == 1 || i == 2 || i == 5;
    store<u32>(cpu + LIMITS + (i << 2), i == 6 ? 0x67 : i == 0 || isData ? 0xffffffff : 0);
    store<u32>(cpu + ATTRIBUTES + (i << 2), i == 0 ? CODE_32 : isData ? DATA_32 : i == 6 ? TSS_32_BUSY : 0);
  }
}
