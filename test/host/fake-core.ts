/** A core without the core: only linear memory and its views, for logic that needs nothing else. */
import { createArena } from "../../host/lib/buffers/arena.ts";
import type { Core } from "../../host/lib/core.ts";
import type { Dom0 } from "../../host/lib/dom0.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";

export function fakeCore(): Core {
  const memory = new WebAssembly.Memory({ initial: FRAMES_BASE / 65536 + 16 });
  const { buffer } = memory;
  return {
    exports: {} as Core["exports"],
    memory,
    frameCount: 256,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
    view: new DataView(buffer),
  };
}

/** A dom0 that makes no hypercalls. */
export function fakeDom0(core: Core): Dom0 {
  const arena = createArena(core, { ramAt: 0, firstPage: 0, pages: 1, booksAt: 0 });
  return { core, pages: 0, ramAt: 0, sharedInfoAt: 0, arena };
}
