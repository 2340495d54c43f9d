/** Bytes of memory as the rows of a dump. */
export interface MemoryRow {
  readonly address: bigint;
  /** Two digits each; "--" where no frame is behind the address. */
  readonly cells: readonly string[];
  readonly text: string;
}

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;

export function memoryRows(address: bigint, bytes: Uint8Array, backed: Uint8Array): MemoryRow[] {
  const rows: MemoryRow[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Array.from(bytes.subarray(at, at + 16));
    rows.push({
      address: address + BigInt(at),
      cells: row.map((byte, i) => (backed[at + i] ? byte.toString(16).padStart(2, "0") : "--")),
      text: row.map((byte, i) => (backed[at + i] && isPrintable(byte) ? String.fromCharCode(byte) : ".")).join(""),
    });
  }
  return rows;
}

/** "0x100000", "1048576"; undefined when it is no address of 64 bits. */
export function parseAddress(text: string): bigint | undefined {
  const word = text.trim().replaceAll("_", "");
  return /^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(word) ? BigInt(word) : undefined;
}
