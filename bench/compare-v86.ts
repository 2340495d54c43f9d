/**
 * The programs of `guest code` on v86 as well, in the same minute. v86 is not a dependency of this project; where it is installed
 * (`npm install --no-save v86`), run `node dist/bench/compare-v86.js`, otherwise this says so and ends.
 *
 * v86 gets a home-made 128 KiB BIOS image that enters protected mode and copies the program to PROGRAM_BASE.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "simple-statistics";
import { compileBuild } from "../host/node/wasm.ts";
import { environment, environmentText } from "./environment.ts";
import { PROGRAM_BASE, PROGRAMS, programBytes } from "./programs.ts";
import { programContestant } from "./suites/guest-mips.ts";

/** The part of v86's interface that is used here. */
interface Emulator {
  add_listener(event: string, listener: () => void): void;
  run(): Promise<void>;
  stop(): Promise<void>;
  destroy(): Promise<void>;
  get_instruction_counter(): number;
}
type EmulatorConstructor = new (options: object) => Emulator;

const BIOS_BYTES = 0x2_0000;
const BIOS_LINEAR = 0xe_0000;
const ROUNDS = 5;
const ROUND_MS = 700;
/** v86's own set-up and its JIT want some time before they are measured. */
const WARM_UP_MS = 1500;

const u16 = (n: number): number[] => [n & 255, (n >> 8) & 255];
const u32 = (n: number): number[] => [...u16(n), ...u16(n >>> 16)];

function biosImage(program: Uint8Array): Uint8Array {
  const image = new Uint8Array(BIOS_BYTES);
  const at = (linear: number): number => linear - BIOS_LINEAR;
  image.set(program, 0);
  // Reset vector: jmp f000:f000
  image.set([0xea, ...u16(0xf000), ...u16(0xf000)], at(0xffff0));
  // cli; lgdt cs:[f200]; cr0 |= 1; jmp 8:ff100
  image.set([0xfa, 0x2e, 0x66, 0x0f, 0x01, 0x16, ...u16(0xf200)], at(0xff000));
  image.set([0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea, ...u32(0xff100), ...u16(8)], at(0xff008));
  // ds = es = ss = 10h; copy; jump to the program
  const copy = [0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xfc];
  copy.push(0xbe, ...u32(BIOS_LINEAR), 0xbf, ...u32(PROGRAM_BASE), 0xb9, ...u32(program.length), 0xf3, 0xa4);
  copy.push(0xb8, ...u32(PROGRAM_BASE), 0xff, 0xe0);
  image.set(copy, at(0xff100));
  image.set([...u16(23), ...u32(0xff210)], at(0xff200));
  image.set(
    [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0],
    at(0xff210),
  );
  return image;
}

async function loadV86(): Promise<{ V86: EmulatorConstructor; folder: string } | null> {
  const require = createRequire(join(process.cwd(), "package.json"));
  let file: string;
  try {
    file = require.resolve("v86");
  } catch {
    return null;
  }
  const module = (await import(pathToFileURL(file).href)) as {
    V86?: EmulatorConstructor;
    default?: EmulatorConstructor;
  };
  const V86 = module.V86 ?? module.default;
  return V86 ? { V86, folder: dirname(file) } : null;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const v86 = await loadV86();
if (v86 === null) {
  console.log("v86 is not installed: npm install --no-save v86, then run this again");
  process.exit(0);
}

/** A running v86 with the program in its loop, stopped. */
async function startV86(program: Uint8Array, withoutJit: boolean): Promise<Emulator> {
  const { V86, folder } = v86!;
  const bios = biosImage(program);
  const emulator = new V86({
    wasm_path: join(folder, "v86.wasm"),
    memory_size: 128 * 2 ** 20,
    vga_memory_size: 2 ** 21,
    bios: { buffer: bios.buffer },
    autostart: false,
    disable_jit: withoutJit,
    log_level: 0,
  });
  await new Promise<void>((resolve) => emulator.add_listener("emulator-ready", resolve));
  await emulator.run();
  await sleep(WARM_UP_MS);
  await emulator.stop();
  return emulator;
}

/** MIPS of one stretch of time. v86 counts modulo 2^32. */
async function runV86(emulator: Emulator): Promise<number> {
  const before = emulator.get_instruction_counter();
  const start = performance.now();
  await emulator.run();
  await sleep(ROUND_MS);
  await emulator.stop();
  const seconds = (performance.now() - start) / 1000;
  return ((emulator.get_instruction_counter() - before) >>> 0) / seconds / 1e6;
}

console.log(`${environmentText(environment())}\n`);
console.log(
  "MIPS (median of interleaved rounds)".padEnd(36),
  "vmexit".padStart(8),
  "v86 -JIT".padStart(9),
  "v86 +JIT".padStart(9),
  "  ratio to v86 without JIT",
);
const silicon = compileBuild("silicon");
for (const program of PROGRAMS) {
  const bytes = programBytes(program);
  const ours = programContestant(silicon, program);
  ours.call!();
  const plain = await startV86(bytes, true);
  const jit = await startV86(bytes, false);
  const samples: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < ROUND_MS) {
      ours.call!();
      calls++;
    }
    samples[0].push((calls * ours.operations) / (performance.now() - start) / 1000);
    samples[1].push(await runV86(plain));
    samples[2].push(await runV86(jit));
  }
  const [a, b, c] = samples.map((list) => median(list)) as [number, number, number];
  console.log(
    program.name.padEnd(36),
    a.toFixed(0).padStart(8),
    b.toFixed(0).padStart(9),
    c.toFixed(0).padStart(9),
    `  ${(a / b).toFixed(2)}x`,
  );
  await plain.destroy();
  await jit.destroy();
}
process.exit(0);
