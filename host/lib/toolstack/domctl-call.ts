/**
 * One domctl: the structure of 144 bytes (cmd u32@0, interface version u32@4, domain u16@8, union@16) in a bounce buffer. Every
 * function of the toolstack that is a domctl goes through here.
 */
import { DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { type CallArguments, check } from "../errors.ts";

/** Bytes for a list or a map right after the structure; its guest-physical address goes into a handle field. */
export interface Attached {
  readonly gpa: number;
  readonly at: number;
}

/**
 * One domctl. `fill` writes the union, `read` takes the answer from it; both get the view and the union's address.
 * @throws HvError with the call, its domain and `args`.
 */
export function domctl<T>(
  dom0: Dom0,
  name: string,
  cmd: number,
  domid: number,
  fill: (view: DataView, at: number) => void,
  read: (view: DataView, at: number, header: number) => T,
  args: CallArguments = {},
): T {
  return domctlWith(dom0, name, cmd, domid, 0, fill, read, args);
}

/** As `domctl`, with `extra` bytes of memory for what a handle points to. */
export function domctlWith<T>(
  dom0: Dom0,
  name: string,
  cmd: number,
  domid: number,
  extra: number,
  fill: (view: DataView, at: number, attached: Attached) => void,
  read: (view: DataView, at: number, header: number, attached: Attached) => T,
  args: CallArguments = {},
): T {
  return withBuffer(dom0, DOMCTL_SIZE + extra, ({ gpa, at }) => {
    const { view } = dom0.core;
    const attached = { gpa: gpa + DOMCTL_SIZE, at: at + DOMCTL_SIZE };
    view.setUint32(at, cmd, true);
    view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
    view.setUint16(at + 8, domid, true);
    fill(view, at + DOMCTL_UNION, attached);
    check(hypercall(dom0, HC_DOMCTL, gpa), name, { arguments: { domid, ...args } });
    return read(dom0.core.view, at + DOMCTL_UNION, at, attached);
  });
}

export const nothing = (): void => {};
