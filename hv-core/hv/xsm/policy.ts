/**
 * The policy module (knob xsm = policy): rules that hand single domctls to single domains, beside what the dummy module allows
 * (disaggregation, spec 05 section 5.5). A control domain loads them with xsm_op; loading replaces what was there.
 *
 * A rule: subject domid u16, target u16 (a domid, XSM_TARGET_ANY, XSM_TARGET_OWN), domctl u16, pad u16, limit u64. The limit is
 * the largest number of KiB that max_mem may give, 0 = none. Xen's hook never sees that value, so a limit is refused (-EOPNOTSUPP)
 * unless the knob xsm.maxMem says that this machine's does.
 */

import { CTR_LOOP_STEPS } from "../../abi/counters";
import {
  XSM_MAX_RULES,
  XSM_OP_LOAD_POLICY,
  XSM_OP_SIZE,
  XSM_POLICY_VERSION,
  XSM_RULE_SIZE,
  XSM_TARGET_ANY,
  XSM_TARGET_OWN,
} from "../../abi/domctl";
import { E2BIG, EACCES, EFAULT, ENOSYS, EOPNOTSUPP, OK } from "../../abi/errno";
import { DOMCTL_MAX_MEM } from "../../abi/hypercalls";
import { KNOB_XSM, KNOB_XSM_MAX_MEM, XSM_POLICY } from "../../abi/knobs";
import { MACHINE_BASE } from "../../abi/layout";
import { Count } from "../../base/counters";
import { Knobs, Machine } from "../../base/machine";
import { Domain } from "../domain";
import { copyFromGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { xsmPriv } from "./dummy";

/** The rules stand in the machine header, after the frame owners. */
const RULES_OFFSET: usize = 0x2800;
const TARGET: usize = 2;
const COMMAND: usize = 4;
const LIMIT: usize = 8;

function ruleAt(i: u32): usize {
  return MACHINE_BASE + RULES_OFFSET + <usize>i * XSM_RULE_SIZE;
}

function isTarget(rule: usize, src: Domain, target: Domain): bool {
  const wanted: u32 = load<u16>(rule, TARGET);
  if (wanted == <u32>XSM_TARGET_OWN) return src.targetDomid == target.domid + 1;
  if (wanted == <u32>XSM_TARGET_ANY) return target.isPrivileged == 0;
  return wanted == target.domid;
}

function isWithinLimit(rule: usize, cmd: u32, u: usize): bool {
  if (Knobs.get(KNOB_XSM_MAX_MEM) == 0) return true;
  const limit = load<u64>(rule, LIMIT);
  return limit == 0 || cmd != <u32>DOMCTL_MAX_MEM || load<u64>(u) <= limit;
}

function hasLimit(rules: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (load<u64>(rules + <usize>i * XSM_RULE_SIZE, LIMIT) != 0) return true;
  }
  return false;
}

/** Whether a rule lets `src` do domctl `cmd` to `target`; `u` is the union of its structure. */
export function policyAllows(src: Domain, target: Domain, cmd: u32, u: usize): bool {
  const count = Machine.get().policyRules;
  for (let i: u32 = 0; i < count; i++) {
    Count.one(CTR_LOOP_STEPS);
    const rule = ruleAt(i);
    if (<u32>load<u16>(rule) != src.domid || <u32>load<u16>(rule, COMMAND) != cmd) continue;
    if (isTarget(rule, src, target) && isWithinLimit(rule, cmd, u)) return true;
  }
  return false;
}

/** HYPERVISOR_xsm_op. -ENOSYS with the dummy module, which has nothing to be told. */
export function xsmOp(v: Vcpu, argGva: u64): i64 {
  if (Knobs.get(KNOB_XSM) != <u32>XSM_POLICY) return -ENOSYS;
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, XSM_OP_SIZE) != 0) return -EFAULT;
  if (load<u32>(arg, 4) != <u32>XSM_POLICY_VERSION) return -EACCES;
  const denied = xsmPriv(v.domain);
  if (denied != OK) return denied;
  if (load<u32>(arg) != <u32>XSM_OP_LOAD_POLICY) return -ENOSYS;
  const count = load<u32>(arg, 8);
  if (count > <u32>XSM_MAX_RULES) return -E2BIG;
  const bytes = count * <u32>XSM_RULE_SIZE;
  const rules = arg + XSM_OP_SIZE;
  if (copyFromGuest(v, rules, load<u64>(arg, 16), bytes) != 0) return -EFAULT;
  if (Knobs.get(KNOB_XSM_MAX_MEM) == 0 && hasLimit(rules, count)) return -EOPNOTSUPP;
  memory.copy(ruleAt(0), rules, bytes);
  Machine.get().policyRules = count;
  return OK;
}
