/** The balance of the frame table at the end of a race: what every owner has is what its account says, and nobody holds a free frame. */
import { FRAME_OWNERS_BASE, FRAME_RECORD_SIZE, FRAME_TABLE_BASE, MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import type { World } from "./world.ts";

/** Offsets in a frame's record, and its flags (hv-core/mem/frame-table.ts). */
const OWNER = 0;
const FLAGS = 2;
const REFS = 4;
const FRAME_FREE = 16;
/** Domain slots of a race: dom0 and the guest. */
const DOMAINS = 2;

/** Frames ever handed out: the extent of the frame table says. */
function frameMark(world: World): number {
  const count = world.exports.snapshotExtents();
  for (let i = 0; i < count; i++) {
    const at = (MAILBOX_BASE >> 2) + i * 3;
    if (world.core.u32[at] === FRAME_TABLE_BASE) return world.core.u32[at + 1]! / FRAME_RECORD_SIZE;
  }
  return 0;
}

/** What is wrong, as a sentence; undefined when the books balance. */
export function checkFrames(world: World): string | undefined {
  const { view } = world.core;
  const mark = frameMark(world);
  const owned = new Array<number>(DOMAINS).fill(0);
  for (let mfn = 1; mfn < mark; mfn++) {
    const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
    const isFree = (view.getUint16(at + FLAGS, true) & FRAME_FREE) !== 0;
    const refs = view.getUint32(at + REFS, true);
    if (isFree && refs !== 0) return `frame ${mfn} is free and has ${refs} reference(s)`;
    if (!isFree && refs === 0) return `frame ${mfn} has an owner and no reference`;
    const owner = view.getUint16(at + OWNER, true);
    if (!isFree && owner < DOMAINS) owned[owner]!++;
  }
  for (let slot = 0; slot < DOMAINS; slot++) {
    const account = view.getUint32(FRAME_OWNERS_BASE + slot * 8 + 4, true);
    if (account !== owned[slot])
      return `the domain in slot ${slot} has ${owned[slot]} frames and its account says ${account}`;
  }
  return undefined;
}
