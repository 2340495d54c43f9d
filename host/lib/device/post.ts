/** POST code port 0x80: keeps the last byte written. */
import { getField, setField } from "../actors.ts";
import type { DeviceModel } from "./model.ts";

const CODE = 64;

export const post: DeviceModel = {
  read: (context, slab) => getField(context.dom0.core, slab, CODE),
  write: (context, slab, _offset, _size, low) => setField(context.dom0.core, slab, CODE, low & 255),
};
