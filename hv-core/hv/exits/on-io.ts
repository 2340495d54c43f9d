/**
 * I/O instruction (exit 30). IN and OUT go straight to the port; INS and OUTS have a memory operand and are emulated.
 * The processor has checked IOPL and the TSS bitmap before the exit.
 */
import { QUAL_IO_IN_BIT, QUAL_IO_PORT_SHIFT, QUAL_IO_STRING_BIT } from "../../abi/exits";
import { emulateInstruction } from "../emulate/emulate";
import { portAccess } from "../emulate/port";
import { REP_SINGLE, repPort } from "../emulate/rep";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

export function onIo(v: Vcpu): Verdict {
  const qualification = <u32>v.cpu.exitQualification;
  if ((qualification >> QUAL_IO_STRING_BIT) & 1) {
    const batch = repPort(v);
    return batch != REP_SINGLE ? <Verdict>batch : emulateInstruction(v);
  }
  const isRead = ((qualification >> QUAL_IO_IN_BIT) & 1) != 0;
  return portAccess(v, qualification >> QUAL_IO_PORT_SHIFT, (qualification & 7) + 1, isRead);
}
