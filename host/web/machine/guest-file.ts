/** A file that somebody dropped on the page or chose: its bytes, and a hash to recognise it by. It never leaves the computer. */
import { texts } from "../texts/machine.ts";
import type { Answer } from "../worker/protocol.ts";

export interface OpenedFile {
  readonly name: string;
  /** First 16 hexadecimal digits of its SHA-256; empty where the browser has no hash (plain http). */
  readonly sha: string;
  readonly bytes: Uint8Array;
}

const LARGEST = 256 * 2 ** 20;

export async function openGuestFile(file: File): Promise<Answer<OpenedFile>> {
  if (file.size > LARGEST) return { ok: false, problem: texts.notes.tooLarge(file.name) };
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { ok: true, value: { name: file.name, sha: await shortHash(bytes), bytes } };
  } catch (error) {
    // A folder, or a file that was deleted meanwhile.
    return {
      ok: false,
      problem: texts.notes.unreadable(file.name, error instanceof Error ? error.message : String(error)),
    };
  }
}

async function shortHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join("");
}
