/**
 * One processor: all architectural state of the silicon side, at the start of a vCPU's 32 KiB (abi/layout.ts).
 * `hw` knows nothing of Xen: this file has no domain, no p2m type, no hypercall.
 *
 * Register file: sixteen u64 at offset 0 in encoding order (rax rcx rdx rbx rsp rbp rsi rdi r8..r15), then one that is always 0,
 * so that an effective address is `regs[base] + (regs[index] << scale) + disp` without a branch.
 * Offsets that the host reads stand in abi/cpu.ts and are pinned below.
 */
import {
  CPU_CPL,
  CPU_CR0,
  CPU_EXIT_GPA,
  CPU_EXIT_REASON,
  CPU_FLAG_KIND,
  CPU_RETIRED,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEG_SIZE,
  CPU_SEGS,
  CPU_TLB_MASK,
} from "../abi/cpu";
import { VCPU_ANSWERS_OFFSET, VCPU_SIZE, VCPU_TLB_OFFSET, VCPUS_BASE } from "../abi/layout";

/** A segment register with its hidden part. */
@unmanaged
export class Seg {
  base: u64;
  limit: u32;
  /** VMX access-rights format: 3:0 type, 4 S, 6:5 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G, 16 unusable. */
  attr: u32;
  selector: u32;
  private _pad: u32;
}

@unmanaged
export class Cpu {
  rax: u64;
  rcx: u64;
  rdx: u64;
  rbx: u64;
  rsp: u64;
  rbp: u64;
  rsi: u64;
  rdi: u64;
  r8: u64;
  r9: u64;
  r10: u64;
  r11: u64;
  r12: u64;
  r13: u64;
  r14: u64;
  r15: u64;
  zero: u64;
  rip: u64;

  // Lazy arithmetic flags: CF PF AF ZF SF OF follow from the last flag-setting operation (hw/flags.ts).
  // flagKind = 0 means they stand in rflags.
  flagResult: u64;
  flagA: u64;
  flagB: u64;
  flagKind: u32;
  /** Everything that is not lazy: TF IF DF IOPL NT RF VM AC ID, bit 1 always set; and the arithmetic flags when flagKind = 0. */
  rflags: u32;

  // ES CS SS DS FS GS LDTR TR, 24 bytes each: use seg(i).
  seg0base: u64;
  seg0b: u64;
  seg0c: u64;
  seg1base: u64;
  seg1b: u64;
  seg1c: u64;
  seg2base: u64;
  seg2b: u64;
  seg2c: u64;
  seg3base: u64;
  seg3b: u64;
  seg3c: u64;
  seg4base: u64;
  seg4b: u64;
  seg4c: u64;
  seg5base: u64;
  seg5b: u64;
  seg5c: u64;
  seg6base: u64;
  seg6b: u64;
  seg6c: u64;
  seg7base: u64;
  seg7b: u64;
  seg7c: u64;

  gdtrBase: u64;
  idtrBase: u64;
  gdtrLimit: u32;
  idtrLimit: u32;

  cr0: u64;
  cr2: u64;
  cr3: u64;
  cr4: u64;
  cr8: u64;
  efer: u64;
  pdpte0: u64;
  pdpte1: u64;
  pdpte2: u64;
  pdpte3: u64;
  dr0: u64;
  dr1: u64;
  dr2: u64;
  dr3: u64;
  dr6: u64;
  dr7: u64;

  star: u64;
  lstar: u64;
  cstar: u64;
  sfmask: u64;
  kernelGsBase: u64;
  sysenterCs: u64;
  sysenterEsp: u64;
  sysenterEip: u64;
  tscAux: u64;
  pat: u64;
  /** Added to the machine's virtual time to give this processor's TSC. */
  tscOffset: u64;
  /** Virtual time (TSC ticks) at the start of the current cpuRun; time inside it = this + instructions retired in it. */
  tscBase: u64;
  /** Instructions retired since the processor was created. */
  retired: u64;

  /** Current privilege level 0..3. */
  cpl: u32;
  /** Decoder mode: 16, 32 or 64, plus stack and paging mode bits; see hw/mode.ts. */
  mode: u32;
  /** Root table of the EPT: machine frame number of the PML4. */
  eptRoot: u32;
  /** Set from outside (event pending, flush requested): the run loop stops at the next instruction boundary. */
  attention: u32;
  /** 1 = replay: accesses that the EPT refuses take their data from the answers (hw/answers.ts). */
  replay: u32;
  /** 1 = exit with EXIT_INTERRUPT_WINDOW as soon as an interrupt could be taken. */
  interruptWindow: u32;
  /** Blocking by STI (bit 0), by MOV SS (bit 1), NMI (bit 3): the interruptibility state of VMX. */
  interruptibility: u32;

  // Event to be delivered at the next entry: VM-entry interruption information (SDM 3C, 24.8.3), 0 = none.
  // bits 7:0 vector, 10:8 type (0 external, 2 NMI, 3 hardware exception, 4 software int, 6 software exception), 11 error code, 31 valid.
  entryEvent: u32;
  entryErrorCode: u32;
  entryInsnLength: u32;

  // A fault found while an instruction executes: 0 none, 1 exception (vector, error), 2 exit (the exit fields are filled).
  fault: u32;
  faultVector: u32;
  faultError: u32;
  faultHasError: u32;

  // The last exit.
  exitReason: u32;
  exitInsnLength: u32;
  exitQualification: u64;
  /** Guest-physical address of an EPT violation or misconfiguration. */
  exitGpa: u64;
  /** Guest linear address, valid with QUAL_GLA_VALID. */
  exitGla: u64;
  /** IDT-vectoring information: the event that was being delivered when the exit happened, format as entryEvent. */
  exitIdtVectoring: u32;
  exitIdtError: u32;
  /** Size in bytes and direction (1 = read) of the refused access, when it lies inside one page; size 0 = not told. */
  exitAccessSize: u32;
  exitAccessDir: u32;

