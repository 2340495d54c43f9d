/**
 * A machine between two commands: gzip of a header (length u32, JSON) and the used parts of the linear memory. A state file is data
 * from outside: its parts must be those that the machine itself would save, and a checksum finds what was damaged.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { UsageError } from "../lib/errors.ts";
import type { Snapshot } from "../lib/snapshot.ts";

export interface SavedMachine {
  /** Text of the scenario file, and its name. */
  readonly scenario: string;
  readonly file: string;
  readonly domids: Readonly<Record<string, number>>;
  readonly snapshot: Snapshot;
}

const FORMAT = "vmexit-machine";
const LARGEST = 2 ** 31 - 1;
const LARGEST_HEADER = 1 << 20;

export function writeState(file: string, saved: SavedMachine): void {
  const { frameCount, extents } = saved.snapshot;
  const body = Buffer.concat(extents.map((e) => e.bytes));
  const header = Buffer.from(
    JSON.stringify({
      format: FORMAT,
      version: 1,
      sha256: createHash("sha256").update(body).digest("hex"),
      scenario: saved.scenario,
      file: saved.file,
      domids: saved.domids,
      frameCount,
      extents: extents.map((e) => [e.start, e.bytes.length]),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  try {
    writeFileSync(file, gzipSync(Buffer.concat([length, header, body]), { level: 1 }));
  } catch (error) {
    throw new UsageError(`state ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws UsageError when it is no state file, of another version, or damaged */
export function readState(file: string): SavedMachine {
  const fail = (reason: string): never => {
    throw new UsageError(`state ${file}: ${reason}`);
  };
  let data: Buffer;
  try {
    data = gunzipSync(readFileSync(file), { maxOutputLength: LARGEST });
  } catch (error) {
    return fail((error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : "this is no state of a machine");
  }
  const headerBytes = data.length < 4 ? 0 : data.readUInt32LE(0);
  if (headerBytes === 0 || headerBytes > LARGEST_HEADER || 4 + headerBytes > data.length)
    return fail("this is no state of a machine");
  let header: unknown;
  try {
    header = JSON.parse(data.toString("utf8", 4, 4 + headerBytes));
  } catch {
    return fail("this is no state of a machine");
  }
  if (!isRecord(header) || header.format !== FORMAT) return fail("this is no state of a machine");
  if (header.version !== 1) return fail(`version ${header.version} is not 1: it is of another vmexit`);
  const { scenario, file: name, domids, frameCount, extents, sha256 } = header;
  const isWhole =
    typeof scenario === "string" &&
    typeof name === "string" &&
    isRecord(domids) &&
    Object.values(domids).every(isCount) &&
    isCount(frameCount) &&
    Array.isArray(extents) &&
    extents.every((e): boolean => Array.isArray(e) && e.length === 2 && e.every(isCount));
  if (!isWhole) return fail("its header is damaged");
  const body = data.subarray(4 + headerBytes);
  if (createHash("sha256").update(body).digest("hex") !== sha256) return fail("it is damaged: its checksum is wrong");
  const parts: { start: number; bytes: Uint8Array }[] = [];
  let at = 0;
  for (const [start, length] of extents as [number, number][]) {
    if (at + length > body.length) return fail("its header is damaged");
    parts.push({ start, bytes: new Uint8Array(body.subarray(at, at + length)) });
    at += length;
  }
  if (at !== body.length) return fail("its header is damaged");
  const snapshot: Snapshot = {
    format: "vmexit-snapshot",
    version: 1,
    frameCount: frameCount as number,
    extents: parts,
  };
  return { scenario: scenario as string, file: name as string, domids: domids as Record<string, number>, snapshot };
}

/** Whether each part of a saved state is one that this machine saves. @throws UsageError */
export function checkParts(file: string, saved: Snapshot, own: Snapshot, memoryBytes: number): void {
  const starts = own.extents.map((e) => e.start);
  const isOwn =
    saved.extents.length === starts.length &&
    saved.extents.every((e, i) => {
      const end = starts.filter((s) => s > e.start).reduce((least, s) => Math.min(least, s), memoryBytes);
      return e.start === starts[i] && e.start + e.bytes.length <= end;
    });
  if (!isOwn) throw new UsageError(`state ${file}: it is of another build of vmexit`);
}
