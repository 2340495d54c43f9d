/**
 * DOMCTL_setvnumainfo: {nr_vnodes u32, nr_vmemranges u32, nr_vcpus u32, pad u32, handles of distances u32[n*n], vcpu_to_vnode u32[],
 * vnode_to_pnode u32[], ranges}. All of it is read into a frame of its own, which then takes the place of the old topology.
 */
import { EFAULT, EINVAL, ENOMEM, OK } from "../../abi/errno";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { copyFromGuest } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import {
  NUMA_NO_NODE,
  VNUMA_DISTANCES,
  VNUMA_MAX_NODES,
  VNUMA_MAX_RANGES,
  VNUMA_MAX_VCPUS,
  VNUMA_NODE_PNODES,
  VNUMA_NODES,
  VNUMA_RANGE_LIST,
  VNUMA_RANGE_SIZE,
  VNUMA_RANGES,
  VNUMA_VCPU_NODES,
  VNUMA_VCPUS,
  Vnuma,
} from "../vnuma/tables";

const PAD: usize = 12;
const DISTANCES: usize = 16;
const VCPU_NODES: usize = 24;
const NODE_PNODES: usize = 32;
const RANGES: usize = 40;
/** The machine is one node. */
const PNODES: u32 = 1;

function read(v: Vcpu, u: usize, page: usize): i32 {
  const nodes = load<u32>(u);
  const ranges = load<u32>(u, 4);
  const vcpus = load<u32>(u, 8);
  store<u32>(page, nodes, VNUMA_NODES);
  store<u32>(page, ranges, VNUMA_RANGES);
  store<u32>(page, vcpus, VNUMA_VCPUS);
  if (copyFromGuest(v, page + VNUMA_DISTANCES, load<u64>(u, DISTANCES), nodes * nodes * 4) != 0) return -EFAULT;
  if (copyFromGuest(v, page + VNUMA_RANGE_LIST, load<u64>(u, RANGES), ranges * VNUMA_RANGE_SIZE) != 0) return -EFAULT;
  if (copyFromGuest(v, page + VNUMA_VCPU_NODES, load<u64>(u, VCPU_NODES), vcpus * 4) != 0) return -EFAULT;
  if (copyFromGuest(v, page + VNUMA_NODE_PNODES, load<u64>(u, NODE_PNODES), nodes * 4) != 0) return -EFAULT;
  for (let i: usize = 0; i < <usize>nodes; i++) {
    const pnode = load<u32>(page + VNUMA_NODE_PNODES + (i << 2));
    if (pnode >= PNODES && pnode != NUMA_NO_NODE) return -EINVAL;
  }
  return OK;
}

/** -EINVAL for nothing, for other vCPUs than the domain has, and for a node that the machine does not have. */
export function setVnumaInfo(v: Vcpu, d: Domain, u: usize): i32 {
  const nodes = load<u32>(u);
  const ranges = load<u32>(u, 4);
  const vcpus = load<u32>(u, 8);
  if (nodes == 0 || ranges == 0 || vcpus != d.maxVcpus || load<u32>(u, PAD) != 0) return -EINVAL;
  if (nodes > VNUMA_MAX_NODES || ranges > VNUMA_MAX_RANGES || vcpus > VNUMA_MAX_VCPUS) return -ENOMEM;
  const mfn = allocFrame(d.slot, FRAME_XEN_HEAP);
  if (mfn == 0) return -ENOMEM;
  const result = read(v, u, Frame.host(mfn));
  if (result == OK) Vnuma.replace(d, mfn);
  else freeFrame(mfn);
  return result;
}
