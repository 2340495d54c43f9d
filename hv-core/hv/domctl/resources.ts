/** How much a domain may have: memory, vCPUs, frames for EPT tables. */
import { EINVAL, ENOMEM, EOPNOTSUPP, OK } from "../../abi/errno";
import { PAGE_SIZE } from "../../abi/layout";
import { freeFrames } from "../../mem/allocator";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { createVcpus } from "../domain/vcpu-create";

/** DOMCTL_max_mem, in KiB. Below what is in use is allowed: the domain can then only shrink. */
export function setMaxMem(d: Domain, kib: u64): i32 {
  const pages = kib >> 2;
  d.maxPages = pages > 0xffff_ffff ? 0xffff_ffff : <u32>pages;
  return OK;
}

/** DOMCTL_max_vcpus: must be what the domain was created with; the first time it creates them, later it does nothing. */
export function setMaxVcpus(d: Domain, count: u32): i32 {
  if (count != d.maxVcpus) return -EINVAL;
  if (d.vcpuCount != 0 || d.state != DOMAIN_ALIVE) return OK;
  return createVcpus(d);
}

export function getPagingPool(d: Domain, u: usize): i32 {
  if (d.isHvm == 0) return -EOPNOTSUPP;
  store<u64>(u, (<u64>d.pagingPool) << 12);
  return OK;
}

/** In bytes, whole pages. Never below what is in use: -ENOMEM after shrinking to that. */
export function setPagingPool(d: Domain, bytes: u64): i32 {
  if (d.isHvm == 0) return -EOPNOTSUPP;
  const pages = bytes >> 12;
  if ((bytes & (PAGE_SIZE - 1)) != 0 || pages > 0xffff_ffff) return -EINVAL;
  if (pages < <u64>d.p2mTables) {
    d.pagingPool = d.p2mTables;
    return -ENOMEM;
  }
  if (pages > <u64>d.p2mTables + freeFrames()) return -ENOMEM;
  d.pagingPool = <u32>pages;
  return OK;
}
