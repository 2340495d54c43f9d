/** xsm_op: gives the policy module its rules (policy/policy-file.ts). */
import { XSM_OP_LOAD_POLICY, XSM_OP_SIZE, XSM_POLICY_VERSION, XSM_RULE_SIZE } from "../../../hv-core/abi/domctl.ts";
import { ENOSYS, EOPNOTSUPP } from "../../../hv-core/abi/errno.ts";
import { HC_XSM_OP } from "../../../hv-core/abi/hypercalls.ts";
import { handleField, plain, safeHypercall, setHandle } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import { allocStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { check } from "../errors.ts";
import { type PolicyRule, parsePolicy } from "../policy/policy-file.ts";

const RULE = struct("xsm_rule", XSM_RULE_SIZE);
const XSM_OP = struct("xsm_op", XSM_OP_SIZE);
const RULES = handleField(XSM_OP, 16, RULE, "in");

function ruleBytes(rule: PolicyRule): Uint8Array {
  const view = new DataView(new ArrayBuffer(XSM_RULE_SIZE));
  view.setUint16(0, rule.subject, true);
  view.setUint16(2, rule.target, true);
  view.setUint16(4, rule.domctl, true);
  view.setBigUint64(8, BigInt(rule.limitKib), true);
  return new Uint8Array(view.buffer);
}

const HINTS: ReadonlyMap<number, string> = new Map([
  [ENOSYS, "the dummy security module takes no policy: start the machine with the knob xsm=policy"],
  [EOPNOTSUPP, "a rule limits max_mem, whose value Xen's hook does not see: start it with the knob xsm.maxMem=seen"],
]);

/** Replaces the rules. @throws HvError ENOSYS with the dummy module, E2BIG */
export function xsmLoadPolicy(dom0: Dom0, rules: readonly PolicyRule[]): void {
  using list = allocSafe(dom0.arena, RULE, "in", Math.max(1, rules.length), "policy rules");
  rules.forEach((rule, i) => {
    list.set(i, ruleBytes(rule));
  });
  using op = allocStruct(dom0.arena, XSM_OP, "in");
  op.setU32(0, XSM_OP_LOAD_POLICY);
  op.setU32(4, XSM_POLICY_VERSION);
  op.setU32(8, rules.length);
  setHandle(op, RULES, list, rules.length);
  const result = safeHypercall(dom0, plain(HC_XSM_OP), op);
  const hint = HINTS.get(-result);
  check(result, "XSM_load_policy", { arguments: { rules: rules.length }, ...(hint === undefined ? {} : { hint }) });
}

/**
 * Loads a policy file (docs/policy.md); `domids`: the domains it may name.
 * @throws UsageError "file:line: what is wrong"; HvError as xsmLoadPolicy
 */
export function xsmLoadPolicyFile(dom0: Dom0, text: string, file: string, domids: ReadonlyMap<string, number>): void {
  xsmLoadPolicy(dom0, parsePolicy(text, file, domids));
}
