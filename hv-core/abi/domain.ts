/** Offsets in a domain (hv/domain.ts) and a vCPU record (hv/vcpu.ts) that the host's views read; pinned there at compile time. */
export const DOM_STATE = 0;
export const DOM_DOMID = 8;
export const DOM_IS_SHUT_DOWN = 48;
export const DOM_SHUTDOWN_CODE = 52;
export const DOM_CRASH_REASON = 56;
export const DOM_CONTROLLER_PAUSE = 36;
export const DOM_HYPERVISOR_PAUSE = 40;
export const DOM_P2M_LOCK = 64;
export const DOM_P2M_IOREQ_SERVER = 88;
export const DOM_P2M_IOREQ_ENTRIES = 96;
export const DOM_P2M_IOREQ_LOCK = 104;
export const DOM_IOREQ_LOCK = 124;
/** Root of the bitmap of dirty pages, its frames, and its lock. */
export const DOM_PAGING_LOCK = 788;
export const DOM_LOG_DIRTY_ROOT = 796;
export const DOM_LOG_DIRTY_FRAMES = 800;
export const DOM_EVTCHN_LOCK = 172;
export const DOM_SHARED_PAGES = 908;
export const DOM_ASSIGNED_DEVICES = 912;
/** In the record at VCPU_HV_OFFSET. */
export const VCPU_IN_USE = 0;
export const VCPU_DOMID = 8;
export const VCPU_ID = 12;
export const VCPU_PAUSE_FLAGS = 16;
/** In the machine header (base/machine.ts): one past the highest domain slot ever used. */
export const MACHINE_DOMAIN_MARK = 16;
/** Virtual time, u64. */
export const MACHINE_NOW = 32;
/** What is left of a turn that was cut, u64. */
export const MACHINE_TURN_LEFT = 120;
/** The domctl lock: vCPU slot + 1 of its holder. */
export const MACHINE_DOMCTL_LOCK = 96;
