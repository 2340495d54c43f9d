/** Snapshots: the used extents of the semantic and journal regions, copied whole. Derived memory is dropped on restore. */
import { MAILBOX_BASE } from "../../hv-core/abi/layout.ts";
import { type Core, refreshViews } from "./core.ts";
import { UsageError } from "./errors.ts";

export interface Snapshot {
  readonly format: "vmexit-snapshot";
  readonly version: 1;
  readonly frameCount: number;
  readonly extents: readonly { readonly start: number; readonly bytes: Uint8Array }[];
}

const TRIPLE_BYTES = 12;

export function takeSnapshot(core: Core): Snapshot {
  const count = core.exports.snapshotExtents();
  const places: [start: number, length: number][] = [];
  for (let i = 0; i < count; i++) {
    const at = (MAILBOX_BASE + i * TRIPLE_BYTES) >> 2;
    places.push([core.u32[at]!, core.u32[at + 1]!]);
  }
  const extents = places.map(([start, length]) => ({ start, bytes: core.u8.slice(start, start + length) }));
  return { format: "vmexit-snapshot", version: 1, frameCount: core.frameCount, extents };
}

/** @throws UsageError when the snapshot is of a machine of another size. */
export function restoreSnapshot(core: Core, snapshot: Snapshot): void {
  if (snapshot.frameCount !== core.frameCount)
    throw new UsageError(
      `the snapshot is of a machine with ${snapshot.frameCount} frames, this one has ${core.frameCount}: create it with the same memory`,
    );
  for (const { start, bytes } of snapshot.extents) core.u8.set(bytes, start);
  core.exports.restored();
  refreshViews(core);
}
