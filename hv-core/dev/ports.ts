/** The port devices of the core (knob device.at = core): which ports they have, and which device a port belongs to. */
import { DEBUG_PORT, DEVICE_SOURCE_DEBUG_PORT, EXIT_PORT, POST_PORT, UART_PORT, UART_PORTS } from "../abi/devices";
import { SHUTDOWN_CRASH, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT } from "../abi/hypercalls";
import { Domain } from "../hv/domain";
import { domainShutdown } from "../hv/domain/shutdown";
import { deviceOutput } from "./console";
import { DeviceState } from "./state";
import { uartRead, uartWrite } from "./uart";

/** Whether the whole access belongs to one of the devices; as with an ioreq server's ranges, a part is not enough. */
export function isDevicePort(port: u32, size: u32): bool {
  if (port - <u32>UART_PORT < <u32>UART_PORTS) return port - <u32>UART_PORT + size <= <u32>UART_PORTS;
  return size == 1 && (port == <u32>DEBUG_PORT || port == <u32>POST_PORT || port == <u32>EXIT_PORT);
}

/** One access that isDevicePort accepted; a wide one touches as many registers. @returns what was read, or `data`. */
export function devicePort(d: Domain, port: u32, size: u32, isRead: bool, data: u32): u64 {
  let result: u32 = isRead ? 0 : data;
  for (let i: u32 = 0; i < size; i++) {
    if (isRead) result |= read(d, port + i) << (i << 3);
    else write(d, port + i, (data >> (i << 3)) & 255);
  }
  return <u64>result;
}

function read(d: Domain, port: u32): u32 {
  if (port == <u32>DEBUG_PORT) return DEBUG_PORT;
  if (port == <u32>POST_PORT) return DeviceState.of(d.slot).post;
  if (port == <u32>EXIT_PORT) return 0xff;
  return uartRead(d.slot, port - <u32>UART_PORT);
}

function write(d: Domain, port: u32, value: u32): void {
  if (port == <u32>DEBUG_PORT) deviceOutput(DEVICE_SOURCE_DEBUG_PORT, value);
  else if (port == <u32>POST_PORT) DeviceState.of(d.slot).post = <u8>value;
  else if (port == <u32>EXIT_PORT) exit(d, value);
  else uartWrite(d.slot, port - <u32>UART_PORT, value);
}

/** Test exit: 0 = power off, 1 = reboot, anything else = crash. */
function exit(d: Domain, value: u32): void {
  if (value == 0) domainShutdown(d, SHUTDOWN_POWEROFF);
  else domainShutdown(d, value == 1 ? SHUTDOWN_REBOOT : SHUTDOWN_CRASH);
}
