/** What `<guest|file>` on the command line means: a guest folder's name, or a file. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { UsageError } from "../lib/errors.ts";
import { loadImage } from "../lib/loader/detect.ts";
import type { GuestImage } from "../lib/loader/image.ts";
import { nearest } from "../lib/nearest.ts";
import { readInput } from "../node/files.ts";
import { guestNames, isGuestName, loadGuest } from "../node/guests.ts";

export interface GuestSource {
  readonly name: string;
  readonly image: GuestImage;
  /** The image as a file, for builds that load it themselves. */
  readonly file: Uint8Array;
  readonly listing?: () => string;
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
}

const DEFAULT_MEMORY = 64 * 2 ** 20;

function guestMeant(what: string): string {
  const near = nearest(what, guestNames());
  return near === undefined ? `guests are ${guestNames().join(", ")}` : `did you mean "${near}"?`;
}

/** @throws UsageError: one line that says what is wrong and what to do. */
export async function openGuest(what: string, flat: boolean): Promise<GuestSource> {
  const isName = isGuestName(what);
  if (!isName && /^[a-z0-9-]*$/i.test(what) && !existsSync(what))
    throw new UsageError(`no guest and no file "${what}": ${guestMeant(what)}`);
  const guest = isName ? await loadGuest(what) : undefined;
  const file = guest ? guest.build() : readInput(what, "guest");
  const image = loadImage(file, { flat });
  if (!image.ok) throw new UsageError(`${what}: ${image.problem}`);
  return {
    name: guest?.name ?? basename(what),
    image: image.value,
    file,
    ...(guest ? { listing: () => guest.listing() } : {}),
    memoryBytes: guest?.run?.memoryMiB ? guest.run.memoryMiB * 2 ** 20 : DEFAULT_MEMORY,
    vcpus: guest?.run?.vcpus ?? 1,
    cmdline: guest?.run?.cmdline ?? "",
  };
}
