/**
 * Message-signalled interrupts, as a device model sends them (DMOP_inject_msi, spec 03 section 3.2): an address that names processors
 * and data that name a vector and a way of delivery.
 *
 *   address: 19..12 destination, 2 logical      data: 15 level, 10..8 delivery mode, 7..0 vector
 */
import { EINVAL, ERANGE, ESRCH, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { lapicMessage } from "./lapic-ipi";

const MODE_FIXED: u32 = 0;
const MODE_LOWEST: u32 = 1;
const ICR_LOGICAL: u32 = 1 << 11;
const ICR_LEVEL: u32 = 1 << 15;

/** Physical interrupt lines that a domain can have; none of ours is bound to an event channel. */
const MAX_PIRQ: u64 = 256;

/** @returns OK, also when no processor is meant; -EINVAL (delivery mode), -ERANGE (no vector), -ESRCH (nobody to choose from). */
export function msiInject(d: Domain, address: u64, data: u32): i32 {
  const destination = (<u32>address >> 12) & 0xff;
  const vector = data & 0xff;
  // No vector: the message stands for a physical interrupt of a guest that maps those to event channels.
  if (vector == 0) return pirq(((address >> 32) & 0xffff_ff00) | <u64>destination);
  const mode = (data >> 8) & 7;
  if (mode != MODE_FIXED && mode != MODE_LOWEST) return -EINVAL;
  let command = vector | (mode << 8);
  if ((<u32>address & 4) != 0) command |= ICR_LOGICAL;
  if ((data & 0x8000) != 0) command |= ICR_LEVEL;
  return lapicMessage(d, command, destination) || mode == MODE_FIXED ? OK : -ESRCH;
}

function pirq(number: u64): i32 {
  if (number == 0) return -ERANGE;
  return number < MAX_PIRQ ? OK : -EINVAL;
}
