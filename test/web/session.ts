/** A session of a guest as the page's worker has it. */
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { Session } from "../../host/web/worker/session.ts";

export async function openSession(name: string, knobs: Readonly<Record<string, number>> = {}): Promise<Session> {
  const image = loadImage((await loadGuest(name)).build());
  if (!image.ok) throw new Error(image.problem);
  const memoryBytes = 64 * 2 ** 20;
  const machine = createMachine(compileBuild("release"), { memoryBytes, vcpus: 8, knobs });
  const { domid } = machine.createGuest({ image: image.value, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  return new Session(machine, domid);
}

/** To a position, in as many slices as it takes. @returns why it stopped. */
export function goTo(session: Session, at: number): string {
  for (;;) {
    const reason = session.seek(at);
    if (reason !== "cancelled") return reason;
  }
}

/** Runs to just after the first instruction whose evidence fits. @throws Error when there is none before `limit` instructions. */
export function findInstruction(session: Session, fits: (s: Session) => boolean, limit = 8000): void {
  while (session.at < limit) {
    const reason = session.step();
    if (fits(session)) return;
    if (reason === "ended") break;
  }
  throw new Error("no instruction fits");
}
