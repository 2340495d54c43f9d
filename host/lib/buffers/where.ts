/**
 * Where to bounce: the same work done three ways, with everything that it costs counted by the arena and by the core. The work is that
 * of saving a domain: for each batch of pages, DOMCTL_getpageframeinfo3 with a list of 512 numbers (4 KiB, read and written).
 *
 *   each callee   every function copies what it is handed: the one that knows the list, and below it the one that makes the domctl
 *   each caller   the caller has its list in a safe buffer for the whole loop and fills it in place; only the domctl is bounced
 *   whole batch   all lists and domctls in one safe buffer, one multicall
 */
import { CTR_GUEST_COPIES, CTR_GUEST_COPY_BYTES } from "../../../hv-core/abi/counters.ts";
import { DOMCTL_GETPAGEFRAMEINFO3, DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL, HC_MULTICALL } from "../../../hv-core/abi/hypercalls.ts";
import { readCounter } from "../counters.ts";
import type { Dom0 } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { bounce, bounceAs } from "./bounce.ts";
import { handleField, plain, safeHypercall, setHandle } from "./call.ts";
import { struct, U64 } from "./element.ts";
import { allocSafe, type Safe } from "./safe.ts";
import { allocStruct, type SafeStruct } from "./struct.ts";

const LIST = 512;
const ENTRY_BYTES = 64;
const XEN_DOMCTL = struct("xen_domctl", DOMCTL_SIZE);
const PAGE_LIST = handleField(XEN_DOMCTL, DOMCTL_UNION + 8, U64, "inout");
const NAME = "DOMCTL_getpageframeinfo3";

export interface Cost {
  readonly design: string;
  readonly batches: number;
  /** Entries into the hypervisor by the toolstack. */
  readonly traps: number;
  readonly allocations: number;
  readonly hits: number;
  readonly bytesZeroed: number;
  /** By the toolstack, between its own memory and the safe one. */
  readonly bytesCopied: number;
  /** By the hypervisor, between the safe memory and its own. */
  readonly guestCopies: number;
  readonly guestCopyBytes: number;
}

function fillDomctl(op: SafeStruct<"xen_domctl", "inout">, domid: DomId, list: Safe<typeof U64, "inout">): void {
  op.setU32(0, DOMCTL_GETPAGEFRAMEINFO3);
  op.setU32(4, DOMCTL_INTERFACE_VERSION_4_17);
  op.setU16(8, domid);
  op.setU32(DOMCTL_UNION, LIST);
  setHandle(op, PAGE_LIST, list, LIST);
}

/** What do_domctl of libxc is: the structure comes by reference and is copied to safe memory. */
function doDomctl(dom0: Dom0, domid: DomId, list: Safe<typeof U64, "inout">): void {
  const user = new Uint8Array(DOMCTL_SIZE);
  const view = new DataView(user.buffer);
  view.setUint32(0, DOMCTL_GETPAGEFRAMEINFO3, true);
  view.setUint32(4, DOMCTL_INTERFACE_VERSION_4_17, true);
  view.setUint16(8, domid, true);
  view.setUint32(DOMCTL_UNION, LIST, true);
  view.setBigUint64(DOMCTL_UNION + 8, list.gpa(LIST * 8), true);
  bounce(dom0.arena, user, "inout", (op) => check(safeHypercall(dom0, plain(HC_DOMCTL), op), NAME), "xen_domctl");
}

const gfnOf = (batch: number, i: number): bigint => BigInt(batch * LIST + i);

function eachCallee(dom0: Dom0, domid: DomId, batches: number): number {
  const user = new BigUint64Array(LIST);
  const bytes = new Uint8Array(user.buffer);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < LIST; i++) user[i] = gfnOf(batch, i);
    bounceAs(dom0.arena, U64, bytes, "inout", (list) => doDomctl(dom0, domid, list), "page list");
  }
  return batches;
}

function eachCaller(dom0: Dom0, domid: DomId, batches: number): number {
  using list = allocSafe(dom0.arena, U64, "inout", LIST, "page list");
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < LIST; i++) list.set(i, gfnOf(batch, i));
    doDomctl(dom0, domid, list);
  }
  return batches;
}

function wholeBatch(dom0: Dom0, domid: DomId, batches: number): number {
  const { arena } = dom0;
  using calls = allocStruct(arena, struct("multicall_entry", ENTRY_BYTES * batches), "inout");
  const held: Disposable[] = [];
  try {
    for (let batch = 0; batch < batches; batch++) {
      const list = allocSafe(arena, U64, "inout", LIST, "page list");
      held.push(list);
      for (let i = 0; i < LIST; i++) list.set(i, gfnOf(batch, i));
      const op = allocStruct(arena, XEN_DOMCTL, "inout");
      held.push(op);
      fillDomctl(op, domid, list);
      calls.setU64(batch * ENTRY_BYTES, HC_DOMCTL);
      calls.setU64(batch * ENTRY_BYTES + 16, op.gpa());
    }
    check(safeHypercall(dom0, plain(HC_MULTICALL), calls, plain(batches)), "multicall");
    for (let batch = 0; batch < batches; batch++)
      check(Number(BigInt.asIntN(64, calls.u64(batch * ENTRY_BYTES + 8))), NAME);
    return 1;
  } finally {
    for (const buffer of held.reverse()) buffer[Symbol.dispose]();
  }
}

/** Each answers how often it entered the hypervisor. */
export const DESIGNS: Readonly<Record<string, (dom0: Dom0, domid: DomId, batches: number) => number>> = {
  "each callee": eachCallee,
  "each caller": eachCaller,
  "whole batch": wholeBatch,
};

/** Does the work in each way, on a domain of dom0's, and counts. */
export function compareDesigns(dom0: Dom0, domid: DomId, batches: number): Cost[] {
  const { arena, core } = dom0;
  const counted = (): readonly number[] => [
    arena.stats.allocations,
    arena.stats.hits,
    arena.stats.bytesZeroed,
    arena.stats.bytesCopied,
    readCounter(core, CTR_GUEST_COPIES),
    readCounter(core, CTR_GUEST_COPY_BYTES),
  ];
  return Object.entries(DESIGNS).map(([design, run]) => {
    run(dom0, domid, batches); // fills the arena's cache: what is compared is the steady state
    const before = counted();
    const traps = run(dom0, domid, batches);
    const [allocations, hits, bytesZeroed, bytesCopied, guestCopies, guestCopyBytes] = counted().map(
      (n, i) => n - before[i]!,
    ) as [number, number, number, number, number, number];
    return { design, batches, traps, allocations, hits, bytesZeroed, bytesCopied, guestCopies, guestCopyBytes };
  });
}

export function costsMarkdown(costs: readonly Cost[]): string {
  const rows = costs.map(
    (c) =>
      `| ${c.design} | ${c.traps} | ${c.allocations} | ${c.hits} | ${c.bytesZeroed} | ${c.bytesCopied} | ${c.guestCopies} | ${c.guestCopyBytes} |`,
  );
  return `| where | entries into the hypervisor | buffers taken | from the cache | bytes cleared | bytes copied by the toolstack | copies by the hypervisor | their bytes |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}
