/**
 * Runs a guest on vmexit and gives its console back in the form of a recording.
 *
 * The recorded Xen was built without memory sharing. The small devices are in the core: an ioreq server would take event channels of the guest, which a PVH domain that xl makes does not have.
 */
import { DEVICE_AT_CORE, SHARING_OFF } from "../../hv-core/abi/knobs.ts";
import { runGuest } from "../guests/run-guest.ts";
import { CMDLINE, MEMORY_MIB, type OracleGuest, type Recording } from "./guests.ts";

/** Enough for every guest here; the C guest needs about eleven million. */
const MAX_INSTRUCTIONS = 200_000_000;

export async function runOnVmexit(guest: OracleGuest): Promise<Recording> {
  const run = await runGuest(guest.name, {
    memoryMiB: MEMORY_MIB,
    vcpus: guest.vcpus ?? 1,
    cmdline: CMDLINE,
    maxInstructions: MAX_INSTRUCTIONS,
    knobs: { "device.at": DEVICE_AT_CORE, "sharing.build": SHARING_OFF },
  });
  const lines = run.console.split("\n").map((line) => line.trimEnd());
  if (lines.at(-1) === "") lines.pop();
  return { lines, end: run.outcome };
}
