/** Domctls that set or read one thing of a domain, in the shape of libxc: one typed function per call. */
import {
  DOMCTL_GET_ADDRESS_SIZE,
  DOMCTL_GETNODEAFFINITY,
  DOMCTL_GETTSCINFO,
  DOMCTL_SCHEDULER_OP,
  DOMCTL_SENDTRIGGER,
  DOMCTL_SET_ACCESS_REQUIRED,
  DOMCTL_SET_ADDRESS_SIZE,
  DOMCTL_SET_TARGET,
  DOMCTL_SET_VIRQ_HANDLER,
  DOMCTL_SETDEBUGGING,
  DOMCTL_SETNODEAFFINITY,
  DOMCTL_SETTIMEOFFSET,
  DOMCTL_SETTSCINFO,
  DOMCTL_SOFT_RESET,
  DOMCTL_SUBSCRIBE,
} from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_HYPERCALL_INIT, DOMCTL_RESUMEDOMAIN, DOMCTL_SETDOMAINHANDLE } from "../../../hv-core/abi/hypercalls.ts";
import { setHandle } from "../buffers/call.ts";
import { U64 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId, Port } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

/** Undoes a shutdown: the domain goes on where it stopped. */
export function domainResume(dom0: Dom0, domid: DomId): void {
  domctl(dom0, "DOMCTL_resumedomain", DOMCTL_RESUMEDOMAIN, domid, nothing, nothing);
}

/** A domain that shut down starts afresh in its own memory (kexec). */
export function domainSoftReset(dom0: Dom0, domid: DomId): void {
  domctl(dom0, "DOMCTL_soft_reset", DOMCTL_SOFT_RESET, domid, nothing, nothing);
}

/** @param handle the UUID, 16 bytes. */
export function domainSetHandle(dom0: Dom0, domid: DomId, handle: Uint8Array): void {
  if (handle.length !== 16) throw new RangeError(`a handle has 16 bytes, not ${handle.length}`);
  const fill = (_view: DataView, at: number, op: DomctlStruct): void => {
    handle.forEach((byte, i) => {
      op.setU8(at + i, byte);
    });
  };
  domctl(dom0, "DOMCTL_setdomainhandle", DOMCTL_SETDOMAINHANDLE, domid, fill, nothing);
}

export function domainSetDebugging(dom0: Dom0, domid: DomId, enable: boolean): void {
  const fill = (view: DataView, at: number): void => view.setUint8(at, enable ? 1 : 0);
  domctl(dom0, "DOMCTL_setdebugging", DOMCTL_SETDEBUGGING, domid, fill, nothing, { enable });
}

/** How far the domain's wall clock is ahead of the machine's. */
export function domainSetTimeOffset(dom0: Dom0, domid: DomId, seconds: bigint): void {
  const fill = (view: DataView, at: number): void => view.setBigInt64(at, seconds, true);
  domctl(dom0, "DOMCTL_settimeoffset", DOMCTL_SETTIMEOFFSET, domid, fill, nothing, { seconds });
}

/** A port of the domain that hears when it suspends. */
export function domainSubscribeSuspend(dom0: Dom0, domid: DomId, port: Port): void {
  const fill = (view: DataView, at: number): void => view.setUint32(at, port, true);
  domctl(dom0, "DOMCTL_subscribe", DOMCTL_SUBSCRIBE, domid, fill, nothing, { port });
}

/** SENDTRIGGER_*: NMI, power button, sleep button. */
export function domainSendTrigger(dom0: Dom0, domid: DomId, trigger: number, vcpu = 0): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, trigger, true);
    view.setUint32(at + 4, vcpu, true);
  };
  domctl(dom0, "DOMCTL_sendtrigger", DOMCTL_SENDTRIGGER, domid, fill, nothing, { trigger, vcpu });
}

/** Fills guest frame `gfn` with the hypercall page. */
export function domainHypercallInit(dom0: Dom0, domid: DomId, gfn: number): void {
  const fill = (view: DataView, at: number): void => view.setBigUint64(at, BigInt(gfn), true);
  domctl(dom0, "DOMCTL_hypercall_init", DOMCTL_HYPERCALL_INIT, domid, fill, nothing, { gfn });
}

/** `domid` becomes the device-model domain of `target`. */
export function domainSetTarget(dom0: Dom0, domid: DomId, target: DomId): void {
  const fill = (view: DataView, at: number): void => view.setUint32(at, target, true);
  domctl(dom0, "DOMCTL_set_target", DOMCTL_SET_TARGET, domid, fill, nothing, { target });
}

