/** Debug port 0xE9: every byte written is a character of the console; reads give 0xE9, as on Bochs and QEMU. */
import { DEBUG_PORT } from "../../../hv-core/abi/devices.ts";
import { putConsole } from "./context.ts";
import type { DeviceModel } from "./model.ts";

export const debugPort: DeviceModel = {
  read: () => DEBUG_PORT,
  write: (context, _slab, _offset, _size, low) => putConsole(context, low & 255),
};
