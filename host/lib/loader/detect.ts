/**
 * Says what a file is and loads it, or says why it cannot run. The order: PVH note, multiboot 1 header; a flat image only on request,
 * because every file would be one.
 */
import { elfTitle, isElf, parseElf } from "./elf.ts";
import { loadFlat } from "./flat.ts";
import { bad, type GuestImage, type Parsed } from "./image.ts";
import { findMultibootHeader, loadMultiboot } from "./multiboot1.ts";
import { loadPvh, pvhEntry } from "./pvh.ts";

export interface DetectOptions {
  /** Take whatever it is as a flat image. */
  readonly flat?: boolean;
}

/** A file we know but cannot boot: what to use instead. */
function knownButUnusable(file: Uint8Array): string | undefined {
  const has = (at: number, ...bytes: number[]): boolean => bytes.every((b, i) => file[at + i] === b);
  if (has(0x202, 0x48, 0x64, 0x72, 0x53))
    return "a Linux bzImage: vmexit boots the vmlinux ELF file inside it, so give it that one";
  if (has(0, 0x1f, 0x8b)) return "a gzip file: unpack it first (gunzip)";
  if (has(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a)) return "an xz file: unpack it first (xz -d)";
  if (has(0, 0x28, 0xb5, 0x2f, 0xfd)) return "a zstd file: unpack it first (zstd -d)";
  if (has(0, 0x4d, 0x5a)) return "a DOS or Windows program: vmexit boots ELF files with a PVH note";
  if (has(0, 0x23, 0x21)) return "a script: vmexit boots ELF files with a PVH note";
  return undefined;
}

export function loadImage(file: Uint8Array, options: DetectOptions = {}): Parsed<GuestImage> {
  if (options.flat) return loadFlat(file);
  if (file.length === 0) return bad("the file is empty: nothing to run");
  const header = findMultibootHeader(file);
  if (isElf(file)) {
    const elf = parseElf(file);
    if (!elf.ok) return elf;
    const entry = pvhEntry(elf.value);
    if (entry !== undefined) return loadPvh(elf.value, entry);
    if (header !== undefined) return loadMultiboot(file, header, elf.value);
    return bad(
      `${elfTitle(elf.value)} without a PVH note (owner "Xen", type 18) and without a multiboot header in the first 8 KiB: link one of them in`,
    );
  }
  if (header !== undefined) return loadMultiboot(file, header, undefined);
  const known = knownButUnusable(file);
  if (known !== undefined) return bad(`this is ${known}`);
  return bad(
    "neither an ELF file nor a multiboot image: use an ELF file with a PVH note, or --flat to load the bytes as they are at 1 MiB",
  );
}
