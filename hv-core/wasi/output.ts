/** Characters on their way to standard output (gathered, then written), and texts for people on standard error. */
import { OUTPUT_BASE, OUTPUT_SIZE } from "./state";
import { SCRATCH, STDERR, STDOUT, System } from "./system";

const COUNT: usize = OUTPUT_BASE;
const DATA: usize = OUTPUT_BASE + 16;

export class Output {
  static put(character: u32): void {
    const count = load<u32>(COUNT);
    store<u8>(DATA + count, <u8>character);
    store<u32>(COUNT, count + 1);
    if (count + 1 == OUTPUT_SIZE) Output.flush();
  }

  static flush(): void {
    const count = load<u32>(COUNT);
    if (count != 0) System.write(STDOUT, DATA, count);
    store<u32>(COUNT, 0);
  }

  /** A string constant on standard error. */
  static text(text: string): void {
    const length = <u32>text.length;
    for (let i: u32 = 0; i < length; i++)
      store<u8>(SCRATCH + i, <u8>load<u16>(changetype<usize>(text) + ((<usize>i) << 1)));
    System.write(STDERR, SCRATCH, length);
  }

  static decimal(value: u64): void {
    let at: usize = SCRATCH + 32;
    let rest = value;
    do {
      at--;
      store<u8>(at, <u8>(0x30 + (rest % 10)));
      rest /= 10;
    } while (rest != 0);
    System.write(STDERR, at, <u32>(SCRATCH + 32 - at));
  }

  /** Sixteen hexadecimal digits. */
  static hex(value: u64): void {
    for (let i: u32 = 0; i < 16; i++) {
      const digit = <u8>((value >> ((15 - i) << 2)) & 15);
      store<u8>(SCRATCH + i, digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
    System.write(STDERR, SCRATCH, 16);
  }
}
