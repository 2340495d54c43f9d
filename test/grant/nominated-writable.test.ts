/**
 * nominate_gref (spec 04 section 4.2) counts references and not what they are for: three writable mappings of one page by another domain are the
 * three that it expects, and a writable mapping by an HVM guest takes no type reference that would tell them apart (spec 08 section 8.6). So the page
 * becomes a shared frame with three grantees that still write to it: its sharers see writes of others. A finding in 4.17; knob grant.type.
 */
import { describe, expect, it } from "vitest";
import { store32 } from "../../host/lib/explore/code.ts";
import { EINVAL } from "../../hv-core/abi/errno.ts";
import { GNTMAP_HOST_MAP, GNTMAP_READONLY } from "../../hv-core/abi/grant.ts";
import { SHARING_OP_NOMINATE_GREF } from "../../hv-core/abi/hypercalls.ts";
import { AS_FIXED, AS_XEN, KNOB_GRANT_TYPE } from "../../hv-core/abi/knobs.ts";
import { P2M_GRANT_MAP_RO, P2M_GRANT_MAP_RW, P2M_RAM_RW, P2M_RAM_SHARED } from "../../hv-core/abi/p2m-types.ts";
import { runIn } from "../sharing/guest.ts";
import { type Granter, openWorld, type World } from "./world.ts";

const PAGE = 5;
const REF = 8;
const FIRST = 0x500;

interface Scene {
  readonly w: World;
  readonly granter: Granter;
  readonly grantee: Granter;
  readonly sharer: Granter;
  readonly handles: readonly number[];
  nominate(): number;
}

/** A page that is mapped three times by another domain: with these flags each. */
function scene(knob: number, flags: readonly number[]): Scene {
  const w = openWorld({ knobs: [[KNOB_GRANT_TYPE, knob]] });
  const [granter, grantee, sharer] = [w.guest(), w.guest(), w.guest()];
  granter.grant(REF, grantee.domid, PAGE);
  const handles = flags.map((f, i) => {
    const mapped = grantee.map({ ref: REF, domid: granter.domid, gfn: FIRST + i, flags: f });
    expect(mapped.status).toBe(0);
    return mapped.handle;
  });
  const nominate = () => w.sharing.op(SHARING_OP_NOMINATE_GREF, granter.domid, [[0, 4, REF]]);
  return { w, granter, grantee, sharer, handles, nominate };
}
const RW = GNTMAP_HOST_MAP;
const RO = GNTMAP_HOST_MAP | GNTMAP_READONLY;

describe("nominate_gref of a page that others have mapped writable", () => {
  it("as in Xen 4.17: succeeds, and a grantee's write reaches the pages of all who share the frame", () => {
    const { w, granter, grantee, sharer, nominate } = scene(AS_XEN, [RW, RW, RW]);
    expect(nominate()).toBe(0);
    const { mfn, type } = w.entry(granter.domid, PAGE);
    expect([type, w.typeCount(mfn)]).toEqual([P2M_RAM_SHARED, 1]);
    // Somebody else's page becomes the same frame: read-only for both, copied by whoever writes ...
    expect(w.sharing.merge(granter.domid, PAGE, sharer.domid, PAGE)).toBe(0);
    expect(w.entry(sharer.domid, PAGE)).toMatchObject({ mfn, type: P2M_RAM_SHARED, rights: 5 });
    // ... except through the mappings that were there before: their entries are what they were.
    expect(w.entry(grantee.domid, FIRST)).toMatchObject({ mfn, type: P2M_GRANT_MAP_RW, rights: 3 });
    runIn(w.sharing, grantee.domid, [store32(FIRST << 12, 0xbad)]);
    expect(w.sharing.peek(sharer.domid, PAGE)).toBe(0xbad);
  });

  it("fixed: a writable mapping takes a writable type, and the page is refused as one in use: EINVAL, nothing has changed", () => {
    for (const flags of [
      [RW, RW, RW],
      [RO, RW, RO],
    ]) {
      const { w, granter, grantee, nominate, handles } = scene(AS_FIXED, flags);
      const { mfn } = w.entry(granter.domid, PAGE);
      expect(w.typeCount(mfn)).toBe(flags.filter((f) => f === RW).length);
      const refs = w.refs(mfn);
      expect(nominate()).toBe(-EINVAL);
      expect([w.entry(granter.domid, PAGE).type, w.refs(mfn)]).toEqual([P2M_RAM_RW, refs]);
      // Each reference goes with its mapping, and then the page can be mapped to be read, and nominated.
      for (const [i, handle] of handles.entries()) expect(grantee.unmap(handle, FIRST + i)).toBe(0);
      expect([w.typeCount(mfn), w.refs(mfn)]).toEqual([0, refs - 3]);
      for (const i of [0, 1, 2])
        expect(grantee.map({ ref: REF, domid: granter.domid, gfn: FIRST + i, flags: RO }).status).toBe(0);
      expect(nominate()).toBe(0);
      expect(w.entry(grantee.domid, FIRST)).toMatchObject({ mfn, type: P2M_GRANT_MAP_RO });
    }
  });

  it("fixed: a page that is shared already is unshared before it is mapped writable, so the other order opens nothing", () => {
    const { w, granter, grantee, sharer, nominate } = scene(AS_FIXED, [RO, RO, RO]);
    expect(nominate()).toBe(0);
    expect(w.sharing.merge(granter.domid, PAGE, sharer.domid, PAGE)).toBe(0);
    granter.grant(REF + 1, grantee.domid, PAGE);
    const mapped = grantee.map({ ref: REF + 1, domid: granter.domid, gfn: FIRST + 8, flags: RW });
    expect(mapped.status).toBe(0);
    const own = w.entry(granter.domid, PAGE).mfn;
    expect([w.entry(grantee.domid, FIRST + 8).mfn, w.typeCount(own)]).toEqual([own, 1]);
    expect(w.entry(sharer.domid, PAGE).mfn).not.toBe(own);
    expect(grantee.unmap(mapped.handle, FIRST + 8)).toBe(0);
    expect(w.typeCount(own)).toBe(0);
  });
});
