/**
 * Breakpoints and watches: what stops a run. The list stands in a region of its own in linear memory (hv-core/abi/watch.ts), which belongs to
 * whoever looks at the machine: it is no state, no snapshot has it, and no hash covers it.
 *
 * What is seen: accesses by the instructions of a guest, as the debug registers of a processor see them. Writes by the hypervisor, by devices
 * and by dom0 are not.
 */
import type { DomId } from "../ids.ts";

export type WatchId = number;

/** Letters of what is watched: r reads, w writes, x execution. */
export type AccessLetters = "r" | "w" | "x" | "rw" | "rx" | "wx" | "rwx";

export type WatchSpec =
  /** Linear addresses, under whatever page tables are in use; `slot` limits it to one vCPU. x stops before the instruction, r and w after it. */
  | {
      readonly kind: "linear";
      readonly address: bigint;
      readonly bytes?: number;
      readonly access: AccessLetters;
      readonly slot?: number;
    }
  /** Guest-physical addresses. A gfn is its address with 4096 bytes. */
  | {
      readonly kind: "physical";
      readonly domid: DomId;
      readonly gpa: number;
      readonly bytes?: number;
      readonly access: AccessLetters;
    }
  /** After an exit with this reason was handled: a number, or a name as exits.ts has it ("EPT_VIOLATION"). */
  | { readonly kind: "exit"; readonly reason: number | string }
  /** After a p2m entry of these gfns was stored. Default: every gfn. */
  | { readonly kind: "p2m"; readonly domid?: DomId; readonly gfn?: number; readonly pages?: number };

export interface WatchHit {
  readonly id: WatchId;
  readonly kind: "read" | "write" | "execute" | "exit" | "p2m";
  /** Slot of the vCPU, -1 when it was none's doing. */
  readonly slot: number;
  /** Virtual time. */
  readonly time: number;
  /** Linear address of the access or the instruction; 0n for exits and p2m changes. */
  readonly linear: bigint;
  /** Guest-physical address of the access; the gfn's of a p2m change; -1 when it is not known. */
  readonly gpa: number;
  /** Bytes of the access; pages of a p2m change; the reason of an exit. */
  readonly size: number;
}
