/**
 * Interprocessor interrupts: what a write to the interrupt command register does (SDM 3A, section 11.6).
 * INIT and start-up IPIs bring application processors up: startup.ts.
 */
import { Domain } from "../domain";
import { vcpuKick } from "../domain/vcpu-state";
import { Vcpu } from "../vcpu";
import { FIRST_VECTOR, lapicAccept, lapicError, lapicProcessorPriority } from "./lapic";
import { APIC_DFR, APIC_ID, APIC_LDR, ESR_SEND_ILLEGAL } from "./lapic-regs";
import { startupInit, startupSipi } from "./startup";

const MODE_FIXED: u32 = 0;
const MODE_LOWEST: u32 = 1;
const MODE_NMI: u32 = 4;
const MODE_INIT: u32 = 5;
const MODE_STARTUP: u32 = 6;

const ICR_LOGICAL: u32 = 1 << 11;
const ICR_ASSERT: u32 = 1 << 14;
const ICR_LEVEL: u32 = 1 << 15;

const SHORTHAND_SELF: u32 = 1;
const SHORTHAND_ALL: u32 = 2;
const SHORTHAND_OTHERS: u32 = 3;

const BROADCAST: u32 = 0xff;
const DFR_CLUSTER: u32 = 0;

/** Sends the interrupt that `command` (ICR low) describes to `destination` (ICR high, bits 31:24). */
export function lapicSendIpi(v: Vcpu, command: u32, destination: u32): void {
  const mode = (command >> 8) & 7;
  const vector = command & 255;
  if ((mode == MODE_FIXED || mode == MODE_LOWEST) && vector < FIRST_VECTOR) lapicError(v, ESR_SEND_ILLEGAL);
  const d = v.domain;
  if (mode == MODE_LOWEST) {
    const target = lowest(v, d, command, destination);
    if (target != 0) lapicAccept(changetype<Vcpu>(target), vector, false);
    return;
  }
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const target = Vcpu.at(d.firstVcpu + id);
    if (isMeant(v, target, command, destination)) deliver(target, mode, command);
  }
}

/** A message from outside: fixed or lowest priority, as `command` says. @returns whether any processor was meant. */
export function lapicMessage(d: Domain, command: u32, destination: u32): bool {
  const mode = (command >> 8) & 7;
  const any = Vcpu.at(d.firstVcpu); // only shorthands ask who sends
  if (mode == MODE_LOWEST) {
    const target = lowest(any, d, command, destination);
    if (target != 0) lapicAccept(changetype<Vcpu>(target), command & 255, (command & ICR_LEVEL) != 0);
    return target != 0;
  }
  let isMet = false;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const target = Vcpu.at(d.firstVcpu + id);
    if (!isMeant(any, target, command, destination)) continue;
    deliver(target, mode, command);
    isMet = true;
  }
  return isMet;
}

function deliver(target: Vcpu, mode: u32, command: u32): void {
  switch (mode) {
    case MODE_FIXED:
      lapicAccept(target, command & 255, (command & ICR_LEVEL) != 0);
      break;
    case MODE_NMI:
      target.nmiPending = 1;
      vcpuKick(target);
      break;
    case MODE_INIT:
      // The de-assert that ends a level-triggered INIT means nothing to processors since the Pentium 4.
      if ((command & (ICR_LEVEL | ICR_ASSERT)) != ICR_LEVEL) startupInit(target);
      break;
    case MODE_STARTUP:
      startupSipi(target, command & 255);
      break;
    default: // SMI and reserved modes: nobody listens
  }
}

/** Of the processors that are meant, the one with the lowest priority; address, 0 for none. */
function lowest(v: Vcpu, d: Domain, command: u32, destination: u32): usize {
  let best: usize = 0;
  let priority: u32 = 0x100;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const target = Vcpu.at(d.firstVcpu + id);
    if (!isMeant(v, target, command, destination)) continue;
    const its = lapicProcessorPriority(target);
    if (its < priority) {
      priority = its;
      best = changetype<usize>(target);
    }
  }
  return best;
}

function isMeant(v: Vcpu, target: Vcpu, command: u32, destination: u32): bool {
  switch ((command >> 18) & 3) {
    case SHORTHAND_SELF:
      return target.slot == v.slot;
    case SHORTHAND_ALL:
      return true;
    case SHORTHAND_OTHERS:
      return target.slot != v.slot;
    default:
  }
  if ((command & ICR_LOGICAL) != 0) return isLogical(target, destination);
  return destination == BROADCAST || target.lapicReg(APIC_ID) >> 24 == destination;
}

/** Logical destination: flat, or clusters of four. */
function isLogical(target: Vcpu, destination: u32): bool {
  const mine = target.lapicReg(APIC_LDR) >> 24;
  if (target.lapicReg(APIC_DFR) >> 28 != DFR_CLUSTER) return (mine & destination) != 0;
  if (destination == BROADCAST) return true;
  return mine >> 4 == destination >> 4 && (mine & destination & 15) != 0;
}
