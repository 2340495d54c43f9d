/** The guests that come with vmexit. Their files are fetched when they are asked for. */
import guests from "virtual:guests";
import type { GuestTitle } from "./protocol.ts";

export interface OpenedGuest {
  readonly file: Uint8Array;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
}

export const guestTitles = (): GuestTitle[] => guests.map(({ name, title }) => ({ name, title }));

async function fetchFile(url: string, what: string): Promise<Response> {
  const response = await fetch(url);
  if (response.ok) return response;
  throw new Error(`the server has no ${what} (${response.status}): copy the whole folder, with its assets`);
}

/** Undefined when there is none of that name. @throws Error when its file is missing. */
export async function openBundled(name: string): Promise<OpenedGuest | undefined> {
  const guest = guests.find((g) => g.name === name);
  if (!guest) return undefined;
  const file = new Uint8Array(await (await fetchFile(guest.image, `${name}.elf`)).arrayBuffer());
  return { ...guest.run, file };
}

/** Address, bytes and text of every line; undefined when there is no guest of that name. */
export async function guestListing(name: string): Promise<string | undefined> {
  const guest = guests.find((g) => g.name === name);
  return guest ? (await fetchFile(guest.listing, `${name}.lst`)).text() : undefined;
}
