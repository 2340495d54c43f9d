/** HVM_PARAM_CALLBACK_IRQ (spec 08 section 8.3): how a domain without per-vCPU vectors hears of events. */
import { Domain } from "../domain";

/** Values of bits 63:56. */
export const CALLBACK_VIA_GSI: u32 = 0;
export const CALLBACK_VIA_PCI_INTX: u32 = 1;
export const CALLBACK_VIA_VECTOR: u32 = 2;

export function callbackType(d: Domain): u32 {
  return <u32>(d.param0 >> 56);
}

/** The vector, with CALLBACK_VIA_VECTOR. */
export function callbackVector(d: Domain): u32 {
  return <u32>d.param0 & 255;
}
