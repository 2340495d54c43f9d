/** Guest-physical addresses as four table indices of nine bits and an offset. */
export const LEVEL_NAMES: Readonly<Record<number, string>> = { 4: "PML4", 3: "PDPT", 2: "PD", 1: "PT" };

/** Bytes that one entry of a table of this level covers. */
export const entryBytes = (level: number): number => 4096 * 512 ** (level - 1);

export const indexAt = (gpa: number, level: number): number => Math.floor(gpa / entryBytes(level)) % 512;

/** The first address below entry `index` of the table of `level` that `gpa` lies in. */
export function withIndex(gpa: number, level: number, index: number): number {
  const table = entryBytes(level) * 512;
  return Math.floor(gpa / table) * table + index * entryBytes(level);
}
