/** Domctls in races: as a step of a toolstack program, and as the structure that a guest finds in its memory. */
import { DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import type { HypercallStep } from "../explore/toolstack-actor.ts";
import type { World } from "../explore/world.ts";
import { writeGuest } from "../toolstack/foreign.ts";

export type FillUnion = (view: DataView, at: number) => void;

const nothing: FillUnion = () => {};

function fillDomctl(view: DataView, at: number, cmd: number, domid: number, fill: FillUnion): void {
  view.setUint32(at, cmd, true);
  view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(at + 8, domid, true);
  fill(view, at + DOMCTL_UNION);
}

/** A domctl of dom0 about the guest. */
export function domctlStep(
  text: string,
  cmd: number,
  fill: FillUnion = nothing,
  mayFail: readonly number[] = [],
): HypercallStep {
  return {
    text,
    mayFail,
    prepare(world, at, gpa) {
      world.core.u8.fill(0, at, at + DOMCTL_SIZE);
      fillDomctl(world.core.view, at, cmd, world.domid, fill);
      return [HC_DOMCTL, gpa];
    },
  };
}

/** Puts the structure of a domctl about the guest itself into its memory. */
export function guestDomctl(world: World, gpa: number, cmd: number, fill: FillUnion = nothing): void {
  const bytes = new Uint8Array(DOMCTL_SIZE);
  fillDomctl(new DataView(bytes.buffer), 0, cmd, world.domid, fill);
  writeGuest(world.dom0, world.window, world.domid, gpa, bytes);
}
