/**
 * What a guest folder exports. `guests/<name>/guest.ts` has a default export of this shape; adding a guest is adding a folder.
 *
 * Most guests are assembly text: `assemblyGuest` turns it into image and listing. Read next: asm/assembler.ts, lib/.
 */
import { assemble, type Program } from "./asm/assembler.ts";
import { type ElfOptions, elfImage } from "./asm/elf.ts";
import { listing } from "./asm/listing.ts";

export interface GuestRun {
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
}

export interface Guest {
  /** The folder's name. */
  readonly name: string;
  /** One line for `vmexit guests`. */
  readonly title: string;
  /** The ELF image with its PVH note; the same bytes every time. */
  build(): Uint8Array;
  /** Address, bytes and text of every line. */
  listing(): string;
  /** What the guest needs; defaults are 64 MiB, one vCPU, empty command line. */
  readonly run?: GuestRun;
  /** A probe prints what it sees, line by line, to be compared with a real Xen (test/oracle). */
  readonly isProbe?: boolean;
}

export interface AssemblyGuest extends ElfOptions {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly run?: GuestRun;
  readonly isProbe?: boolean;
}

/** A guest from assembly text. Assembled on first use, once. */
export function assemblyGuest(guest: AssemblyGuest): Guest {
  let program: Program | undefined;
  const assembled = () => {
    program ??= assemble(guest.source);
    return program;
  };
  return {
    name: guest.name,
    title: guest.title,
    build: () => elfImage(assembled(), guest),
    listing: () => listing(assembled()),
    ...(guest.run ? { run: guest.run } : {}),
    ...(guest.isProbe ? { isProbe: true } : {}),
  };
}
