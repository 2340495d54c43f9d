/**
 * A device with page tables of its own in guest memory, as a graphics card has them, and a device model that must know them: it makes
 * the pages of a table ioreq_server pages, so that it sees every write the guest makes to them, carries the write out, and keeps a
 * shadow. At every write it checks that the shadow is what the table says: a write that was doubled or went past it shows. One that
 * reached nobody does not: the guest has to miss it.
 *
 * Registers: abi/devices.ts. Slab: fields below, then a record of 32 bytes for each watched page. The shadows lie in slabs of their
 * own (ACTOR_SHADOW_PAGES), one a page, taken when the guest first sets a root.
 * Before: ioreq-service.ts (a request that no range claims). Read next: shadow-walk.ts.
 */
import {
  SHADOW_DIFFERENCES,
  SHADOW_GOAL,
  SHADOW_LOOKUP,
  SHADOW_ROOT,
  SHADOW_TABLES,
  SHADOW_WRITES,
} from "../../../hv-core/abi/devices.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER, HVMMEM_RAM_RW } from "../../../hv-core/abi/p2m-types.ts";
import {
  ACTOR_DOMID,
  ACTOR_IOREQ_SERVER,
  ACTOR_SHADOW_PAGES,
  ACTOR_SHADOW_TABLE,
  actorsOf,
  allocActor,
  getField,
  setField,
  slabOf,
} from "../actors.ts";
import { frameAddress } from "../core.ts";
import { allocGfns, type Dom0, unmapGfn } from "../dom0.ts";
import { HvError } from "../errors.ts";
import { DomId, Gfn, ServerId } from "../ids.ts";
import { mapMemType, setMemType } from "../toolstack/dm-op.ts";
import { mapForeign } from "../toolstack/memory.ts";
import type { DeviceContext } from "./context.ts";
import { setGuestByte } from "./guest-page.ts";
import { SERVER_ID, TYPE_DEVICE } from "./ioreq-slab.ts";
import type { DeviceModel } from "./model.ts";
import {
  DIRECTORY,
  findTable,
  isShadowRight,
  MAX_TABLES,
  PRESENT,
  shadowEntry,
  TABLE_AT,
  TABLE_GFN,
  TABLE_MFN,
  TABLE_REFS,
  TABLE_ROLE,
  TABLE_WINDOW,
  tableRecord,
} from "./shadow-walk.ts";

const ROOT = 64;
const WRITES = 68;
const DIFFERENCES = 72;
const LOOKUP = 76;
const GOAL = 80;
/** First slab of the shadows, 0 = none yet; the first of dom0's gfns through which the tables are seen. */
const PAGES = 84;
const WINDOWS = 88;

export const shadowTable: DeviceModel = {
  read({ dom0: { core } }, slab, offset, size) {
    if (size !== 4) return 0;
    switch (offset) {
      case SHADOW_ROOT:
        return getField(core, slab, ROOT);
      case SHADOW_WRITES:
        return getField(core, slab, WRITES);
      case SHADOW_DIFFERENCES:
        return getField(core, slab, DIFFERENCES);
      case SHADOW_TABLES: {
        let count = 0;
        for (let i = 0; i < MAX_TABLES; i++) if (getField(core, tableRecord(slab, i), TABLE_REFS) !== 0) count++;
        return count;
      }
      case SHADOW_LOOKUP:
        return getField(core, slab, LOOKUP);
      case SHADOW_GOAL:
        return getField(core, slab, GOAL);
      default:
        return 0;
    }
  },
  write(context, slab, offset, size, low) {
    const { core } = context.dom0;
    if (size !== 4) return;
    if (offset === SHADOW_ROOT) setRoot(context, slab, low);
    else if (offset === SHADOW_LOOKUP) setField(core, slab, LOOKUP, lookUp(context, slab, low));
  },
};

/** What the guest is to do, for the guest to read: for tests. */
export function setShadowGoal({ core }: Dom0, domid: DomId, goal: number): void {
  for (const actor of actorsOf(core, domid, ACTOR_SHADOW_TABLE)) setField(core, slabOf(actor), GOAL, goal);
}

