/**
 * A file that describes a machine with its domains, and who may do what (docs/scenario.md):
 *
 *   { "version": 1,
 *     "domains": [ { "name": "web", "guest": "hello", "memoryMiB": 64, "vcpus": 1, "paused": true },
 *                  { "name": "helper", "kind": "toolstack" } ],
 *     "knobs": { "xsm.maxMem": "seen" },
 *     "policy": { "version": 1, "rules": [ { "subject": "helper", "domctl": "pausedomain", "target": "any" } ] } }
 *
 * Checked here, with the line of what is wrong; scenario.ts builds the machine.
 */
import { UsageError } from "../errors.ts";
import { ERAS, type EraName, KNOBS, type KnobValues, parseKnob } from "../knobs.ts";
import { type LocatedNode, parseLocated } from "../policy/located-json.ts";
import { type PolicyRule, policyRules } from "../policy/policy-file.ts";
import { suggest } from "../suggest.ts";

export interface ScenarioDomain {
  readonly name: string;
  /** "guest": boots something. "toolstack": has no guest in it, commands can be issued from it. */
  readonly kind: "guest" | "toolstack";
  /** Name of a guest or a file, of a domain of kind "guest". */
  readonly guest: string;
  /** Undefined: what the guest asks for. */
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly cmdline?: string;
  /** Left paused by the toolstack. */
  readonly isPaused: boolean;
  /** The domain whose device model this one is. */
  readonly target?: string;
  /** Line of the file, for errors that are found later. */
  readonly line: number;
}

export interface Scenario {
  readonly file: string;
  readonly era?: EraName;
  /** Values by the names of knobs, as `vmexit knobs` lists them. */
  readonly knobs: KnobValues;
  readonly domains: readonly ScenarioDomain[];
  readonly hasPolicy: boolean;
  /** The policy, when the domains have ids. @throws UsageError "file:line: what is wrong" */
  rules(domids: ReadonlyMap<string, number>): readonly PolicyRule[];
}

const TOP_KEYS = ["version", "era", "knobs", "domains", "policy"];
const DOMAIN_KEYS = ["name", "kind", "guest", "memoryMiB", "vcpus", "cmdline", "paused", "target"];
const MAX_DOMAINS = 16;
const MAX_MIB = 2048;

/** @throws UsageError "file:line: what is wrong and what would be right" */
export function parseScenario(text: string, file: string): Scenario {
  const fail = (node: LocatedNode, reason: string): never => {
    throw new UsageError(`${file}:${node.line}: ${reason}`);
  };
  const members = (node: LocatedNode, keys: readonly string[], what: string): Map<string, LocatedNode> => {
    if (!(node.value instanceof Map)) return fail(node, `${what} is an object`);
    for (const [key, value] of node.value)
      if (!keys.includes(key)) fail(value, `unknown "${key}" in ${what}: ${suggest(key, keys)}`);
    return node.value;
  };
  const string = (node: LocatedNode, what: string): string =>
    typeof node.value === "string" ? node.value : fail(node, `${what} is a string`);
  const whole = (node: LocatedNode, what: string, max: number): number => {
    const value = node.value;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > max)
      return fail(node, `${what} is a whole number from 1 to ${max}`);
    return value;
  };
  const optional = <T>(node: LocatedNode | undefined, read: (node: LocatedNode) => T): T | undefined =>
    node && read(node);

  function domain(node: LocatedNode, earlier: ReadonlyMap<string, unknown>): ScenarioDomain {
    const given = members(node, DOMAIN_KEYS, "a domain");
    const nameNode = given.get("name") ?? fail(node, `the domain has no "name"`);
    const name = string(nameNode, "a name");
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name) || name === "dom0" || name === "any" || name === "own")
      fail(
        nameNode,
        `${JSON.stringify(name)} is no name for a domain: small letters, digits and dashes, and not dom0, any or own`,
      );
    if (earlier.has(name)) fail(nameNode, `there are two domains called "${name}"`);
    const kind = optional(given.get("kind"), (n) => string(n, "a kind")) ?? "guest";
    if (kind !== "guest" && kind !== "toolstack")
      return fail(given.get("kind")!, `no kind "${kind}": ${suggest(kind, ["guest", "toolstack"])}`);
    const guest = optional(given.get("guest"), (n) => string(n, "a guest"));
    if (kind === "guest" && guest === undefined) fail(node, `domain "${name}" has no "guest"`);
    if (kind === "toolstack")
      for (const key of ["guest", "memoryMiB", "vcpus", "cmdline", "paused"])
        if (given.has(key)) fail(given.get(key)!, `a domain of kind "toolstack" has no "${key}"`);
    const memoryMiB = optional(given.get("memoryMiB"), (n) => whole(n, `"memoryMiB"`, MAX_MIB));
    const vcpus = optional(given.get("vcpus"), (n) => whole(n, `"vcpus"`, 128));
    const cmdline = optional(given.get("cmdline"), (n) => string(n, "a command line"));
    const target = optional(given.get("target"), (n) => {
      const of = string(n, "a target");
      return earlier.has(of)
        ? of
        : fail(n, `no domain before this one is called "${of}": ${suggest(of, [...earlier.keys()])}`);
    });
    const paused = given.get("paused");
    if (paused && typeof paused.value !== "boolean") fail(paused, `"paused" is true or false`);
    return {
      name,
      kind,
      guest: guest ?? "",
      isPaused: paused?.value === true,
      line: node.line,
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(vcpus === undefined ? {} : { vcpus }),
      ...(cmdline === undefined ? {} : { cmdline }),
      ...(target === undefined ? {} : { target }),
    };
  }

  const root = parseLocated(text, file);
  const top = members(root, TOP_KEYS, "a scenario");
  const version = top.get("version") ?? fail(root, `the scenario has no "version"`);
  if (version.value !== 1) fail(version, "version is 1");
  const era = optional(top.get("era"), (node) => {
    const name = string(node, "an era");
    return Object.hasOwn(ERAS, name)
      ? (name as EraName)
      : fail(node, `no era is called "${name}": ${suggest(name, Object.keys(ERAS))}`);
  });
  const knobs: Record<string, number> = {};
  const knobNode = top.get("knobs");
  const knobNames = KNOBS.map((k) => k.name);
  for (const [name, node] of knobNode ? members(knobNode, knobNames, `"knobs"`) : []) {
    if (name === "xsm") fail(node, `the knob xsm follows from "policy"`);
    if (typeof node.value !== "string" && typeof node.value !== "number")
      fail(node, "the value of a knob is a word or a number");
    try {
      knobs[name] = parseKnob(`${name}=${node.value}`)[1];
    } catch (error) {
      fail(node, (error as Error).message);
    }
  }
  const list = top.get("domains") ?? fail(root, `the scenario has no "domains"`);
  if (!Array.isArray(list.value) || list.value.length === 0) return fail(list, `"domains" is a list of one or more`);
  if (list.value.length > MAX_DOMAINS) fail(list, `${list.value.length} domains: at most ${MAX_DOMAINS} fit`);
  const domains = new Map<string, ScenarioDomain>();
  for (const node of list.value) {
    const one = domain(node, domains);
    domains.set(one.name, one);
  }
  const policy = top.get("policy");
  if (policy) policyRules(policy, file, new Map([...domains.keys()].map((name, i) => [name, i + 1])));
  return {
    file,
    ...(era === undefined ? {} : { era }),
    knobs,
    domains: [...domains.values()],
    hasPolicy: policy !== undefined,
    rules: (domids) => (policy ? policyRules(policy, file, domids) : []),
  };
}
