/** Single accesses and walks, asked for from outside: what an instruction would meet, without an instruction. Results in the mailbox. */
import { MAILBOX_BASE } from "../abi/layout";
import { Mem } from "../hw/access";
import { Ept } from "../hw/ept-walk";
import { GuestWalk } from "../hw/guest-walk";
import { Msr } from "../hw/msr";
import { SiliconMachine } from "./machine";

const KIND_READ: u32 = 0;
const KIND_WRITE: u32 = 1;
const KIND_READ_FOR_WRITE: u32 = 2;

export class Probe {
  static access(kind: u32, lin: u64, size: u32, seg: u32): u32 {
    const c = SiliconMachine.cpu();
    c.fault = 0;
    const data = load<u64>(MAILBOX_BASE);
    let value: u64 = 0;
    if (kind == KIND_WRITE) {
      if (size == 8) Mem.write64(c, lin, seg, data);
      else if (size == 4) Mem.write32(c, lin, seg, <u32>data);
      else if (size == 2) Mem.write16(c, lin, seg, <u32>data);
      else Mem.write8(c, lin, seg, <u32>data);
    } else if (kind == KIND_READ_FOR_WRITE) {
      if (size == 8) value = Mem.readForWrite64(c, lin, seg);
      else if (size == 4) value = Mem.readForWrite32(c, lin, seg);
      else if (size == 2) value = Mem.readForWrite16(c, lin, seg);
      else value = Mem.readForWrite8(c, lin, seg);
    } else if (kind == KIND_READ) {
      if (size == 8) value = Mem.read64(c, lin, seg);
      else if (size == 4) value = Mem.read32(c, lin, seg);
      else if (size == 2) value = Mem.read16(c, lin, seg);
      else value = Mem.read8(c, lin, seg);
    } else value = Mem.fetchHost(c, lin);
    if (kind != KIND_WRITE) store<u64>(MAILBOX_BASE, value);
    return c.fault;
  }

  static eptWalk(gpa: u64): void {
    store<u64>(MAILBOX_BASE, Ept.walk(SiliconMachine.cpu().eptRoot, gpa));
  }

  static translate(lin: u64, isWrite: bool, isUser: bool): void {
    store<u64>(MAILBOX_BASE, GuestWalk.translate(SiliconMachine.cpu(), lin, isWrite, isUser));
  }

  static msr(index: u32, isWrite: bool): u32 {
    const c = SiliconMachine.cpu();
    return isWrite ? Msr.write(c, index, load<u64>(MAILBOX_BASE)) : Msr.read(c, index, MAILBOX_BASE);
  }
}