function setRoot(context: DeviceContext, slab: number, gfn: number): void {
  const { core } = context.dom0;
  const old = getField(core, slab, ROOT);
  if (old === gfn) return;
  if (old !== 0) release(context, slab, old);
  setField(core, slab, ROOT, 0);
  if (gfn === 0 || !prepare(context, slab)) return;
  if (watch(context, slab, gfn, DIRECTORY)) setField(core, slab, ROOT, gfn);
}

/** Room for the shadows, and the type for our server. @returns false when another server has the type. */
function prepare(context: DeviceContext, slab: number): boolean {
  const { dom0 } = context;
  if (getField(dom0.core, slab, PAGES) !== 0) return true;
  const domid = DomId(getField(dom0.core, slab, ACTOR_DOMID));
  const server = actorsOf(dom0.core, domid, ACTOR_IOREQ_SERVER)[0];
  if (server === undefined) return false;
  try {
    const id = ServerId(getField(dom0.core, slabOf(server), SERVER_ID));
    mapMemType(dom0, domid, id, DMOP_MEM_ACCESS_WRITE);
  } catch (error) {
    if (error instanceof HvError) return false;
    throw error;
  }
  const self = actorsOf(dom0.core, domid, ACTOR_SHADOW_TABLE).find((actor) => slabOf(actor) === slab)!;
  setField(dom0.core, slabOf(server), TYPE_DEVICE, self + 1);
  // The first slab only has the header that makes them ours: the shadows are the ones behind it.
  setField(dom0.core, slab, PAGES, slabOf(allocActor(dom0.core, ACTOR_SHADOW_PAGES, domid, MAX_TABLES + 1) + 1));
  setField(dom0.core, slab, WINDOWS, allocGfns(dom0, MAX_TABLES));
  return true;
}

/** Address of the shadow of table `index`. */
const shadowOf = (context: DeviceContext, slab: number, index: number): number =>
  getField(context.dom0.core, slab, PAGES) + index * 4096;

/**
 * Watches the page `gfn`, or counts one more reference to it. First the type, then the copy: from the type on, writes come to us.
 * @returns false when it is no RAM, has the other role, or there is no room.
 */
function watch(context: DeviceContext, slab: number, gfn: number, role: number): boolean {
  const { dom0 } = context;
  const { core } = dom0;
  const known = findTable(core, slab, gfn);
  if (known >= 0) {
    const record = tableRecord(slab, known);
    if (getField(core, record, TABLE_ROLE) !== role || role === DIRECTORY) return false;
    setField(core, record, TABLE_REFS, getField(core, record, TABLE_REFS) + 1);
    return true;
  }
  const index = findTable(core, slab, 0);
  if (index < 0 || gfn === 0) return false;
  const domid = DomId(getField(core, slab, ACTOR_DOMID));
  const window = Gfn(getField(core, slab, WINDOWS) + index);
  try {
    setMemType(dom0, domid, gfn, 1, HVMMEM_IOREQ_SERVER);
    mapForeign(dom0, domid, gfn, window, 1);
  } catch (error) {
    if (error instanceof HvError) return false;
    throw error;
  }
  const mfn = core.exports.dom0Mfn(window) >>> 0;
  const record = tableRecord(slab, index);
  setField(core, record, TABLE_GFN, gfn);
  setField(core, record, TABLE_REFS, 1);
  setField(core, record, TABLE_ROLE, role);
  setField(core, record, TABLE_WINDOW, window);
  setField(core, record, TABLE_MFN, mfn);
  setField(core, record, TABLE_AT, frameAddress(mfn));
  for (let i = 0; i < 1024; i++) {
    const entry = getField(core, getField(core, record, TABLE_AT), i * 4);
    if (role === DIRECTORY && (entry & PRESENT) !== 0) watch(context, slab, entry >>> 12, DIRECTORY + 1);
    setField(core, shadowOf(context, slab, index), i * 4, shadowEntry(core, slab, role, entry));
  }
  return true;
}

