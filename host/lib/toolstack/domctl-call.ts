/**
 * One domctl: the structure of 144 bytes (cmd u32@0, interface version u32@4, domain u16@8, union@16) in a safe buffer. Every
 * function of the toolstack that is a domctl goes through here.
 */
import { DOMCTL_SIZE, DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import { type HandleField, handleField, plain, safeHypercall } from "../buffers/call.ts";
import { type AnyElement, struct } from "../buffers/element.ts";
import type { Direction } from "../buffers/safe.ts";
import { allocStruct, type SafeStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { type CallArguments, check } from "../errors.ts";

const XEN_DOMCTL = struct("xen_domctl", DOMCTL_SIZE);
export type DomctlStruct = SafeStruct<"xen_domctl", "inout">;

/** A handle in the union, `offset` bytes from its start: to be set with setHandle in `fill`. */
export const domctlHandle = <E extends AnyElement, D extends Direction>(
  offset: number,
  element: E,
  direction: D,
): HandleField<"xen_domctl", E, D> => handleField(XEN_DOMCTL, DOMCTL_UNION + offset, element, direction);

/**
 * One domctl. `fill` writes the union, `read` takes the answer from it; both get a view of the structure and the union's offset in it.
 * @throws HvError with the call, its domain and `args`.
 */
export function domctl<T>(
  dom0: Dom0,
  name: string,
  cmd: number,
  domid: number,
  fill: (view: DataView, at: number, op: DomctlStruct) => void,
  read: (view: DataView, at: number, header: number) => T,
  args: CallArguments = {},
): T {
  using op = allocStruct(dom0.arena, XEN_DOMCTL, "inout");
  op.setU32(0, cmd);
  op.setU32(4, DOMCTL_INTERFACE_VERSION_4_17);
  op.setU16(8, domid);
  fill(op.fields(), DOMCTL_UNION, op);
  check(safeHypercall(dom0, plain(HC_DOMCTL), op), name, { arguments: { domid, ...args } });
  return read(op.fields(), DOMCTL_UNION, 0);
}

export const nothing = (): void => {};
