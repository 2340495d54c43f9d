/** xsm_op: gives the policy module its rules (policy/policy-file.ts). */
import { XSM_OP_LOAD_POLICY, XSM_OP_SIZE, XSM_POLICY_VERSION, XSM_RULE_SIZE } from "../../../hv-core/abi/domctl.ts";
import { HC_XSM_OP } from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import { type PolicyRule, parsePolicy } from "../policy/policy-file.ts";

/** Replaces the rules. @throws HvError ENOSYS with the dummy module, E2BIG */
export function xsmLoadPolicy(dom0: Dom0, rules: readonly PolicyRule[]): void {
  withBuffer(dom0, XSM_OP_SIZE + rules.length * XSM_RULE_SIZE, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint32(at, XSM_OP_LOAD_POLICY, true);
    view.setUint32(at + 4, XSM_POLICY_VERSION, true);
    view.setUint32(at + 8, rules.length, true);
    view.setUint32(at + 16, gpa + XSM_OP_SIZE, true);
    rules.forEach((rule, i) => {
      const to = at + XSM_OP_SIZE + i * XSM_RULE_SIZE;
      view.setUint16(to, rule.subject, true);
      view.setUint16(to + 2, rule.target, true);
      view.setUint16(to + 4, rule.domctl, true);
      view.setBigUint64(to + 8, BigInt(rule.limitKib), true);
    });
    const hint = `the dummy security module takes no policy: start the machine with the knob xsm=policy`;
    const result = hypercall(dom0, HC_XSM_OP, gpa);
    check(result, "XSM_load_policy", { arguments: { rules: rules.length }, ...(result === -38 ? { hint } : {}) });
  });
}

/**
 * Loads a policy file (docs/policy.md); `domids`: the domains it may name.
 * @throws UsageError "file:line: what is wrong"; HvError as xsmLoadPolicy
 */
export function xsmLoadPolicyFile(dom0: Dom0, text: string, file: string, domids: ReadonlyMap<string, number>): void {
  xsmLoadPolicy(dom0, parsePolicy(text, file, domids));
}
