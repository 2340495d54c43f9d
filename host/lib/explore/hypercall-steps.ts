/**
 * Hypercalls of the toolstack and of device models as steps of a race, ready to be put into a program (toolstack-actor.ts).
 * Structures and meaning: spec 03 section 3.2 (dm_op), spec 05 (domctl), spec 08 section 8.2 (memory_op).
 */
import {
  DMOP_DESTROY_IOREQ_SERVER,
  DMOP_INJECT_EVENT,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_MEM_ACCESS_WRITE,
  DMOP_MODIFIED_MEMORY,
  DMOP_REMOTE_SHUTDOWN,
  DMOP_SET_MEM_TYPE,
  DMOP_TRACK_DIRTY_VRAM,
  DOMCTL_INTERFACE_VERSION_4_17,
  HC_DM_OP,
  HC_DOMCTL,
  HC_MEMORY_OP,
  XENMEM_DECREASE_RESERVATION,
} from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER, HVMMEM_RAM_RW } from "../../../hv-core/abi/p2m-types.ts";
import type { IoreqEnd } from "./device-actor.ts";
import { dmOpStep, type HypercallStep } from "./toolstack-actor.ts";
import type { World } from "./world.ts";

const PAGE = 4096;

function mapTypeStep(text: string, end: IoreqEnd, flags: number, mayFail: readonly number[]): HypercallStep {
  return dmOpStep(
    text,
    DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
    (view, at) => {
      view.setUint16(at, end.server, true);
      view.setUint16(at + 2, HVMMEM_IOREQ_SERVER, true);
      view.setUint32(at + 4, flags, true);
    },
    mayFail,
  );
}

/** The server no longer gets the writes to pages of type ioreq_server. */
export const unmapType = (end: IoreqEnd, text = "unmaps the page type from the server"): HypercallStep =>
  mapTypeStep(text, end, 0, []);

/** From now on the server gets them. @param mayFail errnos that are fine, negative. */
export const mapType = (
  end: IoreqEnd,
  text = "maps the page type to the server",
  mayFail: readonly number[] = [],
): HypercallStep => mapTypeStep(text, end, DMOP_MEM_ACCESS_WRITE, mayFail);

/** Gives one page a type that a device model may ask for (HVMMEM_*). */
export function setType(gpa: number, type: number, text: string, mayFail: readonly number[] = []): HypercallStep {
  return dmOpStep(
    text,
    DMOP_SET_MEM_TYPE,
    (view, at) => {
      view.setUint32(at, 1, true);
      view.setUint16(at + 4, type, true);
      view.setUint32(at + 8, gpa / PAGE, true);
    },
    mayFail,
  );
}

export const watchPage = (gpa: number, mayFail: readonly number[] = []): HypercallStep =>
  setType(gpa, HVMMEM_IOREQ_SERVER, "gives the page the type ioreq_server", mayFail);

export const turnIntoRam = (gpa: number): HypercallStep => setType(gpa, HVMMEM_RAM_RW, "turns the page back into RAM");

export const destroyServer = (end: IoreqEnd): HypercallStep =>
  dmOpStep("destroys the server", DMOP_DESTROY_IOREQ_SERVER, (view, at) => view.setUint16(at, end.server, true));

/** @param reason SHUTDOWN_* */
export const shutDown = (reason: number, text: string): HypercallStep =>
  dmOpStep(text, DMOP_REMOTE_SHUTDOWN, (view, at) => view.setUint32(at, reason, true));

/** An exception with an error code for vCPU 0. */
export const injectException = (vector: number, error: number, text: string): HypercallStep =>
  dmOpStep(text, DMOP_INJECT_EVENT, (view, at) => {
    view.setUint8(at + 4, vector);
    view.setUint8(at + 5, 3); // hardware exception
    view.setUint32(at + 8, error, true);
  });

/** A dm_op with a second buffer of `bytes` behind the first. */
function dmOpWithBuffer(
  text: string,
  op: number,
  bytes: number,
  fill: (view: DataView, at: number, buffer: number) => void,
): HypercallStep {
  return {
    text,
    prepare(world, at, gpa) {
      const { view } = world.core;
      view.setUint32(at, gpa + 64, true);
      view.setUint32(at + 8, 32, true);
      view.setUint32(at + 16, gpa + 128, true);
      view.setUint32(at + 24, bytes, true);
      view.setUint32(at + 64, op, true);
      fill(view, at + 72, at + 128);
      return [HC_DM_OP, world.domid, 2, gpa];
    },
  };
}

/** A display's device model asks which of `pages` pages from `gpa` on were written. */
export const trackVram = (gpa: number, pages: number): HypercallStep =>
  dmOpWithBuffer("asks which pages of the frame buffer were written", DMOP_TRACK_DIRTY_VRAM, 8, (view, at) => {
    view.setUint32(at, pages, true);
    view.setUint32(at + 8, gpa / PAGE, true);
  });

/** A device model says that it wrote to a page itself. */
export const modifiedPage = (gpa: number): HypercallStep =>
  dmOpWithBuffer("says that it has written to a page", DMOP_MODIFIED_MEMORY, 16, (view, at, buffer) => {
    view.setUint32(at, 1, true);
    view.setUint32(buffer, 1, true);
    view.setUint32(buffer + 8, gpa / PAGE, true);
  });

/** A domctl on the guest. `fill` writes the union. */
export function domctlStep(
  text: string,
  cmd: number,
  fill: (view: DataView, at: number) => void,
  mayFail: readonly number[] = [],
): HypercallStep {
  return {
    text,
    mayFail,
    prepare(world: World, at, gpa) {
      const { view } = world.core;
      view.setUint32(at, cmd, true);
      view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
      view.setUint16(at + 8, world.domid, true);
      fill(view, at + 16);
      return [HC_DOMCTL, gpa];
    },
  };
}

/** Takes one page away from the guest (XENMEM_decrease_reservation). */
export const removePage = (gpa: number): HypercallStep => ({
  text: `takes page 0x${(gpa / PAGE).toString(16)} away from the guest`,
  prepare(world, at, arg) {
    const { view } = world.core;
    view.setUint32(at, arg + 64, true);
    view.setUint32(at + 8, 1, true);
    view.setUint16(at + 24, world.domid, true);
    view.setUint32(at + 64, gpa / PAGE, true);
    return [HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, arg];
  },
});
