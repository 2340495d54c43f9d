/**
 * Locks and looks that tests leave out of the fixed code, one at a time (knob 65, base/mutation.ts): the explorer must find each.
 * What each does and where it is found: docs/explorer.md.
 */
/** domainPause does not wait until the vCPUs have left the hypervisor (hv/domain/pause.ts). */
export const MUTATION_PAUSE_DOES_NOT_WAIT = 1;
/** A vCPU of a paused domain goes on (hv/domain/vcpu-state.ts). */
export const MUTATION_PAUSED_RUNS = 2;
/** A server is destroyed without pausing its domain (hv/ioreq/life-cycle.ts). */
export const MUTATION_DESTROY_UNPAUSED = 3;
/** A destroyed server's pages keep the type (hv/ioreq/mem-type.ts, with knob destroy.type=fixed). */
export const MUTATION_DESTROY_KEEPS_TYPE = 4;
/** A destroyed server's waiting vCPU is not woken (hv/ioreq/life-cycle.ts, with knob destroy.pending=fixed). */
export const MUTATION_DESTROY_DOES_NOT_WAKE = 5;
/** set_mem_type does not look again for the server under the lock (hv/ioreq/dm-op-memory.ts, with knob setType.check=fixed). */
export const MUTATION_SET_TYPE_NO_LOOK = 6;
/** "The type has no server" is not looked at: the write is dropped (hv/emulate/do-io.ts). */
export const MUTATION_NO_SERVER_NO_LOOK = 7;
/** A vCPU that falls asleep does not look at its slot again (hv/ioreq/wait.ts). */
export const MUTATION_WAIT_NO_SECOND_LOOK = 8;
/** The state of a slot may go backwards (hv/ioreq/wait.ts). */
export const MUTATION_WAIT_BACKWARDS = 9;
/** Unmapping the type leaves its pages as they are (hv/ioreq/mem-type-reset.ts). */
export const MUTATION_NO_RESET = 10;
/** Event channel operations do without the domain's event lock (hv/evtchn/op.ts). */
export const MUTATION_EVTCHN_UNLOCKED = 11;
/** set_mem_type changes a page without the p2m lock (hv/ioreq/dm-op-memory.ts). */
export const MUTATION_SET_TYPE_UNLOCKED = 12;
