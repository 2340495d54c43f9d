/** Guests of this project under a session. */

import { assemble } from "../../guests/asm/assembler.ts";
import { openGuest } from "../../host/cli/guest-source.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { createMachine, type Machine, type MachineOptions } from "../../host/lib/machine.ts";
import { openSession } from "../../host/lib/travel/session.ts";
import type { Session, SessionOptions } from "../../host/lib/travel/types.ts";
import { compileBuild } from "../../host/node/wasm.ts";

export const wasm = compileBuild("release");

export interface Booted {
  readonly machine: Machine;
  readonly domid: DomId;
}

export async function boot(name: string, options: Partial<MachineOptions> = {}): Promise<Booted> {
  const { image, memoryBytes, vcpus, cmdline } = await openGuest(name, false);
  const machine = createMachine(wasm, { memoryBytes, vcpus, ...options });
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
  return { machine, domid };
}

export async function record(
  name: string,
  session: SessionOptions = {},
  options: Partial<MachineOptions> = {},
): Promise<{ readonly session: Session; readonly domid: DomId; readonly slot: number }> {
  const { machine, domid } = await boot(name, options);
  return { session: openSession(machine, session), domid, slot: machine.vcpus(domid)[0]! };
}

/** Numbers that look random and are the same every time. */
export function* randoms(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** A guest from assembly text, for one vCPU and 8 MiB, with checkpoints close together. */
export function sessionOfSource(source: string): {
  readonly session: Session;
  readonly slot: number;
  readonly domid: DomId;
  readonly label: (name: string) => bigint;
} {
  const program = assemble(source);
  const segments = program.sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const memoryBytes = 8 * 2 ** 20;
  const machine = createMachine(wasm, { memoryBytes, vcpus: 1 });
  const image = { format: "pvh", description: "test", entry: 0x10_0000, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  return {
    session: openSession(machine, { interval: 1000, checkpoints: 12 }),
    slot: machine.vcpus(domid)[0]!,
    domid,
    label: (name) => BigInt(program.symbols.get(name)!),
  };
}
