/** A core without the core: only linear memory and its views, for logic that needs nothing else. */
import type { Core } from "../../host/lib/core.ts";

export function fakeCore(): Core {
  const memory = new WebAssembly.Memory({ initial: 0x0800_0000 / 65536 + 16 });
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
