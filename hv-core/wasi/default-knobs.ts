/** Defaults of era 4.17 (host/lib/knobs.ts; a test compares them), for a module that has no host to set them. */
import {
  ERA_4_17,
  KNOB_ERA,
  KNOB_EVENT_SLOTS,
  KNOB_P2M_SUPERPAGES,
  KNOB_PADDR_BITS,
  KNOB_SCHED_QUANTUM,
  KNOB_SEED,
  KNOB_TLB_ENTRIES,
  KNOB_TRACE_MASK,
  KNOB_TSC_KHZ,
} from "../abi/knobs";

export function defaultKnob(index: u32): u32 {
  switch (index) {
    case KNOB_ERA:
      return ERA_4_17;
    case KNOB_TLB_ENTRIES:
      return 1024;
    case KNOB_P2M_SUPERPAGES:
      return 1;
    case KNOB_SCHED_QUANTUM:
      return 10_000;
    case KNOB_TSC_KHZ:
      return 1_000_000;
    case KNOB_TRACE_MASK:
      return 0x17e;
    case KNOB_PADDR_BITS:
      return 40;
    case KNOB_EVENT_SLOTS:
      return 8;
    case KNOB_SEED:
      return 1;
    default:
      return 0;
  }
}