/** The machine-wide event `virq` goes to the domain from now on. */
export function domainSetVirqHandler(dom0: Dom0, domid: DomId, virq: number): void {
  const fill = (view: DataView, at: number): void => view.setUint32(at, virq, true);
  domctl(dom0, "DOMCTL_set_virq_handler", DOMCTL_SET_VIRQ_HANDLER, domid, fill, nothing, { virq });
}

export function domainSetAccessRequired(dom0: Dom0, domid: DomId, required: boolean): void {
  const fill = (view: DataView, at: number): void => view.setUint8(at, required ? 1 : 0);
  domctl(dom0, "DOMCTL_set_access_required", DOMCTL_SET_ACCESS_REQUIRED, domid, fill, nothing, { required });
}

/** Word size of a PV domain, in bits. @throws HvError EOPNOTSUPP for an HVM domain */
export function domainGetAddressSize(dom0: Dom0, domid: DomId): number {
  const read = (view: DataView, at: number): number => view.getUint32(at, true);
  return domctl(dom0, "DOMCTL_get_address_size", DOMCTL_GET_ADDRESS_SIZE, domid, nothing, read);
}

/** @param bits 32 or 64. @throws HvError EOPNOTSUPP, EINVAL */
export function domainSetAddressSize(dom0: Dom0, domid: DomId, bits: number): void {
  const fill = (view: DataView, at: number): void => view.setUint32(at, bits, true);
  domctl(dom0, "DOMCTL_set_address_size", DOMCTL_SET_ADDRESS_SIZE, domid, fill, nothing, { bits });
}

export interface TscInfo {
  /** TSC_MODE_*. */
  readonly mode: number;
  readonly khz: number;
  readonly incarnation: number;
  /** System time of the guest. */
  readonly elapsedNs: bigint;
}

export function domainGetTscInfo(dom0: Dom0, domid: DomId): TscInfo {
  return domctl(dom0, "DOMCTL_gettscinfo", DOMCTL_GETTSCINFO, domid, nothing, (view, at) => ({
    mode: view.getUint32(at, true),
    khz: view.getUint32(at + 4, true),
    incarnation: view.getUint32(at + 8, true),
    elapsedNs: view.getBigUint64(at + 16, true),
  }));
}

export function domainSetTscInfo(dom0: Dom0, domid: DomId, info: TscInfo): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, info.mode, true);
    view.setUint32(at + 4, info.khz, true);
    view.setUint32(at + 8, info.incarnation, true);
    view.setBigUint64(at + 16, info.elapsedNs, true);
  };
  domctl(dom0, "DOMCTL_settscinfo", DOMCTL_SETTSCINFO, domid, fill, nothing, { mode: info.mode, khz: info.khz });
}

const NODE_BITS = 64;
const NODE_MAP = domctlHandle(0, U64, "inout");

/** Nodes the domain's memory comes from: bit n = node n. */
export function domainGetNodeAffinity(dom0: Dom0, domid: DomId): bigint {
  using map = allocSafe(dom0.arena, U64, "inout", 1, "node map");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    setHandle(op, NODE_MAP, map);
    view.setUint32(at + 8, NODE_BITS, true);
  };
  domctl(dom0, "DOMCTL_getnodeaffinity", DOMCTL_GETNODEAFFINITY, domid, fill, nothing);
  return map.get();
}

export function domainSetNodeAffinity(dom0: Dom0, domid: DomId, nodes: bigint): void {
  using map = allocSafe(dom0.arena, U64, "inout", 1, "node map");
  map.set(0, nodes);
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    setHandle(op, NODE_MAP, map);
    view.setUint32(at + 8, NODE_BITS, true);
  };
  domctl(dom0, "DOMCTL_setnodeaffinity", DOMCTL_SETNODEAFFINITY, domid, fill, nothing, { nodes });
}

export interface SchedulerParameters {
  readonly weight: number;
  readonly cap: number;
}

const CREDIT2 = 6;
const PUT_INFO = 0;
const GET_INFO = 1;

export function domainGetScheduler(dom0: Dom0, domid: DomId): SchedulerParameters {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, CREDIT2, true);
    view.setUint32(at + 4, GET_INFO, true);
  };
  return domctl(dom0, "DOMCTL_scheduler_op", DOMCTL_SCHEDULER_OP, domid, fill, (view, at) => ({
    weight: view.getUint16(at + 8, true),
    cap: view.getUint16(at + 10, true),
  }));
}

export function domainSetScheduler(dom0: Dom0, domid: DomId, parameters: SchedulerParameters): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, CREDIT2, true);
    view.setUint32(at + 4, PUT_INFO, true);
    view.setUint16(at + 8, parameters.weight, true);
    view.setUint16(at + 10, parameters.cap, true);
  };
  domctl(dom0, "DOMCTL_scheduler_op", DOMCTL_SCHEDULER_OP, domid, fill, nothing, { ...parameters });
}
