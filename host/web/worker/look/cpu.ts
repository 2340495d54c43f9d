/** Registers of every vCPU, and why it does not run when it does not. */
import { pauseFlags, type Registers, vcpuNamer } from "../../../lib/inspect.ts";
import type { Session } from "../session.ts";

export interface VcpuLook {
  readonly slot: number;
  readonly name: string;
  readonly registers: Registers;
  /** VPF_* bits: 0 = it may run. */
  readonly pauseFlags: number;
}

export interface CpuLook {
  readonly vcpus: readonly VcpuLook[];
}

export function readCpu({ machine, domid }: Session): CpuLook {
  const name = vcpuNamer(machine.core);
  return {
    vcpus: machine.vcpus(domid).map((slot) => ({
      slot,
      name: name(slot),
      registers: machine.regs(slot),
      pauseFlags: pauseFlags(machine.core, slot),
    })),
  };
}
