/** The port devices of the core (knob device.at = core): which ports they have, and which device a port belongs to. */
import { DEBUG_PORT, DEVICE_SOURCE_DEBUG_PORT, EXIT_PORT, POST_PORT, UART_PORT, UART_PORTS } from "../abi/devices";
import { SHUTDOWN_CRASH, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT } from "../abi/hypercalls";
import { Domain } from "../hv/domain";
import { domainShutdown } from "../hv/domain/shutdown";
import { deviceOutput } from "./console";
import { DeviceState } from "./state";
import { uartRead, uartWrite } from "./uart";

export function isDevicePort(port: u32): bool {
  return (
    port - <u32>UART_PORT < <u32>UART_PORTS ||
    port == <u32>DEBUG_PORT ||
    port == <u32>POST_PORT ||
    port == <u32>EXIT_PORT
  );
}

/**
 * One access to a port that isDevicePort accepted. The devices are eight bits wide: the other bytes of a wider read are ones, those
 * of a wider write are lost. @returns what was read, or `data`.
 */
export function devicePort(d: Domain, port: u32, size: u32, isRead: bool, data: u32): u64 {
  if (!isRead) {
    write(d, port, data & 255);
    return data;
  }
  const ones: u32 = 0xffff_ffff >> (32 - (size << 3));
  return <u64>(read(d, port) | (ones & ~255));
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
