/** GDB's `monitor` words: what a hypervisor has and GDB has no word for. */
import { walkText } from "../debug/walk-text.ts";
import { UsageError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import type { Position, Session } from "../travel/types.ts";

const HELP = `where            position in the recording
seek <n>         go to after instruction n
exit <k>         go to after exit k
events <n>       the last n events before here
walk <gpa>       the EPT walk of a guest-physical address
gpa <address>    guest-physical address of a linear one
written <gpa>    go to the last write of a byte, before here
`;

const show = (p: Position): string => `instruction ${p.instructions}, exit ${p.exits}, time ${p.time}\n`;

function numberOf(text: string | undefined, what: string): number {
  const value = text !== undefined && /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UsageError(`${what}: write a number, decimal or 0x...`);
  return value;
}

/** The answer to one line. After what moves the machine GDB must forget the registers it knows. @throws UsageError */
export function monitor(session: Session, domid: DomId, slot: number, line: string): string {
  const [word, argument] = line.trim().split(/\s+/);
  switch (word) {
    case "where":
      return show(session.position());
    case "seek":
      return `${show(session.seek(numberOf(argument, "seek")).position)}now: maintenance flush register-cache\n`;
    case "exit":
      return `${show(session.seekExit(numberOf(argument, "exit")).position)}now: maintenance flush register-cache\n`;
    case "events": {
      const here = session.position().time;
      const before = session.timeline().filter((event) => event.at <= here);
      return before
        .slice(-numberOf(argument ?? "10", "events"))
        .map((event) => `${event.at} ${event.name}\n`)
        .join("");
    }
    case "walk": {
      const gpa = numberOf(argument, "walk");
      return walkText(session.machine.core, domid, gpa, session.machine.walk(domid, gpa));
    }
    case "gpa": {
      const gpa = session.machine.translate(slot, BigInt(numberOf(argument, "gpa")));
      return gpa === undefined ? "not mapped\n" : `0x${gpa.toString(16)}\n`;
    }
    case "written": {
      const write = session.lastWrite(domid, numberOf(argument, "written"));
      if (!write) return "nobody since the start\n";
      const by = write.by === "guest" ? `the instruction at 0x${write.rip.toString(16)}` : "the outside";
      return `by ${by}: ${show(session.goTo(write.position).position)}now: maintenance flush register-cache\n`;
    }
    default:
      return HELP;
  }
}
