/** dm_op asks for a domain with hardware-assisted paging: what about the others (spec 03 section 3.2)? */
import { expect, it } from "vitest";
import { EINVAL, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import { DOMCTL_CREATEDOMAIN, HC_DM_OP } from "../../hv-core/abi/hypercalls.ts";
import { ARG, creation, LIST, openDoor } from "../hv/door.ts";

const HVM = 1;

it("a paravirtualised domain has no device model: EINVAL, after ESRCH and EPERM", () => {
  const door = openDoor(1024);
  expect(door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ flags: 0, emulation: 0 }))).toBe(0);
  const domid = door.u16(ARG + 8);
  expect(domid).toBeGreaterThan(0);
  const nrVcpus = (target: number): number => {
    door.put(LIST, 32, [[0, 4, 20]]);
    door.put(ARG, 16, [
      [0, 8, LIST],
      [8, 8, 32],
    ]);
    return door.call(HC_DM_OP, target, 1, ARG);
  };
  expect([nrVcpus(domid), nrVcpus(0), nrVcpus(0x7000)]).toEqual([-EINVAL, -EPERM, -ESRCH]);
});

it("a domain without hardware-assisted paging cannot be made, so nobody can ask for the type in one", () => {
  const door = openDoor(1024);
  expect(door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ flags: HVM }))).toBe(-EOPNOTSUPP);
});
