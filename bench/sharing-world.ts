/** A guest that writes to pages it shares with another domain, for bench/suites/sharing.ts: real instructions, real exits. */

import { readCounter } from "../host/lib/counters.ts";
import { visitPages } from "../host/lib/dedup/pages.ts";
import type { DomId } from "../host/lib/ids.ts";
import { createMachine, type Machine } from "../host/lib/machine.ts";
import {
  domainCreate,
  domainMaxMem,
  domainMaxVcpus,
  domainSetHvmContext,
  domainSetPagingPool,
  domainUnpause,
} from "../host/lib/toolstack/domctl.ts";
import { writeGuest } from "../host/lib/toolstack/foreign.ts";
import { entryContext } from "../host/lib/toolstack/hvm-context.ts";
import { decreaseReservation, populateAll } from "../host/lib/toolstack/memory.ts";
import {
  addSharedToPhysmap,
  allocSharingOp,
  handleOf,
  nominateGfn,
  sharingControl,
} from "../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../host/node/wasm.ts";
import { BENCH_ORDER_ADD, BENCH_ORDER_FACTOR } from "../hv-core/abi/bench-order.ts";
import { CTR_INSTRUCTIONS, CTR_UNSHARE_COPIED, CTR_UNSHARE_LAST } from "../hv-core/abi/counters.ts";
import { P2M_RAM_RW } from "../hv-core/abi/p2m-types.ts";

/** First gfn of the pages that are written. */
export const TARGET = 0x1000;
const CODE = 0x1000;
const INSTRUCTIONS_PER_STORE = 7;

/** for (;;) { store to page TARGET + i; i = (i * FACTOR + ADD) & mask }: every page once, in an order that looks random. */
function loop(mask: number): Uint8Array {
  const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
  const start = [0x31, 0xf6]; // xor esi, esi
  const body = [
    ...[0x89, 0xf7], // mov edi, esi
    ...[0xc1, 0xe7, 12], // shl edi, 12
    ...[0x89, 0x87, ...u32(TARGET * 4096)], // mov [edi + TARGET], eax
    ...[0x69, 0xf6, ...u32(BENCH_ORDER_FACTOR)], // imul esi, esi, FACTOR
    ...[0x81, 0xc6, ...u32(BENCH_ORDER_ADD)], // add esi, ADD
    ...[0x81, 0xe6, ...u32(mask)], // and esi, mask
  ];
  return new Uint8Array([...start, ...body, 0xeb, 256 - (body.length + 2)]);
}

export interface SharingBench {
  readonly machine: Machine;
  readonly source: DomId;
  readonly client: DomId;
  /** The client's pages TARGET.. show the source's pages 0..count-1, or all of them page 0. */
  share(count: number, isOnePage?: boolean): void;
  /** After share(count, true) and some unshares: those that were unshared show page 0 again. */
  shareAgain(count: number): void;
  /** The client's pages are its own. */
  own(count: number): void;
  /** Every page of `own` is nominated: its only sharer is the client. */
  nominateOwn(count: number): void;
  /** Gives the client's pages back. */
  release(count: number): void;
  /** Runs the guest over exactly `count` stores, each to another page (as long as there are so many). @returns seconds for each event that the counter counted. */
  run(count: number, counter: number): number;
}

export const UNSHARE_COPIES = CTR_UNSHARE_COPIED;
export const UNSHARE_LAST = CTR_UNSHARE_LAST;

/** @param pages pages of the source, a power of two; `most` is how many pages the client may show. */
export function sharingBench(
  pages: number,
  mask: number,
  most: number,
  knobs: Readonly<Record<string, number>> = {},
  wasm: WebAssembly.Module = compileBuild("release"),
): SharingBench {
  const machine = createMachine(wasm, {
    memoryBytes: 0,
    frameCount: pages * 2 + Math.ceil(most / 40) + 8192,
    knobs: { "p2m.superpages": 0, "trace.mask": 0, ...knobs },
  });
  const { dom0, core } = machine;
  function domain(kib: number, pool: number): DomId {
    const domid = domainCreate(dom0, 1);
    domainMaxVcpus(dom0, domid, 1);
    domainMaxMem(dom0, domid, kib);
    domainSetPagingPool(dom0, domid, pool * 4096);
    sharingControl(dom0, domid, true);
    return domid;
  }
  const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
  const source = domain(pages * 4 + 1024, 1024);
  populateAll(dom0, source, range(0, pages), "source");
  const client = domain(pages * 8 + 4096, 2048);
  populateAll(dom0, client, range(0, 4), "client");
  writeGuest(dom0, machine.window, client, CODE, loop(mask));
  domainSetHvmContext(dom0, client, entryContext({ eip: CODE, ebx: 0 }, 1));
  domainUnpause(dom0, client);

  function handle(domid: DomId, gfn: number): bigint {
    using op = allocSharingOp(dom0);
    const rc = nominateGfn(dom0, op, { domid, gfn });
    if (rc !== 0) throw new Error(`nominate gfn ${gfn} of domain ${domid}: ${rc}`);
    return handleOf(op);
  }

  const retired = (): number => readCounter(core, CTR_INSTRUCTIONS);

  return {
    machine,
    source,
    client,
    share(count, isOnePage = false) {
      for (let i = 0; i < count; i++) {
        const page = { domid: source, gfn: isOnePage ? 0 : i };
        addSharedToPhysmap(dom0, page, handle(source, page.gfn), { domid: client, gfn: TARGET + i });
      }
    },
    shareAgain(count) {
      const page = { domid: source, gfn: 0 };
      const sh = handle(source, 0);
      const own: number[] = [];
      visitPages(core, client, (gfn, _, type) => {
        if (gfn >= TARGET && gfn < TARGET + count && type === P2M_RAM_RW) own.push(gfn);
      });
      decreaseReservation(dom0, client, own, 0);
      for (const gfn of own) addSharedToPhysmap(dom0, page, sh, { domid: client, gfn });
    },
    own: (count) => populateAll(dom0, client, range(TARGET, count), "own pages"),
    nominateOwn(count) {
      for (let i = 0; i < count; i++) handle(client, TARGET + i);
    },
    release: (count) => decreaseReservation(dom0, client, range(TARGET, count), 0),
    run(count, counter) {
      const before = readCounter(core, counter);
      const goal = retired() + count * INSTRUCTIONS_PER_STORE;
      const began = performance.now();
      // An exit takes from the budget, too.
      for (let left = count * INSTRUCTIONS_PER_STORE; left > 0; left = goal - retired()) core.exports.run(left);
      const took = performance.now() - began;
      const events = readCounter(core, counter) - before;
      if (events === 0) throw new Error("nothing happened in the measured run");
      return took / 1000 / events;
    },
  };
}
