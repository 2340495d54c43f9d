/**
 * A minimal xenstore for one domain: read, directory, write, mkdir, rm, watches, over the store ring (HVM parameters 1 and 2).
 * Transactions are not there and answer ENOSYS. All state lies in five slabs: header and watches, one request being assembled,
 * replies waiting for room, and the tree.
 */
import { ACTOR_DOMID, ACTOR_XENSTORE, type ActorId, allocActor, getField, setField, slabOf } from "../../actors.ts";
import type { Core } from "../../core.ts";
import { allocGfns, bindActor, mappedAddress, sendEvent, unmapGfn } from "../../dom0.ts";
import { type DomId, Gfn, Port } from "../../ids.ts";
import { closePort, evtchnBindInterdomain } from "../../toolstack/evtchn.ts";
import { mapForeign } from "../../toolstack/memory.ts";
import type { DeviceContext } from "../context.ts";
import { ringPut, ringReset, ringTake } from "../pv-ring.ts";
import { answer, type StoreState } from "./answer.ts";
import { encodeMessage, STORE_REPLIES, STORE_REQUESTS, XS_HEADER_BYTES, XS_PAYLOAD_MAX } from "./protocol.ts";
import { type RecordArea, readPairs, writePairs } from "./records.ts";

const SLABS = 5;
const LOCAL_PORT = 8;
const PAGE = 12;
const INPUT_COUNT = 16;
const OUTPUT_COUNT = 20;
const TREE_USED = 24;
const WATCHES_USED = 28;
const GFN = 32;
const WATCHES = 256;
const WATCHES_BYTES = 3840;
const INPUT = 4096;
const OUTPUT = 8448;
const OUTPUT_BYTES = 6144;
const TREE = 14592;
const TREE_BYTES = 5888;

const treeArea = (slab: number): RecordArea => ({ usedAt: slab + TREE_USED, at: slab + TREE, bytes: TREE_BYTES });
const watchArea = (slab: number): RecordArea => ({
  usedAt: slab + WATCHES_USED,
  at: slab + WATCHES,
  bytes: WATCHES_BYTES,
});

export interface StoreSeed {
  readonly [path: string]: string;
}

/** Home directory of a domain. */
export const homeOf = (domid: number): string => `/local/domain/${domid}`;

/** @param seed what the toolstack writes before the domain starts, paths relative to the domain's directory */
export function createXenstore(
  context: DeviceContext,
  domid: DomId,
  gfn: number,
  remotePort: Port,
  seed: StoreSeed,
): ActorId {
  const { dom0 } = context;
  const actor = allocActor(dom0.core, ACTOR_XENSTORE, domid, SLABS);
  const slab = slabOf(actor);
  const window = allocGfns(dom0, 1);
  mapForeign(dom0, domid, gfn, window, 1);
  const port = evtchnBindInterdomain(dom0, domid, remotePort);
  setField(dom0.core, slab, LOCAL_PORT, port);
  setField(dom0.core, slab, PAGE, mappedAddress(dom0, window));
  const pairs = Object.entries(seed).map(([path, value]) => [`${homeOf(domid)}/${path}`, value] as const);
  writePairs(dom0.core, treeArea(slab), pairs);
  setField(dom0.core, slab, GFN, window);
  bindActor(dom0, port, actor);
  return actor;
}

/** Gives back the port and the mapping; the slabs are freed by the caller. */
export function closeXenstore({ dom0 }: DeviceContext, slab: number): void {
  closePort(dom0, Port(getField(dom0.core, slab, LOCAL_PORT)));
  unmapGfn(dom0, Gfn(getField(dom0.core, slab, GFN)));
}

