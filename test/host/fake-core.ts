/** A core without the core: only linear memory and its views, for logic that needs nothing else. */

import type { Core } from "../../host/lib/core.ts";
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
