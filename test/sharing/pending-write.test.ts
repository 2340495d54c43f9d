/**
 * An emulated instruction writes to RAM what a device model answered: between the request and the write any number of steps of others pass. The
 * page that it writes to is shared with another domain in each of those gaps (hv/emulate/ram-writes.ts): the write is made, it is made to a page of
 * the guest's own, and nobody else sees it.
 */
import { expect, it } from "vitest";
import { startLoop } from "../../bench/guest-loop.ts";
import { readCounter } from "../../host/lib/counters.ts";
import { domainCreate, domainMaxMem, domainMaxVcpus, domainSetPagingPool } from "../../host/lib/toolstack/domctl.ts";
import { readGuest } from "../../host/lib/toolstack/foreign.ts";
import { populateAll } from "../../host/lib/toolstack/memory.ts";
import { allocSharingOp, handleOf, nominateGfn, shareGfns, sharingControl } from "../../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { CTR_IOREQ_SENT, CTR_UNSHARE_COPIED } from "../../hv-core/abi/counters.ts";
import { COUNTER_BASE, COUNTER_READS } from "../../hv-core/abi/devices.ts";

const PAGE = 0x40_0000;
const FAILED = 0x50_0000;
const STEPS = 400;

it.each([1, 2, 3, 5])(
  "a page that is shared in each gap (series %i) loses no write and shows none to the other",
  (steps) => {
    // The device counts its reads: each MOVSD stores one more than the last. A write that is lost leaves the old number.
    const before = `mov esi, ${COUNTER_BASE + COUNTER_READS}
        mov edi, ${PAGE}
        movsd
        mov ebp, [${PAGE}]`;
    const body = `mov esi, ${COUNTER_BASE + COUNTER_READS}
        mov edi, ${PAGE}
        movsd
        inc ebp
        cmp [${PAGE}], ebp
        je next
        inc dword [${FAILED}]
next:   mov ebp, [${PAGE}]
        inc dword [${FAILED + 4}]`;
    const { machine, domid } = startLoop(
      compileBuild("debug"),
      { knobs: { "p2m.superpages": 0 }, memoryBytes: 16 * 2 ** 20 },
      before,
      body,
    );
    const { dom0 } = machine;
    const other = domainCreate(dom0, 1);
    domainMaxVcpus(dom0, other, 1);
    domainMaxMem(dom0, other, 1024);
    domainSetPagingPool(dom0, other, 256 * 4096);
    populateAll(dom0, other, [0], "other");
    for (const d of [domid, other]) sharingControl(dom0, d, true);
    const word = (d: typeof domid, address: number) =>
      new DataView(readGuest(dom0, machine.window, d, address, 4).slice().buffer).getUint32(0, true);
    using op = allocSharingOp(dom0);
    const handle = (page: { domid: typeof domid; gfn: number }): bigint => {
      expect(nominateGfn(dom0, op, page)).toBe(0);
      return handleOf(op);
    };
    let underWay = 0;
    for (let step = 0; step < STEPS; step++) {
      // No device model runs here: a request that the guest makes stays under way.
      const sent = readCounter(machine.core, CTR_IOREQ_SENT);
      machine.core.exports.run(1 + ((step * steps) % 11)); // so that gaps fall everywhere
      if (readCounter(machine.core, CTR_IOREQ_SENT) > sent) underWay++;
      const [mine, theirs] = [
        { domid, gfn: PAGE >> 12 },
        { domid: other, gfn: 0 },
      ];
      // While a request is under way nothing owes the page a write, so it can be nominated at any time.
      const sh = handle(mine);
      expect(shareGfns(dom0, op, mine, sh, theirs, handle(theirs))).toBe(0);
      const snapshot = word(domid, PAGE);
      expect(word(other, 0)).toBe(snapshot);
      machine.run({ maxInstructions: steps });
      expect(word(other, 0)).toBe(snapshot);
    }
    expect(underWay).toBeGreaterThan(10);
    expect(readCounter(machine.core, CTR_UNSHARE_COPIED)).toBeGreaterThan(10);
    expect(word(domid, FAILED + 4)).toBeGreaterThan(50);
    expect(word(domid, FAILED)).toBe(0);
    machine[Symbol.dispose]();
  },
);
