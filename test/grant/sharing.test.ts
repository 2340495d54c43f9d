/** Grants of pages that are shared or paged, and sharing by reference (spec 04 sections 4.2 and 4.4, spec 08 section 8.6). */
import { expect, it } from "vitest";
import { frameAddress } from "../../host/lib/core.ts";
import { E2BIG, EBUSY, ENOENT, ENXIO } from "../../hv-core/abi/errno.ts";
import * as g from "../../hv-core/abi/grant.ts";
import { DOMID_SELF, SHARING_OP_DEBUG_GREF, SHARING_OP_NOMINATE_GREF } from "../../hv-core/abi/hypercalls.ts";
import { PAGING_EVICT, PAGING_NOMINATE, PAGING_PREP, VM_EVENT_MODE_PAGING } from "../../hv-core/abi/vm-event.ts";
import { Guest } from "../vm-event/listener.ts";
import { acquire, openWorld, type World } from "./world.ts";

const RO = g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY;
const GREF = 1n << 62n;
const nominate = (w: World, domid: number, ref: number) => w.sharing.op(SHARING_OP_NOMINATE_GREF, domid, [[0, 4, ref]]);

it("nominate_gref: the page of a reference that is used three times, and no other; then by reference like by gfn", () => {
  const w = openWorld();
  const a = w.guest();
  const b = w.guest();
  a.grant(8, b.domid, 5);
  a.grant(9, b.domid, 6, g.GTF_ACCEPT_TRANSFER);
  expect(nominate(w, a.domid, 9)).toBe(-ENXIO);
  expect(nominate(w, a.domid, 512)).toBe(-ENOENT);
  expect(nominate(w, a.domid, 8)).toBe(-E2BIG); // three references beside the owner's are expected, exactly
  const handles = [0, 1, 2].map((i) => b.map({ ref: 8, domid: a.domid, gfn: 0x500 + i, flags: RO }).handle);
  expect(nominate(w, a.domid, 8)).toBe(0);
  expect(w.sharing.op(SHARING_OP_DEBUG_GREF, a.domid, [[0, 4, 8]])).toBe(1);
  // A page that is shared can be granted on, to be read.
  a.grant(10, b.domid, 5);
  expect(b.map({ ref: 10, domid: a.domid, gfn: 0x510, flags: RO }).status).toBe(0);
  expect(w.entry(b.domid, 0x510).mfn).toBe(w.entry(a.domid, 5).mfn);
  expect(b.unmap(3, 0x510)).toBe(0);
  for (const [i, handle] of handles.entries()) expect(b.unmap(handle, 0x500 + i)).toBe(0);
  expect(w.sharing.share(a.domid, GREF | 8n, 2n, a.domid, GREF | 8n, 2n)).toBe(0); // the same page
});

it("a shared page is unshared before it is granted writable; without memory for that, EAGAIN", () => {
  const w = openWorld();
  const [a, b, c] = [w.guest(), w.guest(), w.guest()];
  w.sharing.merge(a.domid, 5, c.domid, 5);
  a.grant(8, b.domid, 5);
  const shared = w.entry(a.domid, 5).mfn;
  expect(w.entry(c.domid, 5).mfn).toBe(shared);
  expect(b.map({ ref: 8, domid: a.domid }).status).toBe(0);
  expect([w.entry(c.domid, 5).mfn, w.entry(a.domid, 5).mfn === shared]).toEqual([shared, false]);
  expect(w.entry(b.domid, 0x400).mfn).toBe(w.entry(a.domid, 5).mfn);
  // All of memory goes to dom0.
  w.sharing.merge(a.domid, 6, c.domid, 6);
  a.grant(9, b.domid, 6);
  while (
    w.door.populate(
      0,
      Array.from({ length: 64 }, (_, i) => 0x4000 + w.door.freeFrames() * 64 + i),
    ) > 0
  );
  expect(b.map({ ref: 9, domid: a.domid, gfn: 0x401 }).status).toBe(g.GNTST_EAGAIN);
  expect(b.copy({ gfn: 7 }, { ref: 9, domid: a.domid }, 4)).toBe(g.GNTST_EAGAIN);
  expect([a.flags(9), b.copy({ ref: 9, domid: a.domid }, { gfn: 7 }, 4)]).toEqual([g.GTF_PERMIT_ACCESS, 0]);
});

it("a page that is out: EAGAIN, and the pager is asked; when it is back the same call succeeds. A granted page is not evicted", () => {
  const guest = new Guest();
  const ring = guest.listen(VM_EVENT_MODE_PAGING);
  const w = openWorld({ door: guest.door });
  const table = frameAddress(guest.door.core.dom0Mfn(acquire(guest.door, guest.domid, 0, 0, 0x980)));
  const grant = (ref: number, gfn: number): void => {
    guest.door.view.setUint32(table + ref * 8 + 4, gfn, true);
    guest.door.view.setUint32(table + ref * 8, g.GTF_PERMIT_ACCESS, true); // to dom0
  };
  grant(8, 4);
  expect([guest.paging(PAGING_NOMINATE, 4), guest.paging(PAGING_EVICT, 4)]).toEqual([0, 0]);
  const map = () => w.dom0.map({ ref: 8, domid: guest.domid, gfn: 0x900 }).status;
  expect(map()).toBe(g.GNTST_EAGAIN);
  expect(guest.door.view.getUint16(table + 64, true)).toBe(g.GTF_PERMIT_ACCESS);
  expect(w.dom0.copy({ ref: 8, domid: guest.domid }, { gfn: 9, domid: DOMID_SELF }, 4)).toBe(g.GNTST_EAGAIN);
  expect(ring.take()[0]).toMatchObject({ gfn: 4 });
  guest.door.put(0xa000, 4096, [[0, 4, 0x1234]]);
  expect(guest.paging(PAGING_PREP, 4, 0xa000)).toBe(0);
  expect(map()).toBe(0);
  expect(guest.door.view.getUint32(frameAddress(guest.door.core.dom0Mfn(0x900)), true)).toBe(0x1234);
  expect(guest.paging(PAGING_NOMINATE, 4)).toBe(-EBUSY);
});
