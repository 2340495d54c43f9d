/** Unit-test build: LAPIC and event injection, without a guest that runs (test/ioreq/lapic.test.ts, assist.test.ts). */
import "../base/abort";
import { Machine } from "../base/machine";
import { Internal } from "../hv/emulate/internal";
import { hvmEventPending, irqAssist } from "../hv/irq/assist";
import { lapicSetBase } from "../hv/irq/lapic";
import { lapicMmio } from "../hv/irq/lapic-mmio";
import { msiInject } from "../hv/irq/msi";
import { timersRun } from "../hv/time/timers";
import { Frame } from "../mem/frame-table";
import { World, worldCreate } from "./world";

export function setup(vcpus: u32): void {
  worldCreate(1024, vcpus, 16, 0);
  for (let id: u32 = 0; id < vcpus; id++) {
    World.vcpu(id).pauseFlags = id == 0 ? 0 : World.vcpu(id).pauseFlags;
    World.vcpu(id).initialised = id == 0 ? 1 : 0;
  }
}

export function mmioRead(vcpu: u32, offset: u32, size: u32): u32 {
  return <u32>lapicMmio(World.vcpu(vcpu), offset, size, true, 0);
}

export function mmioWrite(vcpu: u32, offset: u32, size: u32, value: u32): void {
  lapicMmio(World.vcpu(vcpu), offset, size, false, value);
}

export function claims(vcpu: u32, gpa: u64): bool {
  return Internal.claimsMemory(World.vcpu(vcpu), gpa);
}

export function setBase(vcpu: u32, value: u64): bool {
  return lapicSetBase(World.vcpu(vcpu), value);
}

export function setFlags(vcpu: u32, rflags: u32, interruptibility: u32): void {
  World.vcpu(vcpu).cpu.rflags = rflags;
  World.vcpu(vcpu).cpu.interruptibility = interruptibility;
}

/** Prepares entry. @returns the event that goes in, 0 for none. */
export function assist(vcpu: u32): u32 {
  irqAssist(World.vcpu(vcpu));
  return World.vcpu(vcpu).cpu.entryEvent;
}

/** The processor took the event. */
export function entered(vcpu: u32): void {
  World.vcpu(vcpu).cpu.entryEvent = 0;
}

export function queueException(vcpu: u32, event: u32): void {
  World.vcpu(vcpu).cpu.entryEvent = event;
}

export function window(vcpu: u32): u32 {
  return World.vcpu(vcpu).cpu.interruptWindow;
}

export function isPending(vcpu: u32): bool {
  return hvmEventPending(World.vcpu(vcpu));
}

export function setCallback(param: u64): void {
  World.guest.setParam(0, param);
}

export function setUpcallPending(vcpu: u32, value: u32): void {
  const v = World.vcpu(vcpu);
  store<u8>(Frame.host(v.vcpuInfoMfn) + v.vcpuInfoOffset, <u8>value);
}

export function setInjected(vcpu: u32, event: u32, error: u32): void {
  World.vcpu(vcpu).injectEvent = event;
  World.vcpu(vcpu).injectError = error;
}

export function setCr8(vcpu: u32, value: u32): void {
  World.vcpu(vcpu).cpu.cr8 = value;
}

export function pauseFlags(vcpu: u32): u32 {
  return World.vcpu(vcpu).pauseFlags;
}

export function setPauseFlags(vcpu: u32, flags: u32): void {
  World.vcpu(vcpu).pauseFlags = flags;
}

export function rip(vcpu: u32): u32 {
  return <u32>World.vcpu(vcpu).cpu.rip;
}

export function csBase(vcpu: u32): u32 {
  return <u32>World.vcpu(vcpu).cpu.seg(1).base;
}

/** Time passes: timers that are due fire. */
export function advance(ticks: u64): void {
  Machine.get().now += ticks;
  timersRun();
}

/** A message-signalled interrupt from a device model (DMOP_inject_msi). */
export function msi(address: u64, data: u32): i32 {
  return msiInject(World.guest, address, data);
}
