/** Snapshots: the used extents of the semantic and journal regions, copied whole. Derived memory is dropped on restore. */
import { FRAMES_BASE, MAILBOX_BASE } from "../../hv-core/abi/layout.ts";
import { type Core, refreshViews } from "./core.ts";
import { UsageError } from "./errors.ts";

export interface Snapshot {
  readonly format: "vmexit-snapshot";
  readonly version: 1;
  readonly frameCount: number;
  readonly extents: readonly { readonly start: number; readonly bytes: Uint8Array }[];
}

const TRIPLE_BYTES = 12;

/** Used extents of linear memory, as they are now. */
export function usedPlaces(core: Core): [start: number, length: number][] {
  const count = core.exports.snapshotExtents();
  const places: [start: number, length: number][] = [];
  for (let i = 0; i < count; i++) {
    const at = (MAILBOX_BASE + i * TRIPLE_BYTES) >> 2;
    places.push([core.u32[at]!, core.u32[at + 1]!]);
  }
  return places;
}

export function takeSnapshot(core: Core): Snapshot {
  const extents = usedPlaces(core).map(([start, length]) => ({ start, bytes: core.u8.slice(start, start + length) }));
  return { format: "vmexit-snapshot", version: 1, frameCount: core.frameCount, extents };
}

/** @throws UsageError when the snapshot is of a machine of another size. */
export function restoreSnapshot(core: Core, snapshot: Snapshot): void {
  if (snapshot.frameCount !== core.frameCount)
    throw new UsageError(
      `the snapshot is of a machine with ${snapshot.frameCount} frames, this one has ${core.frameCount}: create it with the same memory`,
    );
  // What came into use after the snapshot goes. Frames excepted: they are cleared when they are handed out.
  const before = new Map(usedPlaces(core));
  for (const { start, bytes } of snapshot.extents) {
    core.u8.set(bytes, start);
    const used = before.get(start) ?? 0;
    if (start !== FRAMES_BASE && used > bytes.length) core.u8.fill(0, start + bytes.length, start + used);
  }
  core.exports.restored();
  refreshViews(core);
}