/** One reference less; without any the page is plain RAM again. A directory lets go of its tables. */
function release(context: DeviceContext, slab: number, gfn: number): void {
  const { dom0 } = context;
  const { core } = dom0;
  const index = findTable(core, slab, gfn);
  if (index < 0 || gfn === 0) return;
  const record = tableRecord(slab, index);
  const refs = getField(core, record, TABLE_REFS) - 1;
  setField(core, record, TABLE_REFS, refs);
  if (refs !== 0) return;
  setField(core, record, TABLE_GFN, 0);
  if (getField(core, record, TABLE_ROLE) === DIRECTORY) {
    for (let i = 0; i < 1024; i++) {
      const child = getField(core, shadowOf(context, slab, index), i * 4);
      if (child !== 0) release(context, slab, child >>> 12);
    }
  }
  try {
    setMemType(dom0, DomId(getField(core, slab, ACTOR_DOMID)), gfn, 1, HVMMEM_RAM_RW);
  } catch (error) {
    if (!(error instanceof HvError)) throw error; // the guest has given the page back meanwhile
  }
  unmapGfn(dom0, Gfn(getField(core, record, TABLE_WINDOW)));
}

/** A write that the guest made to a page of the type. @param server slab of the ioreq server that got the request */
export function shadowTableWritten(
  context: DeviceContext,
  slab: number,
  server: number,
  gpa: number,
  size: number,
  low: number,
  high: number,
): void {
  const { core } = context.dom0;
  const index = findTable(core, slab, gpa >>> 12);
  if (index < 0) {
    // On its way when the page was let go: it still has to be carried out.
    for (let i = 0; i < size; i++) setGuestByte(context.dom0, server, gpa + i, byteOf(low, high, i));
    return;
  }
  const record = tableRecord(slab, index);
  const at = getField(core, record, TABLE_AT) + (gpa & 4095);
  for (let i = 0; i < size; i++) core.u8[at + i] = byteOf(low, high, i);
  core.exports.frameWritten(getField(core, record, TABLE_MFN));
  setField(core, slab, WRITES, getField(core, slab, WRITES) + 1);
  const last = ((gpa & 4095) + size - 1) >> 2;
  for (let i = (gpa & 4095) >> 2; i <= last; i++) update(context, slab, index, i);
  if (!isShadowRight(core, slab, index, shadowOf(context, slab, index)))
    setField(core, slab, DIFFERENCES, getField(core, slab, DIFFERENCES) + 1);
}

const byteOf = (low: number, high: number, i: number): number => ((i < 4 ? low : high) >>> ((i & 3) * 8)) & 255;

/** Entry `i` of a table has been written. A directory's entry may let go of one table and take another. */
function update(context: DeviceContext, slab: number, index: number, i: number): void {
  const { core } = context.dom0;
  const record = tableRecord(slab, index);
  const role = getField(core, record, TABLE_ROLE);
  const shadow = shadowOf(context, slab, index);
  const entry = getField(core, getField(core, record, TABLE_AT), i * 4);
  if (role === DIRECTORY) {
    const old = getField(core, shadow, i * 4);
    if (old !== 0 && (entry & PRESENT) !== 0 && old >>> 12 === entry >>> 12) return;
    setField(core, shadow, i * 4, 0);
    if ((entry & PRESENT) !== 0 && !watch(context, slab, entry >>> 12, DIRECTORY + 1)) {
      if (old !== 0) release(context, slab, old >>> 12);
      return;
    }
    setField(core, shadow, i * 4, shadowEntry(core, slab, role, entry));
    if (old !== 0) release(context, slab, old >>> 12);
    return;
  }
  setField(core, shadow, i * 4, shadowEntry(core, slab, role, entry));
}

/** The device's own walk through the shadow: bits 31:22 choose the table, 21:12 its entry. */
function lookUp(context: DeviceContext, slab: number, address: number): number {
  const { core } = context.dom0;
  const root = findTable(core, slab, getField(core, slab, ROOT));
  if (root < 0 || getField(core, slab, ROOT) === 0) return 0;
  const directory = getField(core, shadowOf(context, slab, root), (address >>> 22) * 4);
  const table = directory === 0 ? -1 : findTable(core, slab, directory >>> 12);
  return table < 0 ? 0 : getField(core, shadowOf(context, slab, table), ((address >>> 12) & 1023) * 4);
}

/** The domain goes: mappings and the type. */
export function closeShadowTable(context: DeviceContext, slab: number): void {
  const { core } = context.dom0;
  for (let i = 0; i < MAX_TABLES; i++) {
    const record = tableRecord(slab, i);
    if (getField(core, record, TABLE_GFN) === 0) continue;
    unmapGfn(context.dom0, Gfn(getField(core, record, TABLE_WINDOW)));
    setField(core, record, TABLE_GFN, 0);
  }
}
