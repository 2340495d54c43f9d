/** What to show beside a step of a race of domctls: who has the lock, how often the domain is paused, whether it lives. */
import {
  DOM_CONTROLLER_PAUSE,
  DOM_HYPERVISOR_PAUSE,
  DOM_STATE,
  MACHINE_DOMCTL_LOCK,
} from "../../../hv-core/abi/domain.ts";
import { MACHINE_BASE } from "../../../hv-core/abi/layout.ts";
import { word } from "../explore/actors.ts";
import type { World } from "../explore/world.ts";

const STATES = ["gone", "alive", "dying", "dead"];

export function describeDomctls(world: World): string {
  const at = (offset: number): number => word(world, world.domainAt + offset);
  const holder = word(world, MACHINE_BASE + MACHINE_DOMCTL_LOCK);
  const parts = [STATES[at(DOM_STATE)] ?? "?", `paused ${at(DOM_CONTROLLER_PAUSE)}+${at(DOM_HYPERVISOR_PAUSE)}`];
  parts.push(holder === 0 ? "domctl lock free" : `domctl lock held by vCPU slot ${holder - 1}`);
  return parts.join(", ");
}
