/**
 * Pages that are out, in a file (pager/store.ts). One record a page: header of 64 bytes {magic u32, gfn u32 low, gfn u32 high, checksum u32,
 * sequence u64}, then the page. A page that is put goes to a free place, never over the copy that is still good, and is on the disk before
 * `put` returns. When the file is opened again the record with the highest sequence of a gfn counts; a torn one has a wrong checksum.
 *
 * The first record is the file's own: it names the domain, so that pages of another run are never taken for this one's.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { UsageError } from "../lib/errors.ts";
import { PAGE_BYTES, type PageStore } from "../lib/pager/store.ts";

const HEADER = 64;
const RECORD = HEADER + PAGE_BYTES;
const MAGIC = 0x5047_4d56; // "VMGP"
const FORMAT = "vmexit-pages 1 ";

export interface PageFile extends PageStore {
  close(): void;
}

/** FNV-1a over the words of a record but the checksum itself. */
function checksum(record: DataView): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < RECORD; at += 4) {
    if (at === 12) continue;
    hash = Math.imul(hash ^ record.getUint32(at, true), 0x0100_0193);
  }
  return hash >>> 0;
}

interface Place {
  readonly index: number;
  readonly sequence: bigint;
}

/**
 * Opens or creates the file for the pages of `domain` (any name that is this run's alone).
 * @throws UsageError when the file belongs to another one, or is none of ours.
 */
export function openPageFile(path: string, domain: string): PageFile {
  const fd = openSync(path, "a+");
  closeSync(fd);
  const file = openSync(path, "r+");
  const record = new Uint8Array(RECORD);
  const view = new DataView(record.buffer);
  const places = new Map<number, Place>();
  const free: number[] = [];
  let sequence = 0n;

  function write(index: number): void {
    let done = 0;
    while (done < RECORD) done += writeSync(file, record, done, RECORD - done, index * RECORD + done);
    fsyncSync(file);
  }
  function load(index: number): boolean {
    if (readSync(file, record, 0, RECORD, index * RECORD) !== RECORD) return false;
    return view.getUint32(0, true) === MAGIC && view.getUint32(12, true) === checksum(view);
  }

  const name = new TextEncoder().encode(FORMAT + domain);
  let end = Math.floor(fstatSync(file).size / RECORD);
  if (end === 0) {
    ftruncateSync(file, 0);
    record.fill(0);
    record.set(name);
    write(0);
    end = 1;
  } else {
    readSync(file, record, 0, RECORD, 0);
    const wanted = new Uint8Array(RECORD);
    wanted.set(name);
    if (!record.every((byte, i) => byte === wanted[i])) {
      closeSync(file);
      throw new UsageError(`${path} does not hold the pages of ${domain}: remove it, or choose another file`);
    }
  }
  for (let index = 1; index < end; index++) {
    const gfn = load(index) ? view.getUint32(4, true) + view.getUint32(8, true) * 2 ** 32 : -1;
    const found = view.getBigUint64(16, true);
    const older = places.get(gfn);
    if (gfn < 0 || (older && older.sequence > found)) {
      free.push(index);
      continue;
    }
    if (older) free.push(older.index);
    places.set(gfn, { index, sequence: found });
    if (found > sequence) sequence = found;
  }

  return {
    put(gfn, data) {
      const index = free.pop() ?? end++;
      sequence++;
      record.fill(0, 0, HEADER);
      record.set(data, HEADER);
      view.setUint32(0, MAGIC, true);
      view.setUint32(4, gfn % 2 ** 32, true);
      view.setUint32(8, Math.floor(gfn / 2 ** 32), true);
      view.setBigUint64(16, sequence, true);
      view.setUint32(12, checksum(view), true);
      write(index);
      const older = places.get(gfn);
      places.set(gfn, { index, sequence });
      if (older) free.push(older.index);
    },
    get(gfn) {
      const place = places.get(gfn);
      return place && load(place.index) ? record.slice(HEADER) : undefined;
    },
    forget(gfn) {
      const place = places.get(gfn);
      if (!place) return;
      places.delete(gfn);
      free.push(place.index);
    },
    get size() {
      return places.size;
    },
    close: () => closeSync(file),
  };
}
