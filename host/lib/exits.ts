/** Names of exit reasons, as the manual spells them, and ours from 0x1000 on. */
import * as exits from "../../hv-core/abi/exits.ts";

const names = new Map<number, string>();
for (const [name, value] of Object.entries(exits)) {
  if (name.startsWith("EXIT_")) names.set(value, name.slice("EXIT_".length));
}

/** "EPT_VIOLATION" for 48; "REASON_37" for a reason we have no name for. */
export function exitName(reason: number): string {
  return names.get(reason) ?? `REASON_${reason}`;
}

/** Where the counter of an exit reason stands: below 64 the reason itself, ours at 64 + low bits (abi/counters.ts). */
export function exitCounter(reason: number): number {
  return reason < 64 ? reason : 64 + (reason & 63);
}

/** All reasons that have a name, in ascending order. */
export const EXIT_REASONS: readonly number[] = [...names.keys()].sort((a, b) => a - b);
