/** NMIs and an IRET that exited in its middle (bit 12 of the qualification). */
import { QUAL_NMI_UNBLOCKED_BIT } from "../../abi/exits";
import { Cpu } from "../../hw/cpu";
import { BLOCKED_BY_NMI } from "../../hw/system-flags";

/** The IRET is made again, and the NMI's handler is not over before it has been: until then no other NMI may come. */
export function blockNmiAgain(c: Cpu): void {
  const isUnblocked = ((<u32>c.exitQualification >> QUAL_NMI_UNBLOCKED_BIT) & 1) != 0;
  if (isUnblocked && c.exitIdtVectoring == 0) c.interruptibility |= BLOCKED_BY_NMI;
}
