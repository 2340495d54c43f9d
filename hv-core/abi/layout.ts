/**
 * The linear-memory map (docs/architecture.md section 3). Every piece of state has a fixed place.
 *
 *   null + constants | semantic: machine, vCPUs, slabs, actors, continuations, frame table | derived | journal | semantic: domains, frames
 *
 * Literals only: AssemblyScript and TypeScript both import this file.
 */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

// --- semantic ---------------------------------------------------------------------------------------------------
/** Machine header: knobs, allocation marks, scheduler state (base/machine.ts). Below it: page zero and the compiler's constants. */
export const MACHINE_BASE = 0x0001_0000;
export const MACHINE_SIZE = 0x0001_0000;
/** One u32 for each knob (abi/knobs.ts), in the machine header. */
export const KNOBS_BASE = 0x0001_1000;
/** Classes of small objects: 64 descriptors of 16 bytes (mem/frame-slab.ts). */
export const SLAB_DESCRIPTORS_BASE = 0x0001_1400;
/** What memory sharing keeps for the whole machine (hv/sharing/state.ts), and the page locks that are held (base/lock-order.ts). */
export const SHARING_STATE_BASE = 0x0001_1900;
export const LOCK_ORDER_BASE = 0x0001_1980;
/** Heads of the chains of domains, by the low bits of their ids: slot + 1 as u16, 0 = end (hv/domain/table.ts). */
export const DOMAIN_HASH_BASE = 0x0001_2000;
export const DOMAIN_HASH_BUCKETS = 256;
/** Frames of each domain slot: {counted u32, all u32} (mem/frame-owner.ts). */
export const FRAME_OWNERS_BASE = 0x0002_0000;

export const VCPUS_BASE = 0x0020_0000;
export const VCPU_SIZE = 0x8000;
export const MAX_VCPUS = 512;
/** Inside a vCPU's 32 KiB: the processor (hw/cpu.ts), its answers for replay, the hypervisor's record (hv/vcpu.ts), the TLB. */
export const VCPU_CPU_OFFSET = 0;
export const VCPU_ANSWERS_OFFSET = 0x1000;
export const VCPU_HV_OFFSET = 0x1800;
/** Part of the hypervisor's record: what vm_event keeps about the vCPU (hv/vm-event/vcpu-events.ts). */
export const VCPU_EVENTS_OFFSET = 0x1d80;
export const VCPU_TLB_OFFSET = 0x2000;
/** MSRs that are only stored (hv/exits/stored-msrs.ts): 8 bytes each, above the largest TLB. */
export const VCPU_MSRS_OFFSET = 0x6000;
export const TLB_ENTRY_SIZE = 16;
export const MAX_TLB_ENTRIES = 1024;

/** Slabs of the hypervisor: see base/slab.ts for who owns which. */
export const SLABS_BASE = 0x0120_0000;
export const SLABS_SIZE = 0x0080_0000;
/** ioreq servers: 4 KiB each. */
export const IOREQ_SERVERS_BASE = 0x0120_0000;
export const IOREQ_SERVER_SIZE = 0x1000;
export const MAX_IOREQ_SERVERS_TOTAL = 256;
/** Rangeset nodes: 32 bytes each. */
export const RANGE_NODES_BASE = 0x0140_0000;
export const RANGE_NODE_SIZE = 32;
export const MAX_RANGE_NODES = 65536;
/** In-core devices' state (hv-core/dev): of the domains in the first 256 slots. */
export const DEVICES_BASE = 0x0160_0000;
export const DEVICES_SIZE = 0x0010_0000;

/** Machine-wide state of I/O resources (hv/iocap/io-state.ts); then the interrupt lines, then the devices of the bus (abi/bus.ts). */
export const IO_STATE_BASE = 0x0170_0000;
export const IO_STATE_SIZE = 256;
export const IO_LINES_BASE = 0x0170_0100;
export const IO_LINE_SIZE = 48;
export const NR_IO_LINES = 256;
export const IO_DEVICES_BASE = 0x0170_4000;
export const IO_DEVICE_SIZE = 0x1000;
/** Nodes of range maps (hv/iocap/range-map.ts): 32 bytes each, number 0 is none. */
export const IO_NODES_BASE = 0x0170_8000;
export const MAX_IO_NODES = 49152;

