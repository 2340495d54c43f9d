/** What of a vCPU stands outside its context: extended processor state, and the structure for PV entry points and machine-check banks. */
import {
  DOMCTL_GET_EXT_VCPUCONTEXT,
  DOMCTL_GETVCPUEXTSTATE,
  DOMCTL_SET_EXT_VCPUCONTEXT,
  DOMCTL_SETVCPUEXTSTATE,
} from "../../../hv-core/abi/domctl.ts";
import { bounce } from "../buffers/bounce.ts";
import { setHandle } from "../buffers/call.ts";
import { U8 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { type DomctlStruct, domctl, domctlHandle, nothing } from "./domctl-call.ts";

const MASK = 8;
const SIZE = 16;
const STATE_OUT = domctlHandle(24, U8, "out");
const STATE_IN = domctlHandle(24, U8, "in");

export interface ExtStateSize {
  /** Components of the processor: bit 0 x87, bit 1 SSE. */
  readonly features: bigint;
  /** Bytes that are enough whatever the vCPU does before it is read. */
  readonly bytes: number;
}

export function vcpuGetExtStateSize(dom0: Dom0, domid: DomId, vcpu: number): ExtStateSize {
  const fill = (view: DataView, at: number): void => view.setUint32(at, vcpu, true);
  const read = (view: DataView, at: number): ExtStateSize => ({
    features: view.getBigUint64(at + MASK, true),
    bytes: Number(view.getBigUint64(at + SIZE, true)),
  });
  return domctl(dom0, "DOMCTL_getvcpuextstate", DOMCTL_GETVCPUEXTSTATE, domid, fill, read, { vcpu });
}

/** XCR0, every bit it ever had, and (when it had any) the save area: what vcpuSetExtState takes. */
export function vcpuGetExtState(dom0: Dom0, domid: DomId, vcpu: number): Uint8Array {
  const { features, bytes } = vcpuGetExtStateSize(dom0, domid, vcpu);
  using state = allocSafe(dom0.arena, U8, "out", bytes, "extended state");
  const fill = (view: DataView, at: number, op: DomctlStruct): void => {
    view.setUint32(at, vcpu, true);
    view.setBigUint64(at + MASK, features, true);
    view.setBigUint64(at + SIZE, BigInt(bytes), true);
    setHandle(op, STATE_OUT, state, bytes);
  };
  const readSize = (view: DataView, at: number): number => Number(view.getBigUint64(at + SIZE, true));
  const size = domctl(dom0, "DOMCTL_getvcpuextstate", DOMCTL_GETVCPUEXTSTATE, domid, fill, readSize, { vcpu, bytes });
  return state.bytes().subarray(0, size);
}

/** @throws HvError EINVAL (a size or words that cannot be, state that the domain may not have), EOPNOTSUPP (compacted form) */
export function vcpuSetExtState(dom0: Dom0, domid: DomId, vcpu: number, state: Uint8Array): void {
  const args = { vcpu, bytes: state.length };
  bounce(
    dom0.arena,
    state,
    "in",
    (buffer) => {
      const fill = (view: DataView, at: number, op: DomctlStruct): void => {
        view.setUint32(at, vcpu, true);
        view.setBigUint64(at + SIZE, BigInt(state.length), true);
        setHandle(op, STATE_IN, buffer, state.length);
      };
      domctl(dom0, "DOMCTL_setvcpuextstate", DOMCTL_SETVCPUEXTSTATE, domid, fill, nothing, args);
    },
    "extended state",
  );
}

/** struct xen_domctl_ext_vcpucontext. */
export const EXT_CONTEXT_SIZE = 128;

/** 128 bytes, all zero behind the vCPU's number and the size: an HVM vCPU has none of it. */
export function vcpuGetExtContext(dom0: Dom0, domid: DomId, vcpu: number): Uint8Array {
  const fill = (view: DataView, at: number): void => view.setUint32(at, vcpu, true);
  const read = (view: DataView, at: number): Uint8Array =>
    Uint8Array.from({ length: EXT_CONTEXT_SIZE }, (_, i) => view.getUint8(at + i));
  return domctl(dom0, "DOMCTL_get_ext_vcpucontext", DOMCTL_GET_EXT_VCPUCONTEXT, domid, fill, read, { vcpu });
}

/** @param context 128 bytes, as vcpuGetExtContext returned them. @throws HvError ESRCH, EINVAL */
export function vcpuSetExtContext(dom0: Dom0, domid: DomId, vcpu: number, context: Uint8Array): void {
  if (context.length !== EXT_CONTEXT_SIZE)
    throw new RangeError(`an extended context has ${EXT_CONTEXT_SIZE} bytes, not ${context.length}`);
  const fill = (view: DataView, at: number): void => {
    for (const [i, byte] of context.entries()) view.setUint8(at + i, byte);
    view.setUint32(at, vcpu, true);
  };
  domctl(dom0, "DOMCTL_set_ext_vcpucontext", DOMCTL_SET_EXT_VCPUCONTEXT, domid, fill, nothing, { vcpu });
}
