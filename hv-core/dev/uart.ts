/** A 16550 UART that sends at once and raises no interrupt: what polling drivers need. Eight byte-wide ports from UART_PORT on. */
import { DEVICE_SOURCE_UART } from "../abi/devices";
import { deviceInput, deviceOutput } from "./console";
import { DeviceState, UART_QUEUE } from "./state";

const LCR_DLAB: u32 = 0x80;
const FCR_ENABLE: u32 = 1;
const FCR_CLEAR_RECEIVE: u32 = 2;
const MCR_LOOPBACK: u32 = 0x10;
const IIR_NOTHING: u32 = 1;
const IIR_FIFO: u32 = 0xc0;
const LSR_DATA_READY: u32 = 1;
/** Transmitter holding register and transmitter empty. */
const LSR_IDLE: u32 = 0x60;
/** Carrier, ring off, data set ready, clear to send. */
const MSR_CONNECTED: u32 = 0xb0;

/** Reads register `reg` (0..7). */
export function uartRead(slot: u32, reg: u32): u32 {
  const s = DeviceState.of(slot);
  const isDivisor = (s.lcr & LCR_DLAB) != 0;
  switch (reg) {
    case 0:
      return isDivisor ? s.divisor & 255 : receive(s);
    case 1:
      return isDivisor ? <u32>s.divisor >> 8 : <u32>s.ier;
    case 2:
      return IIR_NOTHING | (s.fcr & FCR_ENABLE ? IIR_FIFO : 0);
    case 3:
      return s.lcr;
    case 4:
      return s.mcr;
    case 5:
      return LSR_IDLE | (s.rxCount != 0 ? LSR_DATA_READY : 0);
    case 6:
      return s.mcr & MCR_LOOPBACK ? loopbackStatus(s.mcr) : MSR_CONNECTED;
    default:
      return s.scratch;
  }
}

export function uartWrite(slot: u32, reg: u32, value: u32): void {
  const s = DeviceState.of(slot);
  const isDivisor = (s.lcr & LCR_DLAB) != 0;
  switch (reg) {
    case 0:
      if (isDivisor) s.divisor = <u16>((s.divisor & 0xff00) | value);
      else if (s.mcr & MCR_LOOPBACK) deviceInput(slot, value);
      else deviceOutput(DEVICE_SOURCE_UART, value);
      break;
    case 1:
      if (isDivisor) s.divisor = <u16>((s.divisor & 0xff) | (value << 8));
      else s.ier = <u8>(value & 15);
      break;
    case 2:
      s.fcr = <u8>(value & FCR_ENABLE);
      if (value & FCR_CLEAR_RECEIVE) s.rxCount = 0;
      break;
    case 3:
      s.lcr = <u8>value;
      break;
    case 4:
      s.mcr = <u8>(value & 31);
      break;
    case 7:
      s.scratch = <u8>value;
      break;
    default: // line and modem status are read-only
  }
}

/** The oldest character received, 0 when there is none. */
function receive(s: DeviceState): u32 {
  if (s.rxCount == 0) return 0;
  const character = load<u8>(s.rxAddress(s.rxFirst));
  s.rxFirst = (s.rxFirst + 1) % UART_QUEUE;
  s.rxCount--;
  return character;
}

/** In loopback the modem outputs DTR, RTS, OUT1, OUT2 appear as the inputs DSR, CTS, RI, DCD. */
function loopbackStatus(mcr: u32): u32 {
  return ((mcr & 1) << 5) | ((mcr & 2) << 3) | ((mcr & 12) << 4);
}
