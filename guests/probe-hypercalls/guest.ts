/**
 * Probe: what the hypercalls of the guest ABI answer, good calls and bad ones, one line each.
 *
 * 32-bit layouts (spec 08). The order matters: later rows see what earlier ones did.
 */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { assemblyGuest } from "../guest.ts";
import { clearArg, probe32 } from "../lib/probe.ts";
import { eventChannelChecks } from "./event-channels.ts";
import { hvmChecks } from "./hvm.ts";
import { memoryChecks } from "./memory.ts";
import { numberSweep } from "./sweep.ts";
import { vcpuAndSchedChecks } from "./vcpu-sched.ts";
import { versionAndConsoleChecks } from "./version-console.ts";

const guest = assemblyGuest({
  name: "probe-hypercalls",
  title: "probe: return values and structures of every hypercall a guest may use",
  source: probe32(
    [
      versionAndConsoleChecks(),
      vcpuAndSchedChecks(),
      eventChannelChecks(),
      hvmChecks(),
      memoryChecks(),
      numberSweep(hc.NR_HYPERCALLS),
    ].join("\n"),
    clearArg(),
  ),
  isProbe: true,
});

export default guest;
