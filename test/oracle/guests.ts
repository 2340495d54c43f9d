/** The guests that run on a real Xen and on vmexit alike: they use nothing but the guest ABI, or treat a missing device as missing. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../host/node/paths.ts";

export interface OracleGuest {
  readonly name: string;
  readonly vcpus?: number;
  /** It also writes to devices that a real Xen does not have: what Xen printed has to occur in vmexit's output, in this order. */
  readonly isSubset?: boolean;
}

export const ORACLE_GUESTS: readonly OracleGuest[] = [
  { name: "probe-facts" },
  { name: "probe-hypercalls" },
  { name: "probe-grants" },
  { name: "probe-faults32" },
  { name: "probe-faults64" },
  { name: "probe-io" },
  { name: "hello", isSubset: true },
  { name: "long-mode" },
  { name: "exceptions" },
  { name: "timer" },
  { name: "balloon" },
  { name: "smp-spinlock", vcpus: 2 },
  { name: "c-guest" },
];

/** Every guest gets the same, so that one boot of Xen serves all. */
export const CMDLINE = "hello world";
export const MEMORY_MIB = 64;

/** What a guest did on Xen: its lines (debug port and PV console) and its end. */
export interface Recording {
  readonly lines: readonly string[];
  readonly end: string;
}

const recordedFile = (name: string): string => join(ROOT, "test", "oracle", "recorded", `${name}.txt`);

/** @throws Error if the guest was never recorded. */
export function readRecording(name: string): Recording {
  const file = recordedFile(name);
  if (!existsSync(file)) throw new Error(`${file} is missing: VMEXIT_RECORD=1 npm run test:long -- test/oracle`);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const end = lines.pop()!;
  return { lines, end: end.replace(/^END /, "") };
}

export const recordingText = (recording: Recording): string =>
  `${[...recording.lines, `END ${recording.end}`].join("\n")}\n`;
export { recordedFile };
