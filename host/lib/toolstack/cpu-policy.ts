/** CPU policies of domains (DOMCTL_get_cpu_policy, set_cpu_policy): what their CPUID shows, in the shape of libxc. */
import {
  CPUID_LEAF_SIZE,
  CPUID_MAX_LEAVES,
  CPUID_NO_SUBLEAF,
  DOMCTL_GET_CPU_POLICY,
  DOMCTL_SET_CPU_POLICY,
} from "../../../hv-core/abi/domctl.ts";
import { setHandle } from "../buffers/call.ts";
import type { Element } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

export interface CpuidLeaf {
  readonly leaf: number;
  /** Absent: the leaf has no subleaves. */
  readonly subleaf?: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

const LEAF: Element<CpuidLeaf, "cpuid_leaf"> = {
  name: "cpuid_leaf",
  bytes: CPUID_LEAF_SIZE,
  read(view, at) {
    const word = (index: number): number => view.getUint32(at + index * 4, true);
    const subleaf = word(1);
    const words = { eax: word(2), ebx: word(3), ecx: word(4), edx: word(5) };
    return subleaf === CPUID_NO_SUBLEAF ? { leaf: word(0), ...words } : { leaf: word(0), subleaf, ...words };
  },
  write(view, at, { leaf, subleaf = CPUID_NO_SUBLEAF, eax, ebx, ecx, edx }) {
    for (const [i, word] of [leaf, subleaf, eax, ebx, ecx, edx].entries()) view.setUint32(at + i * 4, word, true);
  },
};
const LEAVES = domctlHandle(8, LEAF, "inout");
const ERROR_LEAF = 24;
const ERROR_SUBLEAF = 28;

/** All leaves that the domain sees but the hypervisor's own. */
export function domainGetCpuPolicy(dom0: Dom0, domid: DomId): readonly CpuidLeaf[] {
  using leaves = allocSafe(dom0.arena, LEAF, "inout", CPUID_MAX_LEAVES, "CPU policy");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, CPUID_MAX_LEAVES, true);
    setHandle(op, LEAVES, leaves);
  };
  const count = domctl(dom0, "DOMCTL_get_cpu_policy", DOMCTL_GET_CPU_POLICY, domid, fill, (view, at) =>
    view.getUint32(at, true),
  );
  return Array.from({ length: count }, (_, i) => leaves.get(i));
}

/** "leaf 0x7 subleaf 0x3", from a refused structure. */
function whereIsWrong(view: DataView, at: number): string | undefined {
  const hex = (offset: number): string => `0x${view.getUint32(at + offset, true).toString(16)}`;
  if (view.getUint32(at + ERROR_LEAF, true) === CPUID_NO_SUBLEAF) return undefined;
  const hasSubleaf = view.getUint32(at + ERROR_SUBLEAF, true) !== CPUID_NO_SUBLEAF;
  return `the hypervisor refuses leaf ${hex(ERROR_LEAF)}${hasSubleaf ? ` subleaf ${hex(ERROR_SUBLEAF)}` : ""}: see DOMCTL_get_cpu_policy for what there is`;
}

/** Changes these leaves, all or none. Only before the domain first runs. @throws HvError whose hint names the leaf that is wrong. */
export function domainSetCpuPolicy(dom0: Dom0, domid: DomId, policy: readonly CpuidLeaf[]): void {
  using leaves = allocSafe(dom0.arena, LEAF, "inout", Math.max(1, policy.length), "CPU policy");
  for (const [i, leaf] of policy.entries()) leaves.set(i, leaf);
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, policy.length, true);
    setHandle(op, LEAVES, leaves);
  };
  const args = { leaves: policy.length };
  domctl(dom0, "DOMCTL_set_cpu_policy", DOMCTL_SET_CPU_POLICY, domid, fill, nothing, args, whereIsWrong);
}
