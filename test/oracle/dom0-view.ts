/**
 * What dom0 sees of a domain, as rows `item, key, value`: domain info, HVM parameters, memory types, reservation, event channels.
 *
 * The same rows as test/oracle/recorded/dom0-facts.tsv, which a real dom0 wrote about a 64 MiB PVH domain with two vCPUs.
 */

import { type Dom0, hypercall, withBuffer } from "../../host/lib/dom0.ts";
import { errnoName } from "../../host/lib/errors.ts";
import type { DomId } from "../../host/lib/ids.ts";
import {
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_INTERFACE_VERSION_4_17,
  EVTCHNOP_STATUS,
  HC_DOMCTL,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HVMOP_GET_MEM_TYPE,
  HVMOP_GET_PARAM,
  XENMEM_CURRENT_RESERVATION,
  XENMEM_MAXIMUM_GPFN,
  XENMEM_MAXIMUM_RESERVATION,
} from "../../hv-core/abi/hypercalls.ts";

export interface Fact {
  readonly item: string;
  readonly key: string;
  readonly value: string;
}

const result = (value: number): string => (value < 0 ? `-${errnoName(-value)}` : String(value));
const hexadecimal = (value: bigint): string => (value === 0n ? "0" : `0x${value.toString(16)}`);

/** One domctl; `read` gets the address of the union. */
function domctl(dom0: Dom0, domid: DomId, command: number, read: (at: number) => string): string {
  return withBuffer(dom0, 256, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint32(at, command, true);
    view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
    view.setUint16(at + 8, domid, true);
    const status = hypercall(dom0, HC_DOMCTL, gpa);
    return status < 0 ? result(status) : read(at + 16);
  });
}

/** The domain's own number is left out: it depends on how many there were before. */
const domainInfo = (dom0: Dom0, domid: DomId): string =>
  domctl(dom0, domid, DOMCTL_GETDOMAININFO, (at) => {
    const u32 = (offset: number) => dom0.core.view.getUint32(at + offset, true);
    const u64 = (offset: number) => dom0.core.view.getBigUint64(at + offset, true);
    const frame = u64(48) === 0n || u64(48) === 0xffffffffffffffffn ? 0 : 1;
    return [
      `flags=${u32(4).toString(16).padStart(8, "0")} tot=${u64(8)} max=${u64(16)} outst=${u64(24)} shr=${u64(32)} paged=${u64(40)}`,
      `shared_info=${frame} online=${u32(64)} max_vcpu_id=${u32(68)} ssid=${u32(72)} cpupool=${u32(92)}`,
      `gpaddr_bits=${dom0.core.view.getUint8(at + 96)} emu=${u32(104)} misc=${u32(108)}`,
    ].join(" ");
  });

const pagingPool = (dom0: Dom0, domid: DomId): string =>
  domctl(dom0, domid, DOMCTL_GET_PAGING_MEMPOOL_SIZE, (at) => hexadecimal(dom0.core.view.getBigUint64(at, true)));

function hvmParam(dom0: Dom0, domid: DomId, index: number): string {
  return withBuffer(dom0, 16, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 4, index, true);
    const status = hypercall(dom0, HC_HVM_OP, HVMOP_GET_PARAM, gpa);
    return `${result(status)} ${hexadecimal(dom0.core.view.getBigUint64(at + 8, true))}`;
  });
}

function memType(dom0: Dom0, domid: DomId, gfn: number): string {
  return withBuffer(dom0, 16, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 8, gfn, true);
    const status = hypercall(dom0, HC_HVM_OP, HVMOP_GET_MEM_TYPE, gpa);
    return status < 0 ? result(status) : String(dom0.core.view.getUint16(at + 2, true));
  });
}

const memory = (dom0: Dom0, domid: DomId, command: number): number =>
  withBuffer(dom0, 8, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    return hypercall(dom0, HC_MEMORY_OP, command, gpa);
  });

function eventChannel(dom0: Dom0, domid: DomId, port: number): string {
  return withBuffer(dom0, 32, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 4, port, true);
    const status = hypercall(dom0, HC_EVENT_CHANNEL_OP, EVTCHNOP_STATUS, gpa);
    const { view } = dom0.core;
    return `${result(status)} status=${view.getUint32(at + 8, true)} dom=${view.getUint16(at + 16, true)}`;
  });
}

/** The value of one recorded fact on vmexit; undefined for a fact that nothing here can ask for. */
export function dom0Fact(dom0: Dom0, domid: DomId, item: string, key: string): string | undefined {
  const number = Number(/(?:0x)?[0-9a-f]+$/i.exec(key)?.[0] ?? Number.NaN);
  if (item === "hvm_param") return hvmParam(dom0, domid, number);
  if (item === "mem_type") return memType(dom0, domid, number);
  if (item === "evtchn") return eventChannel(dom0, domid, number);
  if (key === "getdomaininfo") return domainInfo(dom0, domid);
  if (key === "paging_mempool_size") return pagingPool(dom0, domid);
  if (key === "maximum_gpfn") return hexadecimal(BigInt(memory(dom0, domid, XENMEM_MAXIMUM_GPFN)));
  if (key === "current_reservation") return String(memory(dom0, domid, XENMEM_CURRENT_RESERVATION));
  if (key === "maximum_reservation") return String(memory(dom0, domid, XENMEM_MAXIMUM_RESERVATION));
  return undefined;
}
