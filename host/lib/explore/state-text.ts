/** The state that matters in a race, as one line: type of the page, its server, the slots. */
import { DOM_P2M_IOREQ_SERVER } from "../../../hv-core/abi/domain.ts";
import { MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import { decodeEpte } from "../epte.ts";
import { word } from "./actors.ts";
import { type IoreqEnd, slotState } from "./device-actor.ts";
import type { World } from "./world.ts";

const SLOT_NAMES = ["NONE", "READY", "INPROCESS", "RESP_READY"];

/** All of an entry but the bit that suppresses #VE, which is set in empty ones too. */
const IN_USE = 0x7fff_ffff_ffff_ffffn;

/** p2m type of the page that holds guest-physical `gpa`, as its entry has it; "hole" where nothing is mapped. */
export function pageTypeOf(world: World, gpa: number): string {
  const steps = world.exports.walkGpa(world.domid, gpa, 0);
  const entry = world.core.view.getBigUint64(MAILBOX_BASE + (steps - 1) * 32 + 16, true);
  return (entry & IN_USE) === 0n ? "hole" : decodeEpte(entry).type;
}

/** "page ram_rw, type without server, slot NONE". Who holds which lock is added by whoever shows it (locks.ts). */
export function describeDomain(world: World, end: IoreqEnd, gpa?: number): string {
  const parts: string[] = [];
  if (gpa !== undefined) {
    parts.push(`page ${pageTypeOf(world, gpa)}`);
    parts.push(
      word(world, world.domainAt + DOM_P2M_IOREQ_SERVER) === 0 ? "type without server" : "type has its server",
    );
  }
  parts.push(`slot ${world.vcpus.map((_, vcpu) => SLOT_NAMES[slotState(world, end, vcpu)] ?? "?").join(" ")}`);
  return parts.join(", ");
}
