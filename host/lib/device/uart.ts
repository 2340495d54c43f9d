/**
 * 16550 UART at 0x3F8, polled: no interrupt line, the transmitter is always empty. Registers as in the National Semiconductor data sheet.
 * Slab: one u32 for each register from 64 on, then the receive ring.
 */
import { getField, setField } from "../actors.ts";
import type { Core } from "../core.ts";
import { type DeviceContext, putConsole } from "./context.ts";
import { fifoLength, fifoPut, fifoTake } from "./fifo.ts";
import type { DeviceModel } from "./model.ts";

const IER = 64;
const FCR = 68;
const LCR = 72;
const MCR = 76;
const SCRATCH = 80;
const DIVISOR_LOW = 84;
const DIVISOR_HIGH = 88;
const RECEIVE = 128;

const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;
const LSR_DATA_READY = 0x01;
/** Transmitter holding register and shift register empty. */
const LSR_IDLE = 0x60;
const IIR_NONE = 0x01;
const IIR_FIFOS = 0xc0;
/** Carrier, data set ready, clear to send. */
const MSR_CONNECTED = 0xb0;

/** A byte typed on the terminal. */
export function uartReceive(core: Core, slab: number, byte: number): boolean {
  return fifoPut(core, slab + RECEIVE, byte);
}

/** Modem status in loop-back: RTS DTR OUT1 OUT2 come back as CTS DSR RI DCD. */
function modemStatus(mcr: number): number {
  if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
  return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 4) << 4) | ((mcr & 8) << 4);
}

function readRegister(core: Core, slab: number, register: number): number {
  const isDivisor = (getField(core, slab, LCR) & LCR_DLAB) !== 0;
  switch (register) {
    case 0:
      return isDivisor ? getField(core, slab, DIVISOR_LOW) : Math.max(0, fifoTake(core, slab + RECEIVE));
    case 1:
      return getField(core, slab, isDivisor ? DIVISOR_HIGH : IER);
    case 2:
      return IIR_NONE | ((getField(core, slab, FCR) & 1) !== 0 ? IIR_FIFOS : 0);
    case 3:
      return getField(core, slab, LCR);
    case 4:
      return getField(core, slab, MCR);
    case 5:
      return LSR_IDLE | (fifoLength(core, slab + RECEIVE) > 0 ? LSR_DATA_READY : 0);
    case 6:
      return modemStatus(getField(core, slab, MCR));
    case 7:
      return getField(core, slab, SCRATCH);
    default:
      return 0xff;
  }
}

function writeRegister(context: DeviceContext, slab: number, register: number, byte: number): void {
  const { core } = context.dom0;
  const isDivisor = (getField(core, slab, LCR) & LCR_DLAB) !== 0;
  switch (register) {
    case 0:
      if (isDivisor) setField(core, slab, DIVISOR_LOW, byte);
      else if ((getField(core, slab, MCR) & MCR_LOOP) !== 0) fifoPut(core, slab + RECEIVE, byte);
      else putConsole(context, byte);
      break;
    case 1:
      if (isDivisor) setField(core, slab, DIVISOR_HIGH, byte);
      else setField(core, slab, IER, byte & 0x0f);
      break;
    case 2:
      if ((byte & 2) !== 0) core.u8.fill(0, slab + RECEIVE, slab + RECEIVE + 8);
      setField(core, slab, FCR, byte & 0xc9);
      break;
    case 3:
      setField(core, slab, LCR, byte);
      break;
    case 4:
      setField(core, slab, MCR, byte & 0x1f);
      break;
    case 7:
      setField(core, slab, SCRATCH, byte);
      break;
    default: // line and modem status are read-only
      break;
  }
}

export const uart: DeviceModel = {
  read: ({ dom0: { core } }, slab, offset, size) => {
    let value = 0;
    for (let i = 0; i < size; i++) value |= readRegister(core, slab, offset + i) << (i * 8);
    return value >>> 0;
  },
  write: (context, slab, offset, size, low) => {
    for (let i = 0; i < size; i++) writeRegister(context, slab, offset + i, (low >>> (i * 8)) & 255);
  },
};
