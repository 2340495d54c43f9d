/**
 * The blocks a PVH guest finds through EBX (spec 10 section 3), laid out as libxl 4.17 does:
 * start info (56 bytes), command line, module list of two entries, module command lines, memory map.
 */
import type { MemoryMapEntry } from "./memory.ts";

const MAGIC = 0x336ec578;
const START_INFO_BYTES = 56;
const MODULE_BYTES = 32;
const MODULE_MAX = 2;
const MODULE_CMDLINE_BYTES = 1024;
const MAP_ENTRY_BYTES = 24;

export interface ModulePlace {
  readonly gpa: number;
  readonly bytes: number;
}

export interface StartInfo {
  readonly cmdline: string;
  readonly modules: readonly ModulePlace[];
  readonly map: readonly MemoryMapEntry[];
  /** 0 = the guest has no ACPI tables. */
  readonly rsdp: number;
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
const cmdlineRoom = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : roundUp(bytes.length + 1, 8));

/** How many modules a guest can be given. */
export const MAX_MODULES = MODULE_MAX;

/** The bytes to put at `gpa`. */
export function startInfoBlock(gpa: number, info: StartInfo): Uint8Array {
  const text = new TextEncoder().encode(info.cmdline);
  const room = cmdlineRoom(text);
  const modlist = START_INFO_BYTES + room;
  const map = modlist + MODULE_BYTES * MODULE_MAX + MODULE_CMDLINE_BYTES * MODULE_MAX;
  const bytes = new Uint8Array(map + info.map.length * MAP_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => {
    view.setUint32(at, value % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 1, true);
  view.setUint32(12, info.modules.length, true);
  if (info.modules.length > 0) u64(16, gpa + modlist);
  if (text.length > 0) u64(24, gpa + START_INFO_BYTES);
  u64(32, info.rsdp);
  u64(40, gpa + map);
  view.setUint32(48, info.map.length, true);
  bytes.set(text, START_INFO_BYTES);
  info.modules.forEach((module, i) => {
    u64(modlist + i * MODULE_BYTES, module.gpa);
    u64(modlist + i * MODULE_BYTES + 8, module.bytes);
  });
  info.map.forEach((entry, i) => {
    u64(map + i * MAP_ENTRY_BYTES, entry.base);
    u64(map + i * MAP_ENTRY_BYTES + 8, entry.size);
    view.setUint32(map + i * MAP_ENTRY_BYTES + 16, entry.type, true);
  });
  return bytes;
}
