/**
 * Application processors by INIT and start-up IPI, as on hardware (SDM 3A, section 8.4): INIT puts a processor into its reset
 * state and lets it wait, the start-up IPI sets it running in real mode at vector * 4096.
 */
import { SEG_CS } from "../../abi/cpu";
import { STATE_IOREQ_NONE } from "../../abi/ioreq";
import { Mode } from "../../hw/mode";
import { cpuReset } from "../domain/vcpu-create";
import { IO_NO_COMPLETION, Vcpu, VPF_BLOCKED, VPF_DOWN, VPF_POLL } from "../vcpu";
import { lapicReset } from "./lapic";

/** A processor that was never started is in its reset state already. */
export function startupInit(v: Vcpu): void {
  if (v.initialised == 0) return;
  const base = v.apicBase;
  cpuReset(v.cpu, v.cpu.eptRoot);
  lapicReset(v);
  v.apicBase = base;
  v.initialised = 0;
  forgetIo(v);
  v.pauseFlags = (v.pauseFlags | VPF_DOWN) & ~(VPF_BLOCKED | VPF_POLL);
}

/** An answer that a device model still owes is taken, but the instruction that asked for it is gone. */
function forgetIo(v: Vcpu): void {
  v.ioCompletion = IO_NO_COMPLETION;
  if (v.ioState != <u32>STATE_IOREQ_NONE) v.ioBroadcast = 1;
}

/** Only a processor that waits after RESET or INIT listens. */
export function startupSipi(v: Vcpu, vector: u32): void {
  if (v.initialised != 0) return;
  const c = v.cpu;
  cpuReset(c, c.eptRoot);
  const cs = c.seg(SEG_CS);
  cs.selector = vector << 8;
  cs.base = <u64>(vector << 12);
  c.rip = 0;
  Mode.update(c);
  v.initialised = 1;
  v.pauseFlags &= ~VPF_DOWN;
}
