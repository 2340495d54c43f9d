/**
 * A suspended continuation of the race build: one slot of CONTINUATION_SIZE bytes at CONTINUATIONS_BASE for each actor
 * (docs/explorer.md). Written by the host's explorer around every step; the core only hashes it.
 */
/** u32: CONT_IDLE or CONT_SUSPENDED. */
export const CONT_STATE = 0;
export const CONT_IDLE = 0;
export const CONT_SUSPENDED = 1;
/** Where it stands: window (abi/windows.ts), the address it looks at next, read or write. */
export const CONT_WINDOW = 4;
export const CONT_ADDR = 8;
export const CONT_KIND = 12;
/** Virtual time used so far by the operation, ticks. */
export const CONT_TICKS = 16;
/** Processor it runs on: vCPU slot + 1, or CONT_FIRST_PROCESSOR + actor for a caller in dom0. */
export const CONT_PROCESSOR = 20;
export const CONT_FIRST_PROCESSOR = 0x8000;
/** The export to call again (CONT_RUN_VCPU or CONT_HYPERCALL) and its six arguments. */
export const CONT_CALL = 24;
export const CONT_RUN_VCPU = 1;
export const CONT_HYPERCALL = 2;
export const CONT_ARGS = 28;
/** asyncify's data structure: {next free byte of the stack, its end}. */
export const CONT_ASYNCIFY = 56;
/** What a hypercall keeps in hypervisor memory between windows: a processor's own, so it travels with the continuation. */
export const CONT_SCRATCH = 64;
export const CONT_SCRATCH_SIZE = 0x400;
export const CONT_DM_SCRATCH = 0x440;
export const CONT_DM_SCRATCH_SIZE = 0x80;
/**
 * What a processor would keep in registers, but the hypervisor keeps in shared records: the results of the last p2m lookup in each
 * domain's record, and the hypercall state of dom0's first vCPU, which stands for every processor of dom0. They travel with the
 * continuation too.
 */
export const CONT_REGISTERS = 0x4c0;
export const CONT_LOOKUP_OFFSET = 108;
export const CONT_LOOKUP_SIZE = 16;
export const CONT_LOOKUP_DOMAINS = 4;
/** In a vCPU's record, from VCPU_HV_OFFSET: hypercall64; the arguments of a preempted hypercall. */
export const CONT_MODE_OFFSET = 24;
export const CONT_MODE_SIZE = 4;
export const CONT_CONTINUE_OFFSET = 472;
export const CONT_CONTINUE_SIZE = 24;
/** Saved frames of the WebAssembly stack. */
export const CONT_STACK = 0x540;
export const CONT_STACK_END = 0x4000;
