/** What a security module costs a caller of domctls. */
import { asm } from "../../../guests/asm/assembler.ts";
import { xsmLoadPolicy } from "../../../host/lib/toolstack/xsm.ts";
import { DOMCTL_SIZE, XSM_TARGET_ANY } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_GETDOMAININFO,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_UNPAUSEDOMAIN,
  HC_DOMCTL,
} from "../../../hv-core/abi/hypercalls.ts";
import { XSM_DUMMY, XSM_POLICY } from "../../../hv-core/abi/knobs.ts";
import { startLoop } from "../../guest-loop.ts";
import type { Study } from "../study.ts";

const OP = 0x9000;
const CALLS = 200;

/** DOMCTL_getdomaininfo about the caller itself, again and again. */
const setUp = (domid: number): string => asm`
        mov edi, ${OP}
        mov ecx, ${DOMCTL_SIZE / 4}
        xor eax, eax
        cld
        rep stosd
        mov dword [${OP}], ${DOMCTL_GETDOMAININFO}
        mov dword [${OP + 4}], ${DOMCTL_INTERFACE_VERSION_4_17}
        mov dword [${OP + 8}], ${domid}
`;
const call = asm`
        mov eax, ${HC_DOMCTL}
        mov ebx, ${OP}
        vmcall
        mov [${OP + DOMCTL_SIZE}], eax
`;
/** The first guest of a machine. */
const GUEST = 1;
const TURN = 5;
const EPERM = -1;

const REFUSED = "dummy: refused";
const FIRST = "policy: allowed by the first rule";
const LAST = "policy: allowed by the last rule";
const NONE = "policy: refused after all rules";

export const xsmChecks: Study = {
  name: "xsm-checks",
  title: "Security checks of control operations",
  question:
    "The dummy security module asks one question: is the caller a control domain? A policy hands single operations to single domains, as rules that are looked at one after the other. What does that cost a domain that does its work by such rules?",
  workload:
    "a guest that asks for information about itself by domctl, as a monitoring domain would, under a policy of a growing number of rules. Copying the operation in and out, and answering it, are part of every allowed call, so compare an allowed call with an allowed one.",
  operation: "domctl",
  variants: [
    { label: REFUSED, knobs: { xsm: XSM_DUMMY } },
    { label: NONE, knobs: { xsm: XSM_POLICY } },
    { label: FIRST, knobs: { xsm: XSM_POLICY } },
    { label: LAST, knobs: { xsm: XSM_POLICY } },
  ],
  sizes: [1, 4, 16, 64, 128],
  sizeLabel: "rules",
  scale: "log",
  start(wasm, variant, rules) {
    const settings = { knobs: variant.knobs, memoryBytes: 2 ** 22 };
    const { machine, domid, retire } = startLoop(wasm, settings, setUp(GUEST), call);
    if (domid !== GUEST) throw new Error(`the guest of the study is domain ${domid}`);
    const rule = (domctl: number) => ({ subject: GUEST, target: XSM_TARGET_ANY, domctl, limitKib: 0 });
    const other = Array.from({ length: rules - 1 }, () => rule(DOMCTL_UNPAUSEDOMAIN));
    const asked = rule(DOMCTL_GETDOMAININFO);
    if (variant.label === FIRST) xsmLoadPolicy(machine.dom0, [asked, ...other]);
    if (variant.label === LAST) xsmLoadPolicy(machine.dom0, [...other, asked]);
    if (variant.label === NONE) xsmLoadPolicy(machine.dom0, [...other, rule(DOMCTL_UNPAUSEDOMAIN)]);
    retire(TURN * CALLS);
    const answer = new Int32Array(machine.peek(domid, OP + DOMCTL_SIZE, 4).slice().buffer)[0];
    const wanted = variant.label === REFUSED || variant.label === NONE ? EPERM : 0;
    if (answer !== wanted) throw new Error(`${variant.label}: the domctl answers ${answer} instead of ${wanted}`);
    return { machine, operations: CALLS, phases: [{ name: "calls", run: () => retire(TURN * CALLS) }] };
  },
};
