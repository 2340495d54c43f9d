/**
 * The command module: `vmexit run` without a host. Guest file, arguments, console and exit code go through WASI; devices are the
 * in-core ones. It makes dom0's hypercalls itself, in the order the host does, so that the traces of both can be compared.
 *
 *   wasmtime --dir . build/wasi.wasm guest.elf --memory 64M --summary
 *
 * Exit codes as the CLI's: 0 powered off, 1 crashed or another reason, 2 wrong usage or image, 3 budget spent.
 */
import "../base/abort";
import { CTR_INSTRUCTIONS } from "../abi/counters";
import { ENOMEM, ENOSPC, OK } from "../abi/errno";
import { SHUTDOWN_POWEROFF, VIRQ_DOM_EXC } from "../abi/hypercalls";
import { DEVICE_AT_CORE, KNOB_DEVICE_AT, NR_KNOBS } from "../abi/knobs";
import { COUNTERS_BASE, FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { RUN_BUDGET, RUN_IDLE } from "../abi/run";
import { Knobs } from "../base/machine";
import { Domain } from "../hv/domain";
import { machineInit } from "../run/machine-init";
import { run } from "../run/scheduler";
import { BackEnds } from "./back-ends";
import { Build } from "./build";
import { defaultKnob } from "./default-knobs";
import { DOM0_PAGES, Dom0 } from "./dom0";
import { IMAGE_OK, Image } from "./elf";
import { Guest } from "./guest";
import { GuestMemory } from "./guest-memory";
import { imageProblem, usageProblem } from "./messages";
import { Options, USAGE_OK } from "./options";
import { Output } from "./output";
import { printSummary } from "./summary";
import { System } from "./system";
import { Toolstack } from "./toolstack";

const EXIT_POWERED_OFF = 0;
const EXIT_OTHER_END = 1;
const EXIT_USAGE = 2;
const EXIT_BUDGET_SPENT = 3;
const STILL_RUNNING = -1;
const SLICE: u64 = 50_000_000;

/** Instructions run so far by all guests. */
function instructions(): u64 {
  return load<u64>(COUNTERS_BASE + (CTR_INSTRUCTIONS << 3));
}

/** Frames that nobody has at first, as in host/lib/machine.ts. */
const SPARE_FRAMES: u32 = 1536;

/** Machine frames, as host/lib/machine.ts counts them. */
function frameCount(): u32 {
  const o = Options.get();
  const ram = <u32>(o.memoryBytes >> PAGE_SHIFT);
  const pool = 256 * o.vcpus + <u32>((o.memoryBytes + 0xf_ffff) >> 20);
  const overhead = 192 + o.vcpus * 4 + pool;
  return ram + overhead + DOM0_PAGES + SPARE_FRAMES;
}

/** Sizes linear memory, sets the knobs, creates dom0. */
function start(): bool {
  const frames = frameCount();
  const wanted = <i32>((<u64>FRAMES_BASE + ((<u64>frames) << PAGE_SHIFT) + 0xffff) >> 16);
  if (memory.size() < wanted && memory.grow(wanted - memory.size()) < 0) return false;
  for (let i: u32 = 0; i < <u32>NR_KNOBS; i++) Knobs.set(i, Options.knob(i, defaultKnob(i)));
  Knobs.set(KNOB_DEVICE_AT, DEVICE_AT_CORE);
  if (machineInit(frames, DOM0_PAGES) != OK || Dom0.init() != OK) return false;
  Guest.get().domExcPort = Dom0.bindVirq(VIRQ_DOM_EXC);
  if (Guest.get().domExcPort < 0) return false;
  Guest.get().window = Dom0.takeGfns(GuestMemory.windowPages());
  return true;
}

/** The exit code when the guest has shut down, STILL_RUNNING otherwise. Looking leaves no trace, unlike getdomaininfo. */
function exitCode(): i32 {
  const found = Domain.find(Guest.get().domid);
  if (found == 0) return EXIT_OTHER_END;
  const d = changetype<Domain>(found);
  if (d.isShutDown == 0) return STILL_RUNNING;
  return d.shutdownCode == <u32>SHUTDOWN_POWEROFF ? EXIT_POWERED_OFF : EXIT_OTHER_END;
}

/** Runs until the guest ends, the budget is spent or nothing can wake it; the exit code. As Machine.run of host/lib/machine.ts. */
function runGuest(): i32 {
  let left = Options.get().maxInstructions;
  let counted = instructions();
  while (left > 0) {
    const slice = min<u64>(left, SLICE);
    const why = run(<u32>slice);
    const wasPending = BackEnds.serve();
    const now = instructions();
    const spent = why == <u32>RUN_BUDGET ? slice : max<u64>(1, now - counted);
    left -= min<u64>(spent, left);
    counted = now;
    const isStuck = why == <u32>RUN_IDLE && !wasPending;
    const g = Guest.get();
    const hasStopped = g.domainStopped != 0;
    g.domainStopped = 0;
    if (isStuck || hasStopped) {
      const code = exitCode();
      if (code != STILL_RUNNING) return code;
      if (isStuck) return EXIT_OTHER_END;
    }
  }
  return EXIT_BUDGET_SPENT;
}

/** Says what is wrong; the exit code for it. */
function fail(problem: string): i32 {
  Output.text("vmexit: ");
  Output.text(problem);
  Output.text("\n");
  return EXIT_USAGE;
}

/** The whole run; the exit code. */
function main(): i32 {
  const usage = Options.parse();
  if (usage != USAGE_OK) return fail(usageProblem(usage));
  const image = Image.open(Options.get().guest);
  if (image != IMAGE_OK) return fail(imageProblem(image));
  if (!start()) return fail("the machine does not fit: give it less --memory");
  const error = Build.domain();
  if (error == -ENOSPC) return fail("the guest does not fit into its memory: give it more with --memory");
  if (error == -ENOMEM) return fail("the machine has too few frames for this guest");
  if (error != OK || BackEnds.attach() != OK) return fail("the domain could not be built");
  System.close(Image.get().fd);
  Image.get().fd = 0; // a number of the WASI system, which must not show in the state hash
  Toolstack.unpause(Guest.get().domid);

  const code = runGuest();
  Output.flush();
  if (Options.get().summary) printSummary(code == EXIT_BUDGET_SPENT);
  return code;
}

System.exit(main());
