/**
 * HVM save records for DOMCTL_sethvmcontext: vCPU 0 at the direct-boot entry (spec 10 section 2) and an MTRR record for each vCPU,
 * as host/lib/toolstack/hvm-context.ts makes them.
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
} from "../abi/hypercalls";

const CODE_32: u32 = 0xc9b;
const DATA_32: u32 = 0xc93;
const TSS_32_BUSY: u32 = 0x8b;
const LIMITS: usize = 768;
const ATTRIBUTES: usize = 888;

export function entryContextBytes(vcpus: u32): u32 {
  return 8 + HVM_SAVE_HEADER_SIZE + 8 + HVM_SAVE_CPU_SIZE + vcpus * (8 + HVM_SAVE_MTRR_SIZE) + 8;
}

/** Starts a record at `at`; where its data goes. */
function record(at: usize, code: u32, instance: u32, length: u32): usize {
  store<u16>(at, <u16>code);
  store<u16>(at, <u16>instance, 2);
  store<u32>(at, length, 4);
  return at + 8;
}

function fillCpu(cpu: usize, eip: u32, ebx: u32): void {
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

/** Writes the records at `at` (zeroed): entered at `eip` with EBX = `ebx`. */
export function entryContext(at: usize, eip: u32, ebx: u32, vcpus: u32): void {
  const header = record(at, HVM_SAVE_HEADER, 0, HVM_SAVE_HEADER_SIZE);
  store<u32>(header, HVM_SAVE_MAGIC);
  store<u32>(header, 1, 4);
  const cpu = record(header + HVM_SAVE_HEADER_SIZE, HVM_SAVE_CPU, 0, HVM_SAVE_CPU_SIZE);
  fillCpu(cpu, eip, ebx);
  let next = cpu + HVM_SAVE_CPU_SIZE;
  for (let vcpu: u32 = 0; vcpu < vcpus; vcpu++) {
    const mtrr = record(next, HVM_SAVE_MTRR, vcpu, HVM_SAVE_MTRR_SIZE);
    store<u64>(mtrr, 0x0007040600070406); // PAT
    store<u32>(mtrr, 0x508, 224); // capabilities
    store<u32>(mtrr, 0x806, 232); // default type: enabled, write-back
    next = mtrr + HVM_SAVE_MTRR_SIZE;
  }
  record(next, HVM_SAVE_END, 0, 0);
}