/** State of actors that live outside the hypervisor (device models, toolstack programs): 4 KiB each. */
export const ACTORS_BASE = 0x01a0_0000;
export const ACTOR_SIZE = 0x1000;
export const MAX_ACTORS = 1024;
/** In the first slab: one past the last one that was ever in use. Written by: the host. */
export const ACTOR_MARK = 16;

/** Stacks of suspended continuations in the race build: 64 KiB each, one for each actor of a race. */
export const CONTINUATIONS_BASE = 0x01f0_0000;
export const CONTINUATION_SIZE = 0x0001_0000;
export const MAX_CONTINUATIONS = 16;

/** One record of 32 bytes for each machine frame (mem/frame-table.ts). */
export const FRAME_TABLE_BASE = 0x0200_0000;
export const FRAME_RECORD_SIZE = 32;
export const MAX_FRAMES = 0x0010_0000;

// --- derived ----------------------------------------------------------------------------------------------------
export const DERIVED_BASE = 0x0400_0000;
/** For each frame: the first decoded block on it, 0 for none. */
export const CODE_HEADS_BASE = 0x0400_0000;
/** Hash table of decoded blocks: 64 Ki slots of 4 bytes. */
export const CODE_HASH_BASE = 0x0440_0000;
export const CODE_HASH_SLOTS = 65536;
/** Arena of decoded blocks and records; cleared as a whole when full. */
export const CODE_ARENA_BASE = 0x0450_0000;
export const CODE_ARENA_SIZE = 0x02b0_0000;
/** Frames from the number stored here on have never been written since the memory was created (0 = not known; mem/allocator.ts). */
export const FRESH_FRAMES_MARK = 0x044f_fff8;
export const DERIVED_END = 0x0700_0000;

// --- journal ----------------------------------------------------------------------------------------------------
export const COUNTERS_BASE = 0x0700_0000;
export const COUNTERS_SIZE = 0x1000;
/** Trace ring: header of 64 bytes, then records of 32 bytes (abi/trace-events.ts). */
export const TRACE_BASE = 0x0700_1000;
export const TRACE_HEADER_SIZE = 64;
export const TRACE_RECORD_SIZE = 32;
export const TRACE_RECORDS = 262144;
/** Hypervisor console: ring of bytes, header {head u32, tail u32}. */
export const HV_CONSOLE_BASE = 0x0790_0000;
export const HV_CONSOLE_SIZE = 0x0001_0000;
/** Output of the in-core devices: ring described in abi/devices.ts. */
export const DEVICE_CONSOLE_BASE = 0x0791_0000;
export const DEVICE_CONSOLE_SIZE = 0x0001_0000;
/** Breakpoints and watches (abi/watch.ts): written by who looks at the machine, neither saved nor hashed. */
export const WATCH_BASE = 0x0794_0000;
export const WATCH_SIZE = 0x0000_8000;
/** Text and numbers handed out at the boundary (crash dumps, results of peek and walk). */
export const MAILBOX_BASE = 0x07a0_0000;
export const MAILBOX_SIZE = 0x0010_0000;

/** Taint build only: the shadow of the hypervisor's work memory, one byte for each byte of it (hv-core/taint/shadow.ts). */
export const WORK_BASE = 0x07a8_0000;
export const WORK_SIZE = 0x0002_8000;
export const SHADOW_BASE = 0x07c0_0000;

// --- domains (semantic) -------------------------------------------------------------------------------------------
/** As many as there are ids; what is used ends at Machine.domainMark. */
export const DOMAINS_BASE = 0x0800_0000;
export const DOMAIN_SIZE = 0x1000;
/** Inside a domain's 4 KiB: the rings and what else vm_event keeps about it (hv/vm-event/ring.ts, domain-events.ts). */
export const DOMAIN_EVENTS_OFFSET = 0xe00;
export const MAX_DOMAINS = 0x7ff0;

// --- frames (semantic) --------------------------------------------------------------------------------------------
/** Machine frame n is at FRAMES_BASE + n * 4096. Frame 0 belongs to the hypervisor and is never mapped. */
export const FRAMES_BASE = 0x1000_0000;