  /** Mask for the TLB index: entries - 1. */
  tlbMask: u32;
  /** 1 when a translation from a large page may be cached: INVLPG then flushes everything. */
  tlbHasLarge: u32;
  /** Physical address width (knob paddr.bits): bits above it are reserved in page-table entries. */
  paddrBits: u32;
  /** Index of the vCPU slot this processor belongs to. */
  slot: u32;
  /** Highest vector an INIT'd/halted processor waits for; 1 = in HLT as far as the silicon is concerned. */
  halted: u32;
  private _pad1: u32;

  // What a data access by an instruction compares in the TLB: page number and the deny bits that matter at this CPL (hw/mode.ts).
  readMask: u64;
  writeMask: u64;
  /** Guest-physical address of the access being translated (scratch of hw/translate.ts). */
  accessGpa: u64;

  /** Linear page that instructions are being fetched from (all ones = none), and the host address of its first byte (hw/fetch.ts). */
  fetchPage: u64;
  fetchHost: u32;
  /** Instructions that cpuRun may still retire; 0 outside it. */
  runLeft: u32;
  /** Effective address left by an OP_EA record for the record after it (hw/record.ts); 0 outside cpuRun. */
  scratch: u64;
  /** Value of runLeft at the start of cpuRun; 0 outside it. */
  runBudget: u32;
  /** Written by hv: what the latch below stands for. 2..0 kinds of access the guest's tables allow, 5..3 rights in the EPT; 0 = none. */
  latchRights: u32;
  /** Written by hv for a replay: a linear page and where it is, known from the exit, so that it is not walked again. */
  latchGla: u64;
  latchGpa: u64;
  /** The value of a refused write, with exitAccessSize. */
  exitAccessData: u64;
  /** Written by hv for a replay: guest tables that the walk may use whatever the EPT says (hw/free-tables.ts). */
  freeTable0: u64;
  private _freeTable1: u64;
  private _freeTable2: u64;
  private _freeTable3: u64;
  private _freeTable4: u64;
  private _freeTable5: u64;
  private _freeTable6: u64;
  private _freeTable7: u64;
  /** Written by hv for a replay: page number + 1 of a page that may be executed whatever the EPT says (0 = none), and its frame. */
  fetchGfn: u64;
  fetchMfn: u32;
  /** Written by hv for a replay: 1 = every access to memory by the instruction is asked for. */
  asksAll: u32;

  /** 1 = during replay the read half of a read-modify-write is asked for, where the write would be. Set once, by hv. */
  asksReadHalf: u32;
  /** I/O bitmap of the VMCS: the first of two frames, a bit for each port, 1 = exit; 0 = none, every access exits. Set by hv. */
  ioBitmap: u32;

  // The repeated string instruction whose first element the exit is about (hw/string-exit.ts); kind 0 = none with two or more to do.
  exitStringKind: u32;
  /** Bytes of an element. */
  exitStringSize: u32;
  /** Elements left whose addresses do not wrap. */
  exitStringCount: u64;
  /** Linear addresses of the next element; MOVS and OUTS read at `from`, the others leave it 0. */
  exitStringFrom: u64;
  exitStringTo: u64;
  /** Length of the instruction, and address size as a register size (0..3). */
  exitStringLength: u32;
  exitStringAddress: u32;

  @inline static at(slot: u32): Cpu {
    return changetype<Cpu>(VCPUS_BASE + <usize>slot * VCPU_SIZE);
  }

  /** 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS, 6 LDTR, 7 TR. */
  @inline seg(index: u32): Seg {
    return changetype<Seg>(changetype<usize>(this) + CPU_SEGS + <usize>index * CPU_SEG_SIZE);
  }

  @inline reg(index: u32): u64 {
    return load<u64>(changetype<usize>(this) + ((<usize>index) << 3));
  }

  @inline setReg(index: u32, value: u64): void {
    store<u64>(changetype<usize>(this) + ((<usize>index) << 3), value);
  }

  @inline get answers(): usize {
    return changetype<usize>(this) + VCPU_ANSWERS_OFFSET;
  }

  @inline get tlb(): usize {
    return changetype<usize>(this) + VCPU_TLB_OFFSET;
  }
}

if (offsetof<Cpu>("rip") != CPU_RIP) ERROR("Cpu.rip moved");
if (offsetof<Cpu>("flagKind") != CPU_FLAG_KIND) ERROR("Cpu.flagKind moved");
if (offsetof<Cpu>("rflags") != CPU_RFLAGS) ERROR("Cpu.rflags moved");
if (offsetof<Cpu>("seg0base") != CPU_SEGS) ERROR("Cpu.segments moved");
if (offsetof<Cpu>("cr0") != CPU_CR0) ERROR("Cpu.cr0 moved");
if (offsetof<Cpu>("cpl") != CPU_CPL) ERROR("Cpu.cpl moved");
if (offsetof<Cpu>("exitReason") != CPU_EXIT_REASON) ERROR("Cpu.exitReason moved");
if (offsetof<Cpu>("exitGpa") != CPU_EXIT_GPA) ERROR("Cpu.exitGpa moved");
if (offsetof<Cpu>("retired") != CPU_RETIRED) ERROR("Cpu.retired moved");
if (offsetof<Cpu>("tlbMask") != CPU_TLB_MASK) ERROR("Cpu.tlbMask moved");
if (offsetof<Seg>() != CPU_SEG_SIZE) ERROR("Seg is 24 bytes");
if (<u32>offsetof<Cpu>() > <u32>VCPU_ANSWERS_OFFSET) ERROR("Cpu outgrew its place");
