/** The whole WebAssembly ABI of the core: one export per line, no logic. */
import "./base/abort";

export { deviceInput } from "./dev/console";
export { dom0Mfn, frameWritten, hypercall } from "./run/dom0";
export { p2mInvariants, translateGva, walkGpa } from "./run/inspect";
export {
  bootGrant,
  deviceRaise,
  deviceStep,
  ioCountBytes,
  ioHolders,
  ioInvariants,
  ioRights,
  ioUnit,
} from "./run/io-inspect";
export { setKnob } from "./run/knobs";
export { machineInit } from "./run/machine-init";
export { pageHashes } from "./run/page-hash";
export { run, runTo, runVcpu } from "./run/scheduler";
export { codeCacheReset, restored, snapshotExtents, watchesChanged } from "./run/snapshot";
export { stateHash } from "./run/state-hash";
