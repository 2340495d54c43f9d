/** Numbers for people. */
export const hex = (n: number | bigint): string => `0x${n.toString(16)}`;
export const hex16 = (n: bigint): string => n.toString(16).padStart(16, "0");
export const count = (n: number): string => n.toLocaleString("en");

/** "64 MiB": the largest unit that keeps at least one whole. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ["TiB", 2 ** 40],
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
  ] as const)
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
  return `${Math.round(bytes / 102.4) / 10} KiB`;
}