/** Handles the requests in the ring as far as replies find room. */
export function serveXenstore(context: DeviceContext, slab: number): void {
  const { core } = context.dom0;
  const page = getField(core, slab, PAGE);
  let moved = flushReplies(core, slab, page);
  for (;;) {
    // A reply and its watch events must fit: otherwise the request waits until the guest has read.
    if (getField(core, slab, OUTPUT_COUNT) > 0) break;
    const took = takeInput(core, slab, page);
    if (took < 0) {
      ringReset(core, page, STORE_REQUESTS);
      break;
    }
    if (took > 0) moved = true;
    if (!handleRequest(core, slab)) break;
    flushReplies(core, slab, page);
    moved = true;
  }
  if (moved) sendEvent(context.dom0, getField(core, slab, LOCAL_PORT));
}

/** Moves bytes from the ring until one request is complete. @returns bytes taken, -1 for impossible indices. */
function takeInput(core: Core, slab: number, page: number): number {
  let total = 0;
  for (;;) {
    const wanted = bytesWanted(core, slab);
    if (wanted === 0) return total;
    const took = ringTake(core, page, STORE_REQUESTS, wanted, (byte) => {
      const have = getField(core, slab, INPUT_COUNT);
      core.u8[slab + INPUT + have] = byte;
      setField(core, slab, INPUT_COUNT, have + 1);
    });
    if (took < 0) return -1;
    if (took === 0) return total;
    total += took;
  }
}

/** How many bytes the request being assembled still lacks; its length is cut to what the protocol allows. */
function bytesWanted(core: Core, slab: number): number {
  const have = getField(core, slab, INPUT_COUNT);
  if (have < XS_HEADER_BYTES) return XS_HEADER_BYTES - have;
  const length = Math.min(getField(core, slab, INPUT + 12), XS_PAYLOAD_MAX);
  return XS_HEADER_BYTES + length - have;
}

/** @returns whether a complete request was there and has been answered. */
function handleRequest(core: Core, slab: number): boolean {
  const have = getField(core, slab, INPUT_COUNT);
  if (have < XS_HEADER_BYTES || bytesWanted(core, slab) !== 0) return false;
  const request = {
    type: getField(core, slab, INPUT),
    request: getField(core, slab, INPUT + 4),
    transaction: getField(core, slab, INPUT + 8),
    payload: core.u8.slice(slab + INPUT + XS_HEADER_BYTES, slab + INPUT + have),
  };
  const isTooLong = getField(core, slab, INPUT + 12) > XS_PAYLOAD_MAX;
  setField(core, slab, INPUT_COUNT, 0);
  const state: StoreState = {
    domid: getField(core, slab, ACTOR_DOMID),
    home: homeOf(getField(core, slab, ACTOR_DOMID)),
    tree: readPairs(core, treeArea(slab)),
    watches: readPairs(core, watchArea(slab)),
  };
  const outcome = answer(state, request, isTooLong, (next) => {
    if (next.tree !== state.tree && !writePairs(core, treeArea(slab), next.tree)) return false;
    return next.watches === state.watches || writePairs(core, watchArea(slab), next.watches);
  });
  for (const message of outcome) queueReply(core, slab, encodeMessage(message));
  return true;
}

/** Replies that do not fit are dropped whole: only watch events can pile up so far, and xenstored also bounds them. */
function queueReply(core: Core, slab: number, bytes: Uint8Array): void {
  const count = getField(core, slab, OUTPUT_COUNT);
  if (count + bytes.length > OUTPUT_BYTES) return;
  core.u8.set(bytes, slab + OUTPUT + count);
  setField(core, slab, OUTPUT_COUNT, count + bytes.length);
}

function flushReplies(core: Core, slab: number, page: number): boolean {
  const count = getField(core, slab, OUTPUT_COUNT);
  let sent = 0;
  while (sent < count && ringPut(core, page, STORE_REPLIES, core.u8[slab + OUTPUT + sent]!)) sent++;
  if (sent === 0) return false;
  core.u8.copyWithin(slab + OUTPUT, slab + OUTPUT + sent, slab + OUTPUT + count);
  setField(core, slab, OUTPUT_COUNT, count - sent);
  return true;
}
