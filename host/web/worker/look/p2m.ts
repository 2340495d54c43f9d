/** The p2m three ways: all ranges of the guest, the walk of one address, the entries of one table. */
import { frameAddress } from "../../../lib/core.ts";
import { walkEnd } from "../../../lib/debug/walk-text.ts";
import { decodeEpte, type Epte } from "../../../lib/epte.ts";
import { translateGpa, type WalkStep, walk } from "../../../lib/inspect.ts";
import { type P2mMap, readP2m } from "../../../lib/p2m-map.ts";
import type { Session } from "../session.ts";

export interface P2mLook {
  readonly map: P2mMap;
  /** Physical address at which the guest's last EPT exit happened, if there was one. */
  readonly exitGpa: number | undefined;
}

export interface WalkLook {
  readonly gpa: number;
  readonly steps: readonly WalkStep[];
  /** What it ends in: a page, a hole, an illegal entry. */
  readonly end: string;
  /** -1 when there is no frame. */
  readonly mfn: number;
}

export interface TableLook {
  readonly mfn: number;
  readonly level: number;
  /** Slots that hold something, by index. */
  readonly entries: readonly { readonly index: number; readonly entry: bigint; readonly decoded: Epte }[];
}

const SUPPRESS_VE = 1n << 63n;

export function readP2mLook({ machine, domid }: Session): P2mLook | undefined {
  const map = readP2m(machine.core, domid);
  if (!map) return undefined;
  const slot = machine.vcpus(domid)[0];
  const registers = slot === undefined ? undefined : machine.regs(slot);
  const isEpt = registers?.exitReason.startsWith("EPT_") ?? false;
  return { map, exitGpa: isEpt ? Number(registers!.exitGpa) : undefined };
}

export function readWalk({ machine, domid }: Session, gpa: number): WalkLook {
  const steps = walk(machine.core, domid, gpa);
  return { gpa, steps, end: walkEnd(steps.at(-1)), mfn: translateGpa(machine.core, domid, gpa) };
}

/** A frame that is none (any more) gives no entries. */
export function readTable({ machine: { core } }: Session, mfn: number, level: number): TableLook {
  const entries: { index: number; entry: bigint; decoded: Epte }[] = [];
  if (mfn > 0 && mfn < core.frameCount) {
    for (let index = 0; index < 512; index++) {
      const entry = core.view.getBigUint64(frameAddress(mfn, index * 8), true);
      if ((entry & ~SUPPRESS_VE) !== 0n) entries.push({ index, entry, decoded: decodeEpte(entry) });
    }
  }
  return { mfn, level, entries };
}
