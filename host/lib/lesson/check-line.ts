/**
 * The vocabulary in which lessons say what is so, one line each. An *action* does something ("run to exit EPT_VIOLATION"), an *expectation*
 * compares a quantity ("p2m 0x100 = ram_rw"), `note NAME QUANTITY` remembers one for later lines ("exits EPT_VIOLATION < $before").
 * docs/lessons/README.md lists all words. Carried out by run-checks.ts.
 */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "has" | "lacks";

export type CheckLine =
  | { readonly kind: "action"; readonly text: string; readonly name: string; readonly args: readonly string[] }
  | { readonly kind: "note"; readonly text: string; readonly as: string; readonly quantity: Quantity }
  | {
      readonly kind: "expect";
      readonly text: string;
      readonly quantity: Quantity;
      readonly operator: Operator;
      readonly value: string;
    };

export interface Quantity {
  readonly name: string;
  readonly args: readonly string[];
}

/** What each stage can do and tell: a lesson that uses another word is refused. */
export const ACTIONS = {
  guest: "NAME [MiB]: a fresh machine with this guest",
  knob: "NAME=VALUE: for the machine that is built next",
  era: "NAME: the preset of knobs of the machine that is built next",
  run: "[N | to exit NAME]: runs the guest to its end, N instructions, or until it left the guest for that reason",
  step: "[N]: one instruction of vCPU 0",
  watch: "GFN COUNT: an ioreq server takes the page type, and these pages get it",
  release: "the server gives the page type back",
  "log-dirty": "on | clean | off",
  share: "GFN GFN: nominates both pages and shares them",
  nominate: "GFN: offers the page for sharing, so that the next write makes it the guest's own again",
  pager: "start | kill: begins to page the domain; kill leaves it to its requests",
  evict: "GFN: the pager puts the page away",
  domctl: "pause | unpause | info | list [N]: the operation, N times",
  domains: "N: builds so many more domains, empty ones",
  vcpus: "N: of the guest that is built next",
  race: "NAME VARIANT: a fresh machine of this race",
  move: "ORDER: these actors take their next steps: guest0*3 toolstack",
  try: "ORDER: the same as far as this hypervisor allows, then everybody in turn until nobody can go on",
  film: "the losing schedule that is kept beside the race",
  explore: "[STRATEGY [STEPS]]: tries all orders, or those that the strategy tries, with at most so many steps",
  io: "NAME [accountant=on] [remedy=NAME]: plays a scenario about I/O resources",
  shell: "COMMAND: runs it (tests only)",
} as const;

export const QUANTITIES = {
  exits: "NAME: how often the guest was left for this reason",
  counter: "NAME: one of the exact counters",
  since: "NOTE QUANTITY: by how much the quantity has grown since it was noted",
  instructions: "guest instructions retired",
  p2m: "GFN: type of the page",
  "p2m-rights": "GFN: rights of the page, rwx or - for one that is missing",
  "p2m-size": "GFN: 4K, 2M or 1G",
  "p2m-pending": "GFN: yes when it is recalculated at the next touch",
  frame: "GFN: machine frame of the page",
  register: "NAME: of vCPU 0",
  word: "GPA: 4 bytes of guest memory",
  console: "what the guest wrote",
  outcome: "how it ended: poweroff, crash, ...; alive when it has not",
  blocked: "yes when vCPU 0 waits",
  dirty: "pages that log-dirty mode has noted",
  saved: "frames that sharing saves now",
  trace: "what the hypervisor did, as text",
  traced: "NAME: how many events of this kind",
  verdict: "open, clean, or the invariant that is broken",
  message: "what the broken invariant says about this case",
  state: "NAME: a fact beside the last step",
  lane: "ACTOR: runnable, blocked or idle",
  waits: "ACTOR: what keeps it, or what it would do next",
  said: "what the last step did, and what came of it",
  told: "what all steps did, and what came of it",
  steps: "steps taken",
  states: "states that were explored",
  sentence: "verdict of the exploration as the command line prints it",
  broken: "the rule that is broken, or no rule",
  answers: "what the parties were answered",
  output: "what the command printed",
  "exit-code": "of the command",
} as const;

const OPERATORS = new Set<string>(["=", "!=", "<", "<=", ">", ">=", "has", "lacks"]);

/** Words, and pieces in double quotes. */
function words(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

function unknown(word: string): never {
  const known = [...Object.keys(ACTIONS), ...Object.keys(QUANTITIES), "note"];
  const meant = nearest(word, known);
  throw new UsageError(
    `no action and no quantity is called "${word}": ${meant ? `did you mean ${meant}?` : `there are ${known.join(", ")}`}`,
  );
}

function quantityOf([name = "", ...args]: readonly string[]): Quantity {
  if (!Object.hasOwn(QUANTITIES, name)) unknown(name);
  return { name, args };
}

/** @throws UsageError that says which word is wrong. */
export function parseCheckLine(text: string): CheckLine {
  const all = words(text);
  const [first = ""] = all;
  if (first === "") throw new UsageError("a check is empty");
  const at = all.findIndex((word, i) => i > 0 && OPERATORS.has(word));
  if (first === "shell") return { kind: "action", text, name: first, args: [text.replace(/^shell\s+/, "")] };
  if (at > 0) {
    const value = all.slice(at + 1).join(" ");
    if (value === "") throw new UsageError(`"${text}" compares with nothing`);
    return { kind: "expect", text, quantity: quantityOf(all.slice(0, at)), operator: all[at] as Operator, value };
  }
  if (first === "note") {
    const [, as = "", ...rest] = all;
    if (!/^[a-z][\w-]*$/.test(as)) throw new UsageError(`"${text}": write note NAME QUANTITY`);
    return { kind: "note", text, as, quantity: quantityOf(rest) };
  }
  if (Object.hasOwn(QUANTITIES, first))
    throw new UsageError(`"${text}" compares with nothing: write for instance "${text} = ..."`);
  if (!Object.hasOwn(ACTIONS, first)) unknown(first);
  return { kind: "action", text, name: first, args: all.slice(1) };
}

/** A number as people write it: decimal, 1,000, 0x10; undefined for anything else. */
export function numberOf(text: string): number | undefined {
  const plain = text.replaceAll(",", "");
  return /^-?(0x[0-9a-f]+|\d+)$/i.test(plain) ? Number(plain) : undefined;
}

const flat = (text: string): string => text.replace(/\s+/g, " ");

/** Numbers are compared as numbers, everything else as text. */
export function compare(is: string | number, operator: Operator, value: string): boolean {
  if (operator === "has") return flat(String(is)).includes(flat(value));
  if (operator === "lacks") return !flat(String(is)).includes(flat(value));
  const left = typeof is === "number" ? is : numberOf(is);
  const right = numberOf(value);
  if (left === undefined || right === undefined) {
    if (operator === "=") return flat(String(is)) === flat(value);
    if (operator === "!=") return flat(String(is)) !== flat(value);
    throw new UsageError(`${operator} compares numbers: "${is}" and "${value}" are not both`);
  }
  switch (operator) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
}
