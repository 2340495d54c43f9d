/**
 * The command line of the command module: a guest's file and the options of `vmexit run` that make sense here.
 * Knobs are given by number, as host/lib/knobs.ts numbers them; `device.at` is always core.
 */
import { NR_KNOBS } from "../abi/knobs";
import { OPTIONS_BASE } from "./state";
import { System } from "./system";

export const USAGE_OK: u32 = 0;
export const USAGE_NO_GUEST: u32 = 1;
export const USAGE_UNKNOWN_OPTION: u32 = 2;
export const USAGE_BAD_NUMBER: u32 = 3;

const MIN_MEMORY: u64 = 1 << 20;
const MAX_MEMORY: u64 = 0xc000_0000;
const MAX_VCPUS: u64 = 8;
const MAX_CMDLINE: u32 = 1023;
const NO_NUMBER: u64 = 0xffff_ffff_ffff_ffff;
const KNOBS: usize = 256;

@unmanaged
export class Options {
  memoryBytes: u64;
  maxInstructions: u64;
  vcpus: u32;
  /** Path and command line: NUL-terminated arguments. */
  guest: u32;
  cmdline: u32;
  cmdlineBytes: u32;
  /** Print the summary on standard error. */
  summary: u32;
  private _pad: u32;

  @inline static get(): Options {
    return changetype<Options>(OPTIONS_BASE);
  }

  /** Value given for knob `index`, or `otherwise`. */
  static knob(index: u32, otherwise: u32): u32 {
    const at = OPTIONS_BASE + KNOBS + ((<usize>index) << 3);
    return load<u32>(at) == 0 ? otherwise : load<u32>(at, 4);
  }

  /** Whether the argument is `name`, a string constant (UTF-16 in the constants, ASCII in the argument). */
  private static is(argument: usize, name: string): bool {
    const length = System.length(argument);
    if (length != <u32>name.length) return false;
    for (let i: u32 = 0; i < length; i++) {
      if (load<u16>(changetype<usize>(name) + ((<usize>i) << 1)) != <u16>load<u8>(argument + i)) return false;
    }
    return true;
  }

  /** A decimal number, with K, M or G after it when `hasUnit`; NO_NUMBER when it is none. `end` is the byte it must stop at. */
  private static number(text: usize, hasUnit: bool, end: u8): u64 {
    let value: u64 = 0;
    let at = text;
    while (load<u8>(at) >= 0x30 && load<u8>(at) <= 0x39) {
      if (value > 100_000_000_000_000_000) return NO_NUMBER;
      value = value * 10 + (load<u8>(at) - 0x30);
      at++;
    }
    if (at == text) return NO_NUMBER;
    const unit = load<u8>(at) & 0xdf;
    if (hasUnit && (unit == 0x4b || unit == 0x4d || unit == 0x47)) {
      const shift: u64 = unit == 0x4b ? 10 : unit == 0x4d ? 20 : 30;
      if (value >> (63 - shift) != 0) return NO_NUMBER;
      value <<= shift;
      at++;
    }
    return load<u8>(at) == end ? value : NO_NUMBER;
  }

  private static knobSetting(text: usize): bool {
    const index = Options.number(text, false, 0x3d);
    if (index >= <u64>NR_KNOBS) return false;
    let value = text;
    while (load<u8>(value) != 0x3d) value++;
    const number = Options.number(value + 1, false, 0);
    if (number > 0xffff_ffff) return false;
    const at = OPTIONS_BASE + KNOBS + ((<usize>index) << 3);
    store<u32>(at, 1);
    store<u32>(at, <u32>number, 4);
    return true;
  }

  /** Takes argument `name` with its value; USAGE_*. */
  private static option(name: usize, value: usize): u32 {
    const o = Options.get();
    if (Options.is(name, "--memory")) {
      o.memoryBytes = Options.number(value, true, 0);
      if (o.memoryBytes < MIN_MEMORY || o.memoryBytes > MAX_MEMORY || o.memoryBytes & 4095) return USAGE_BAD_NUMBER;
    } else if (Options.is(name, "--vcpus")) {
      const vcpus = Options.number(value, false, 0);
      if (vcpus < 1 || vcpus > MAX_VCPUS) return USAGE_BAD_NUMBER;
      o.vcpus = <u32>vcpus;
    } else if (Options.is(name, "--cmdline")) {
      o.cmdline = <u32>value;
      o.cmdlineBytes = System.length(value);
      if (o.cmdlineBytes > MAX_CMDLINE) return USAGE_BAD_NUMBER;
    } else if (Options.is(name, "--max-instructions")) {
      o.maxInstructions = Options.number(value, false, 0);
      if (o.maxInstructions == NO_NUMBER || o.maxInstructions == 0) return USAGE_BAD_NUMBER;
    } else if (Options.is(name, "--knob")) {
      if (!Options.knobSetting(value)) return USAGE_BAD_NUMBER;
    } else {
      return USAGE_UNKNOWN_OPTION;
    }
    return USAGE_OK;
  }

  /** Reads the arguments; USAGE_*. */
  static parse(): u32 {
    const o = Options.get();
    o.memoryBytes = 64 << 20;
    o.vcpus = 1;
    o.maxInstructions = 10_000_000_000;
    const count = System.loadArguments();
    for (let i: u32 = 1; i < count; i++) {
      const argument = System.argument(i);
      if (load<u16>(argument) != 0x2d2d) {
        if (o.guest != 0) return USAGE_UNKNOWN_OPTION;
        o.guest = <u32>argument;
      } else if (Options.is(argument, "--summary")) {
        o.summary = 1;
      } else {
        if (i + 1 == count) return USAGE_BAD_NUMBER;
        const error = Options.option(argument, System.argument(++i));
        if (error != USAGE_OK) return error;
      }
    }
    return o.guest == 0 ? USAGE_NO_GUEST : USAGE_OK;
  }
}
