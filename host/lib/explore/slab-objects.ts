/**
 * Free objects of the hypervisor's small-object classes at the end of a race (hv-core/mem/frame-slab.ts): behind its link each is still
 * poison, and there are as many as the frame's record says. Only frames with a free object are on the list; a full one has none.
 */
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE, PAGE_SIZE, SLAB_DESCRIPTORS_BASE } from "../../../hv-core/abi/layout.ts";
import { type Core, frameAddress } from "../core.ts";

const CLASSES = 64;
const DESCRIPTOR_SIZE = 16;
const NO_OBJECT = 0xffff;
/** Link of a free object: what lies behind it is poison. */
const FREE_HEADER = 8;
const POISON = 0xc2c2_c2c2;
/** Offsets in a frame's record: objects in use, first free object, next frame of the list. */
const IN_USE = 8;
const FIRST_FREE = 16;
const NEXT = 24;

/** @returns what is wrong, as a sentence. */
export function checkSlabObjects(core: Core): string | undefined {
  const { u32, view } = core;
  for (let id = 0; id < CLASSES; id++) {
    const [partial, bytes] = [0, 4].map((offset) => u32[(SLAB_DESCRIPTORS_BASE + id * DESCRIPTOR_SIZE + offset) >> 2]!);
    for (let mfn = partial!; mfn !== 0; mfn = view.getUint32(FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + NEXT, true)) {
      const record = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
      const most = Math.floor(PAGE_SIZE / bytes!) - view.getUint32(record + IN_USE, true);
      let free = 0;
      for (let at = view.getUint32(record + FIRST_FREE, true); at !== NO_OBJECT; free++) {
        if (free >= most || at >= PAGE_SIZE) return `the list of free objects in frame ${mfn} does not end`;
        const object = frameAddress(mfn, at);
        for (let offset = FREE_HEADER; offset < bytes!; offset += 4)
          if (u32[(object + offset) >> 2] !== POISON)
            return `a small object at ${at} of frame ${mfn} was written to after it was freed`;
        at = u32[object >> 2]!;
      }
      if (free !== most) return `frame ${mfn} has ${most} free small object(s), and ${free} of them on its list`;
    }
  }
  return undefined;
}
