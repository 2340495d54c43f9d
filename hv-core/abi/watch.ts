/**
 * Breakpoints and watches: a list that the host writes, flags and hits that the core writes. The region belongs to whoever looks at the machine: it
 * is in no snapshot and no hash, and the guest runs the same with it and without it (hv-core/base/watch.ts, host/lib/travel/watch-list.ts).
 */
/** Header, u32 each: entries that are watched now (0 = nothing is); a hit waits to be told; instructions stop before an access that is watched. */
export const WATCH_ACTIVE = 0;
export const WATCH_STOP = 4;
export const WATCH_TRAP = 8;
/** Some entry is about execution; about p2m changes; about exits. */
export const WATCH_CODE = 12;
export const WATCH_P2M = 16;
export const WATCH_EXITS = 20;
/** Breakpoints are let pass: the instruction at one is being executed. */
export const WATCH_PASSING = 24;
/** Hits since the host last looked. */
export const WATCH_HITS = 28;
/** 128 bits, by the counter of an exit reason (abi/counters.ts). */
export const WATCH_EXIT_BITS = 32;

/** Entries: access u32@0 (low three bits as of an exit qualification; above them WATCH_IS_*), id u32@4, who u32@8, pad, first u64@16, last u64@24. */
export const WATCH_ENTRIES = 0x100;
export const WATCH_ENTRY_SIZE = 32;
export const MAX_WATCHES = 256;
export const WATCH_ENTRY_ID = 4;
/** Linear: vCPU slot + 1, 0 = any. Physical: machine frame of the root of the EPT. p2m: domid + 1, 0 = any. */
export const WATCH_ENTRY_WHO = 8;
export const WATCH_ENTRY_FIRST = 16;
export const WATCH_ENTRY_LAST = 24;
export const WATCH_IS_PHYSICAL = 16;
/** first and last are gfns. */
export const WATCH_IS_P2M = 32;

/** For each vCPU slot the number of instructions retired (u64) with which a breakpoint has been told already. */
export const WATCH_TOLD = 0x3000;

/** Hits: kind u32@0, id u32@4, slot u32@8 (all ones = none), size u32@12, linear u64@16, gpa u64@24. */
export const WATCH_HIT_RECORDS = 0x4000;
export const WATCH_HIT_SIZE = 32;
export const MAX_WATCH_HITS = 256;
export const WATCH_HIT_READ = 1;
export const WATCH_HIT_WRITE = 2;
export const WATCH_HIT_EXECUTE = 4;
export const WATCH_HIT_EXIT = 8;
export const WATCH_HIT_P2M = 16;
