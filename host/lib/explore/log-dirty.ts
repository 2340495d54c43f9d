/** The bitmap of dirty pages as an oracle sees it (hv-core/hv/logdirty/bitmap.ts): it only looks. */
import { DOM_LOG_DIRTY_FRAMES, DOM_LOG_DIRTY_ROOT } from "../../../hv-core/abi/domain.ts";
import { frameAddress } from "../core.ts";
import { word } from "./actors.ts";
import type { World } from "./world.ts";

/** Levels of nodes above the leaves; in a race's small machine every page is below their first entries. */
const NODE_LEVELS = 3;

/** Whether page `gfn` (below 32768) is noted as written. */
export function isMarkedDirty(world: World, gfn: number): boolean {
  let mfn = word(world, world.domainAt + DOM_LOG_DIRTY_ROOT);
  for (let level = 0; level < NODE_LEVELS && mfn !== 0; level++) mfn = word(world, frameAddress(mfn, 0));
  return mfn !== 0 && ((world.core.u8[frameAddress(mfn, gfn >> 3)]! >> (gfn & 7)) & 1) !== 0;
}

/** Frames that the bitmap has taken from the paging pool. */
export const bitmapFrames = (world: World): number => word(world, world.domainAt + DOM_LOG_DIRTY_FRAMES);
export const hasBitmap = (world: World): boolean => word(world, world.domainAt + DOM_LOG_DIRTY_ROOT) !== 0;
