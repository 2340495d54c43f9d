/** Where a pager keeps pages that are out: in memory (the browser), or in a file (node/page-file.ts). */
export const PAGE_BYTES = 4096;

export interface PageStore {
  /** Keeps a copy of the page. It is safe when this returns: the frame may go then. Replaces what was kept for `gfn`. */
  put(gfn: number, data: Uint8Array): void;
  /** What was put last for `gfn`, undefined = nothing, or it is damaged. */
  get(gfn: number): Uint8Array | undefined;
  /** The page is in memory again: its place may be used for another one. */
  forget(gfn: number): void;
  /** Pages kept. */
  readonly size: number;
}

/** A store that is gone with its process. */
export function memoryStore(): PageStore {
  const pages = new Map<number, Uint8Array>();
  return {
    put: (gfn, data) => void pages.set(gfn, data.slice()),
    get: (gfn) => pages.get(gfn),
    forget: (gfn) => void pages.delete(gfn),
    get size() {
      return pages.size;
    },
  };
}
