/** The virtual NUMA topology of a domain (DOMCTL_setvnumainfo). */
import { DOMCTL_SETVNUMAINFO } from "../../../hv-core/abi/domctl.ts";
import { setHandle } from "../buffers/call.ts";
import { type Element, U32 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

export interface VnumaRange {
  /** Guest-physical addresses [start, end). */
  readonly start: bigint;
  readonly end: bigint;
  readonly node: number;
}

export interface VnumaTopology {
  /** Distance from node i to node j: a square of as many rows as there are nodes. */
  readonly distances: readonly (readonly number[])[];
  /** Node of each vCPU. */
  readonly vcpuNodes: readonly number[];
  /** Node of the machine behind each node; undefined = any. */
  readonly machineNodes: readonly (number | undefined)[];
  readonly ranges: readonly VnumaRange[];
}

const RANGE: Element<VnumaRange, "vmemrange"> = {
  name: "vmemrange",
  bytes: 24,
  read: (view, at) => ({
    start: view.getBigUint64(at, true),
    end: view.getBigUint64(at + 8, true),
    node: view.getUint32(at + 20, true),
  }),
  write(view, at, { start, end, node }) {
    view.setBigUint64(at, start, true);
    view.setBigUint64(at + 8, end, true);
    view.setUint32(at + 16, 0, true);
    view.setUint32(at + 20, node, true);
  },
};
const DISTANCES = domctlHandle(16, U32, "in");
const VCPU_NODES = domctlHandle(24, U32, "in");
const MACHINE_NODES = domctlHandle(32, U32, "in");
const RANGES = domctlHandle(40, RANGE, "in");
const ANY_NODE = 0xffff_ffff;

/** @throws HvError EINVAL (no nodes, other vCPUs than the domain has, no such node of the machine), ENOMEM (too large) */
export function domainSetVnuma(dom0: Dom0, domid: DomId, topology: VnumaTopology): void {
  const { distances, vcpuNodes, machineNodes, ranges } = topology;
  if (distances.some((row) => row.length !== distances.length) || machineNodes.length !== distances.length)
    throw new RangeError(`${distances.length} nodes have a square of distances and a machine node each`);
  const list = (values: readonly number[], label: string) => {
    const buffer = allocSafe(dom0.arena, U32, "in", Math.max(1, values.length), label);
    for (const [i, value] of values.entries()) buffer.set(i, value);
    return buffer;
  };
  using distanceList = list(distances.flat(), "distances");
  using vcpuList = list(vcpuNodes, "nodes of the vCPUs");
  using machineList = list(
    machineNodes.map((node) => node ?? ANY_NODE),
    "machine nodes",
  );
  using rangeList = allocSafe(dom0.arena, RANGE, "in", Math.max(1, ranges.length), "memory ranges");
  for (const [i, range] of ranges.entries()) rangeList.set(i, range);
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, distances.length, true);
    view.setUint32(at + 4, ranges.length, true);
    view.setUint32(at + 8, vcpuNodes.length, true);
    setHandle(op, DISTANCES, distanceList);
    setHandle(op, VCPU_NODES, vcpuList);
    setHandle(op, MACHINE_NODES, machineList);
    setHandle(op, RANGES, rangeList);
  };
  const args = { nodes: distances.length, vcpus: vcpuNodes.length, ranges: ranges.length };
  domctl(dom0, "DOMCTL_setvnumainfo", DOMCTL_SETVNUMAINFO, domid, fill, nothing, args);
}
