/**
 * Bounce buffers: the caller's own array is copied into safe memory before the call and back after it. Unlike libxc, nothing is
 * copied back when the call fails, so the caller's data stay what they were (spec 07 section 7.4, rule 5).
 */
import { type Arena, addressOf, allocBlock, type Block, freeBlock } from "./arena.ts";
import { type AnyElement, U8 } from "./element.ts";
import { type Direction, Safe } from "./safe.ts";

/** Arrays that are bounced right now: two bounces of the same bytes would overwrite each other's result. */
const bouncing = new Set<Uint8Array>();

function overlaps(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length && b.byteOffset < a.byteOffset + a.length;
}

/**
 * Runs `body` with a safe copy of `user`. "in" and "inout" are copied in; "out" and "inout" are copied back if `body` returns.
 * @throws TypeError when the array is bounced already; HvError ENOMEM
 */
export function bounce<D extends Direction, T>(
  arena: Arena,
  user: Uint8Array,
  direction: D,
  body: (safe: Safe<typeof U8, D>) => T,
  label = "bounce",
): T {
  return bounceAs(arena, U8, user, direction, body, label);
}

/** As `bounce`, with elements of another kind: `user` holds whole elements. */
export function bounceAs<E extends AnyElement, D extends Direction, T>(
  arena: Arena,
  element: E,
  user: Uint8Array,
  direction: D,
  body: (safe: Safe<E, D>) => T,
  label: string = element.name,
): T {
  if (user.length % element.bytes !== 0)
    throw new RangeError(`bounce "${label}": ${user.length} bytes are no whole number of ${element.name}`);
  for (const other of bouncing)
    if (overlaps(user, other)) throw new TypeError(`bounce "${label}": this array is being bounced already`);
  const copiesIn = direction !== "out";
  const block = allocBlock(arena, user.length, label, copiesIn);
  bouncing.add(user);
  try {
    if (copiesIn) arena.core.u8.set(user, addressOf(arena, block));
    const result = body(new Safe(arena, block, element, direction, user.length / element.bytes));
    if (direction !== "in") copyBack(arena, block, user);
    return result;
  } finally {
    bouncing.delete(user);
    if (block.isLive) freeBlock(arena, block);
  }
}

/** The address is taken now: the memory may have grown since the buffer was filled. */
function copyBack(arena: Arena, block: Block, user: Uint8Array): void {
  const at = addressOf(arena, block);
  user.set(arena.core.u8.subarray(at, at + user.length));
}
