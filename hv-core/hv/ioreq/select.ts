/**
 * Chooses the ioreq server that answers an access outside any server page (spec 03 section 3.5, select).
 *
 * Before: emulate/do-io.ts (the request is latched in the vCPU). After: send.ts.
 * The newest enabled server one of whose ranges holds the *whole* access gets it. Each test is a search in a tree of ranges.
 */
import {
  IO_RANGE_MEMORY,
  IO_RANGE_PCI,
  IO_RANGE_PORT,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
} from "../../abi/ioreq";
import { Domain, NO_SERVER } from "../domain";
import { IoKind } from "../emulate/io-kind";
import { Rangeset } from "../iocap/rangeset";
import { Vcpu } from "../vcpu";
import { IoreqServer } from "./server";

const PCI_ADDRESS_PORT: u64 = 0xcf8;
const PCI_DATA_PORT: u64 = 0xcfc;
const CF8_ENABLED: u32 = 0x8000_0000;

/** The server for the request latched in `v`, NO_SERVER for none. Sets v.ioSentType and v.ioSentAddr. */
export function ioreqSelect(v: Vcpu, d: Domain): u32 {
  const type = IoKind.type(v.ioKind);
  const addr = v.ioAddr;
  v.ioSentType = type;
  v.ioSentAddr = addr;
  if (type == <u32>IOREQ_TYPE_PIO) {
    if ((addr & ~3) == PCI_DATA_PORT && (d.pciCf8 & CF8_ENABLED) != 0) return selectPci(v, d);
    return newest(d, IO_RANGE_PORT, addr, addr + <u64>v.ioSize - 1);
  }
  if (type != <u32>IOREQ_TYPE_COPY) return NO_SERVER;
  const rest = <u64>(v.ioCount - 1) * <u64>v.ioSize;
  const first = IoKind.isDown(v.ioKind) ? addr - rest : addr;
  const last = (IoKind.isDown(v.ioKind) ? addr : addr + rest) + <u64>v.ioSize - 1;
  return last < first ? NO_SERVER : newest(d, IO_RANGE_MEMORY, first, last);
}

function newest(d: Domain, range: u32, first: u64, last: u64): u32 {
  let left = d.ioreqEnabled;
  while (left != 0) {
    const id = 31 - clz<u32>(left);
    const address = d.ioreqServer(id);
    if (Rangeset.contains(IoreqServer.at(address).ranges(range), first, last)) return address;
    left &= ~(1 << id);
  }
  return NO_SERVER;
}

/**
 * A data port of PCI configuration mechanism 1: the request goes to the server of the function that cf8 points at. Port ranges have no
 * say then, as in Xen: a function that nobody has is not there.
 */
function selectPci(v: Vcpu, d: Domain): u32 {
  const cf8 = d.pciCf8;
  const sbdf = <u64>((cf8 >> 8) & 0xffff);
  const server = newest(d, IO_RANGE_PCI, sbdf, sbdf);
  if (server == NO_SERVER) return NO_SERVER;
  v.ioSentType = IOREQ_TYPE_PCI_CONFIG;
  v.ioSentAddr = (sbdf << 32) | <u64>(cf8 & 0xfc) | (v.ioAddr & 3);
  return server;
}

/** Writes of four bytes to cf8 are remembered for the whole domain and go on their way. */
export function pciSnoopAddress(d: Domain, addr: u64, size: u32, data: u64): void {
  if (addr == PCI_ADDRESS_PORT && size == 4) d.pciCf8 = <u32>data;
}
