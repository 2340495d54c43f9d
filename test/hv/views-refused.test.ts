/**
 * Alternate views of a domain's memory (altp2m, with #VE) and guests inside guests are not built. Whoever asks is told so, as on the recorded
 * Xen 4.17, whose processor has no alternate views either (V1011, V1012).
 */
import { expect, it } from "vitest";
import { store32 } from "../../host/lib/explore/code.ts";
import { EEXIST, EINVAL, EOPNOTSUPP } from "../../hv-core/abi/errno.ts";
import { DOMCTL_CREATEDOMAIN, HC_HVM_OP, HVMOP_GET_PARAM, HVMOP_SET_PARAM } from "../../hv-core/abi/hypercalls.ts";
import { ACCESS_SET, EVF_VCPU_PAUSED, VM_EVENT_MODE_MONITOR } from "../../hv-core/abi/vm-event.ts";
import { createKernel } from "../hw/kernel.ts";
import { Guest } from "../vm-event/listener.ts";
import { makeCaller } from "./caller.ts";
import { ARG, creation, openDoor } from "./door.ts";

const HVMOP_ALTP2M = 25;
const HVM_PARAM_ALTP2M = 35;
const HVM_PARAM_NESTEDHVM = 24;
const CDF_NESTED = 1 << 6;
const EVF_ALTP2M = 128;
/** get_domain_state, set_domain_state, vcpu_enable_notify (#VE), create_p2m, ... get_p2m_idx, set_visibility. */
const SUB_OPERATIONS = 16;

it("altp2m: every operation is EOPNOTSUPP, for dom0 and for the guest itself", () => {
  const door = openDoor(2048);
  const caller = makeCaller(door);
  for (let cmd = 0; cmd <= SUB_OPERATIONS; cmd++) {
    const arg = door.put(ARG, 64, [
      [0, 4, 1],
      [4, 4, cmd],
      [8, 2, caller.domid],
    ]);
    expect(door.call(HC_HVM_OP, HVMOP_ALTP2M, arg)).toBe(-EOPNOTSUPP);
    expect(caller.call(HC_HVM_OP, HVMOP_ALTP2M, 0x2000)).toBe(-EOPNOTSUPP);
  }
});

it("the parameter that would allow views is only kept: 0 to 3, and once", () => {
  const door = openDoor(2048);
  const domid = door.createDomain({});
  const param = (op: number, value = 0) => {
    const rc = door.call(
      HC_HVM_OP,
      op,
      door.put(ARG, 16, [
        [0, 2, domid],
        [4, 4, HVM_PARAM_ALTP2M],
        [8, 8, value],
      ]),
    );
    return rc === 0 && op === HVMOP_GET_PARAM ? door.u32(ARG + 8) : rc;
  };
  expect([param(HVMOP_SET_PARAM, 4), param(HVMOP_SET_PARAM, 1), param(HVMOP_GET_PARAM)]).toEqual([-EINVAL, 0, 1]);
  expect(param(HVMOP_SET_PARAM, 2)).toBe(-EEXIST);
});

it("a response that asks for another view changes nothing, and requests name view 0", () => {
  const guest = new Guest({ body: [store32(0x4000, 7)] });
  const ring = guest.listen(VM_EVENT_MODE_MONITOR);
  guest.access(ACCESS_SET, { access: 1, pfn: 4 });
  guest.run();
  const [event] = ring.take();
  expect([event!.flags & EVF_ALTP2M, ring.view.getUint16(event!.at + 16, true)]).toEqual([0, 0]);
  ring.answer(event!, {
    flags: EVF_VCPU_PAUSED | EVF_ALTP2M,
    fill: (view, at) => view.setUint16(at + 16, 3, true),
  });
  guest.run();
  const [again] = ring.take(); // the page still forbids it
  expect([again!.gfn, guest.word(0x4000)]).toEqual([4, 0]);
});

it("a guest inside a guest: CPUID shows neither VMX nor SVM, CR4 takes no VMXE, and the instructions are #UD", () => {
  const door = openDoor(2048);
  const caller = makeCaller(door);
  const VMX = 1 << 5;
  const SVM = 1 << 2;
  expect([caller.cpuid(1)[2] & VMX, caller.cpuid(0x8000_0001)[2] & SVM]).toEqual([0, 0]);
  const k = createKernel(64);
  expect(k.run(0, [0xb8, 0x20, 0x20, 0, 0, 0x0f, 0x22, 0xe0])).toBe("vector 13"); // mov cr4, eax with VMXE
  const instructions = {
    "vmxon [0]": [0xf3, 0x0f, 0xc7, 0x34, 0x25, 0, 0, 0, 0],
    vmlaunch: [0x0f, 0x01, 0xc2],
    "vmread rax, rax": [0x0f, 0x78, 0xc0],
    vmrun: [0x0f, 0x01, 0xd8],
    "vmfunc (views)": [0x0f, 0x01, 0xd4],
    "invept rax, [0]": [0x66, 0x0f, 0x38, 0x80, 0x04, 0x25, 0, 0, 0, 0],
  };
  for (const [name, code] of Object.entries(instructions)) expect([name, k.run(0, code)]).toEqual([name, "vector 6"]);
});

it("createdomain takes the flag for guests inside guests, as recorded, and gives nothing for it; the old parameter is refused", () => {
  const door = openDoor(2048);
  expect(door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ flags: 3 | CDF_NESTED }))).toBe(0);
  const domid = door.u16(ARG + 8);
  const set = door.call(
    HC_HVM_OP,
    HVMOP_SET_PARAM,
    door.put(ARG, 16, [
      [0, 2, domid],
      [4, 4, HVM_PARAM_NESTEDHVM],
      [8, 8, 1],
    ]),
  );
  expect(set).toBe(-EINVAL);
});
