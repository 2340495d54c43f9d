/** The information block of multiboot 1 that EBX points to: memory sizes, command line, modules, memory map, loader name. */
import type { MemoryMapEntry } from "./memory.ts";
import type { ModulePlace } from "./start-info.ts";

const INFO_BYTES = 120;
const FLAG_MEMORY = 1 << 0;
const FLAG_CMDLINE = 1 << 2;
const FLAG_MODULES = 1 << 3;
const FLAG_MAP = 1 << 6;
const FLAG_LOADER_NAME = 1 << 9;
const MODULE_BYTES = 16;
/** size u32 (20), base u64, length u64, type u32. */
const MAP_ENTRY_BYTES = 24;

export interface MultibootInfo {
  readonly cmdline: string;
  readonly modules: readonly ModulePlace[];
  readonly map: readonly MemoryMapEntry[];
  readonly memoryBytes: number;
}

/** The bytes to put at `gpa`. */
export function multibootInfoBlock(gpa: number, info: MultibootInfo): Uint8Array {
  const text = new TextEncoder().encode(`${info.cmdline}\0`);
  const name = new TextEncoder().encode("vmexit\0");
  const modules = INFO_BYTES;
  const map = modules + info.modules.length * MODULE_BYTES;
  const textAt = map + info.map.length * MAP_ENTRY_BYTES;
  const nameAt = textAt + text.length;
  const bytes = new Uint8Array(nameAt + name.length);
  const view = new DataView(bytes.buffer);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  u32(0, FLAG_MEMORY | FLAG_CMDLINE | FLAG_MAP | FLAG_LOADER_NAME | (info.modules.length > 0 ? FLAG_MODULES : 0));
  u32(4, 640);
  u32(8, Math.max(0, Math.floor(info.memoryBytes / 1024) - 1024));
  u32(16, gpa + textAt);
  u32(20, info.modules.length);
  u32(24, gpa + modules);
  u32(44, info.map.length * MAP_ENTRY_BYTES);
  u32(48, gpa + map);
  u32(64, gpa + nameAt);
  info.modules.forEach((module, i) => {
    u32(modules + i * MODULE_BYTES, module.gpa);
    u32(modules + i * MODULE_BYTES + 4, module.gpa + module.bytes);
  });
  info.map.forEach((entry, i) => {
    const at = map + i * MAP_ENTRY_BYTES;
    u32(at, MAP_ENTRY_BYTES - 4);
    u32(at + 4, entry.base % 2 ** 32);
    u32(at + 8, Math.floor(entry.base / 2 ** 32));
    u32(at + 12, entry.size % 2 ** 32);
    u32(at + 16, Math.floor(entry.size / 2 ** 32));
    u32(at + 20, entry.type);
  });
  bytes.set(text, textAt);
  bytes.set(name, nameAt);
  return bytes;
}
