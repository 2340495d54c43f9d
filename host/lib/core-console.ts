/**
 * What comes out of the core by itself: the hypervisor console (console_io) and the small devices with knob device.at = core.
 * Both are rings in the journal that the core writes and the host reads; indices run freely.
 */
import {
  DEVICE_CONSOLE_DATA,
  DEVICE_CONSOLE_ENTRIES,
  DEVICE_CONSOLE_HEAD,
  DEVICE_CONSOLE_TAIL,
} from "../../hv-core/abi/devices.ts";
import { DEVICE_CONSOLE_BASE, HV_CONSOLE_BASE, HV_CONSOLE_SIZE } from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";

const HV_BYTES = HV_CONSOLE_SIZE - 8;
const HV_HEAD = HV_CONSOLE_BASE >> 2;
const DEVICE_HEAD = (DEVICE_CONSOLE_BASE + DEVICE_CONSOLE_HEAD) >> 2;
const DEVICE_TAIL = (DEVICE_CONSOLE_BASE + DEVICE_CONSOLE_TAIL) >> 2;

/** Takes what was written since the last call. When a ring has wrapped unseen, its oldest bytes are lost. */
export function drainCoreConsole(core: Core, each: (byte: number) => void): void {
  if (core.u32[HV_HEAD] !== core.u32[HV_HEAD + 1]) drainHv(core, each);
  if (core.u32[DEVICE_HEAD] !== core.u32[DEVICE_TAIL]) drainDevices(core, each);
}

function drainHv(core: Core, each: (byte: number) => void): void {
  const head = core.u32[HV_HEAD]!;
  let tail = core.u32[HV_HEAD + 1]!;
  if ((head - tail) >>> 0 > HV_BYTES) tail = (head - HV_BYTES) >>> 0;
  for (; tail !== head; tail = (tail + 1) >>> 0) each(core.u8[HV_CONSOLE_BASE + 8 + (tail % HV_BYTES)]!);
  core.u32[HV_HEAD + 1] = tail;
}

function drainDevices(core: Core, each: (byte: number) => void): void {
  const head = core.u32[DEVICE_HEAD]!;
  let tail = core.u32[DEVICE_TAIL]!;
  for (; tail !== head; tail = (tail + 1) >>> 0)
    each(core.u8[DEVICE_CONSOLE_BASE + DEVICE_CONSOLE_DATA + (tail % DEVICE_CONSOLE_ENTRIES) * 2]!);
  core.u32[DEVICE_TAIL] = tail;
}
