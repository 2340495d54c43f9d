/**
 * Extended state of a vCPU: at VCPU_XSTATE_OFFSET, {xcr0, every bit that xcr0 ever had, save area}, as the toolstack sees it
 * (domctl/ext-state.ts). The processor executes no x87 and no SSE instruction, so the area is what the toolstack put there, or the
 * state after reset. A vCPU that has never set XCR0 does not know of extended state: both words are 0.
 */
import { VCPU_XSTATE_OFFSET } from "../abi/layout";
import {
  FCW_RESET,
  MXCSR_RESET,
  XSTATE_AREA_SIZE,
  XSTATE_FCW,
  XSTATE_MAX_SIZE,
  XSTATE_MXCSR,
  XSTATE_PREFIX_SIZE,
  XSTATE_X87,
} from "../abi/xstate";
import { Cpu } from "../hw/cpu";
import { Vcpu } from "./vcpu";

@unmanaged
export class Xstate {
  xcr0: u64;
  accumulated: u64;

  @inline static of(v: Vcpu): Xstate {
    return Xstate.ofCpu(v.cpu);
  }

  @inline static ofCpu(c: Cpu): Xstate {
    return changetype<Xstate>(changetype<usize>(c) + VCPU_XSTATE_OFFSET);
  }

  /** Bytes that the toolstack's buffer needs for these components: both kinds of state lie in the one legacy region. */
  @inline static sizeOf(components: u64): u32 {
    return components == 0 ? <u32>XSTATE_PREFIX_SIZE : <u32>(XSTATE_PREFIX_SIZE + XSTATE_AREA_SIZE);
  }

  /** Whether XCR0 may have this value on a processor with `components`: x87 cannot be switched off. */
  @inline static isLegal(value: u64, components: u64): bool {
    return (value & ~components) == 0 && (value & XSTATE_X87) != 0;
  }
}

if (offsetof<Xstate>() != XSTATE_PREFIX_SIZE) ERROR("Xstate begins with two words");

/** State after reset. */
export function xstateReset(c: Cpu): void {
  const at = changetype<usize>(Xstate.ofCpu(c));
  memory.fill(at, 0, XSTATE_MAX_SIZE);
  store<u16>(at + XSTATE_PREFIX_SIZE, <u16>FCW_RESET, XSTATE_FCW);
  store<u32>(at + XSTATE_PREFIX_SIZE, MXCSR_RESET, XSTATE_MXCSR);
}
