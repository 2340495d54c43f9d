/**
 * The file that hands domctls to domains (docs/policy.md), checked here because nobody else can say what is wrong with it:
 *
 *   { "version": 1,
 *     "rules": [ { "subject": "builder", "domctl": ["createdomain", "max_mem"], "target": "any", "limitKib": 262144 } ] }
 *
 * Domains are named; who has which name is the scenario's business. What comes out are the rules of xsm_op.
 */
import * as numbers from "../../../hv-core/abi/domctl.ts";
import * as first from "../../../hv-core/abi/hypercalls.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { suggest } from "../suggest.ts";
import { type LocatedNode, parseLocated } from "./located-json.ts";

export interface PolicyRule {
  readonly subject: number;
  /** A domid, XSM_TARGET_ANY or XSM_TARGET_OWN. */
  readonly target: number;
  readonly domctl: number;
  /** Largest value of max_mem in KiB, 0 = any. */
  readonly limitKib: number;
}

/** DOMCTL numbers by lower-case name. */
export const DOMCTL_NUMBERS: ReadonlyMap<string, number> = new Map(
  [...Object.entries(first), ...Object.entries(numbers)]
    .filter(
      ([name]) =>
        name.startsWith("DOMCTL_") && !/^DOMCTL_(SIZE|UNION|INTERFACE_VERSION_|SOFT_RESET_CONT|LAST_|ERA_)/.test(name),
    )
    .map(([name, value]) => [name.slice(7).toLowerCase(), value as number]),
);

const TARGETS: ReadonlyMap<string, number> = new Map([
  ["any", numbers.XSM_TARGET_ANY],
  ["own", numbers.XSM_TARGET_OWN],
]);
const RULE_KEYS = ["subject", "domctl", "target", "limitKib"];
const MAX_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * @param domids domids by name: the domains that the file may speak of.
 * @throws UsageError "file:line: what is wrong and what would be right"
 */
export function parsePolicy(text: string, file: string, domids: ReadonlyMap<string, number>): PolicyRule[] {
  return policyRules(parseLocated(text, file), file, domids);
}

/** The same for a policy that is part of a larger file. */
export function policyRules(root: LocatedNode, file: string, domids: ReadonlyMap<string, number>): PolicyRule[] {
  const fail = (node: LocatedNode, reason: string): never => {
    throw new UsageError(`${file}:${node.line}: ${reason}`);
  };
  const members = (node: LocatedNode, keys: readonly string[], what: string): Map<string, LocatedNode> => {
    if (!(node.value instanceof Map)) return fail(node, `${what} is an object`);
    for (const [key, value] of node.value)
      if (!keys.includes(key)) fail(value, `unknown "${key}" in ${what}: ${suggest(key, keys)}`);
    return node.value;
  };
  const need = (of: LocatedNode, map: Map<string, LocatedNode>, key: string, what: string): LocatedNode =>
    map.get(key) ?? fail(of, `${what} has no "${key}"`);
  const text1 = (node: LocatedNode, what: string): string =>
    typeof node.value === "string" ? node.value : fail(node, `${what} is a string`);
  const domain = (node: LocatedNode, what: string): number => {
    const name = text1(node, what);
    return domids.get(name) ?? fail(node, `no domain is called "${name}": ${suggest(name, [...domids.keys()])}`);
  };
  const meant = (name: string): string => {
    const near = nearest(name, [...DOMCTL_NUMBERS.keys()]);
    return near === undefined ? "see docs/policy.md" : `did you mean "${near}"?`;
  };
  const command = (node: LocatedNode): number => {
    const name = text1(node, "a domctl");
    return DOMCTL_NUMBERS.get(name) ?? fail(node, `no domctl is called "${name}": ${meant(name)}`);
  };

  const top = members(root, ["version", "rules"], "a policy");
  const version = need(root, top, "version", "the policy");
  if (version.value !== numbers.XSM_POLICY_VERSION) fail(version, `version is ${numbers.XSM_POLICY_VERSION}`);
  const list = need(root, top, "rules", "the policy");
  if (!Array.isArray(list.value)) return fail(list, `"rules" is a list`);

  const rules = list.value.flatMap((node): PolicyRule[] => {
    const rule = members(node, RULE_KEYS, "a rule");
    const subject = domain(need(node, rule, "subject", "the rule"), "the subject");
    const targetNode = need(node, rule, "target", "the rule");
    const word = typeof targetNode.value === "string" ? TARGETS.get(targetNode.value) : undefined;
    const target = word ?? domain(targetNode, "the target");
    const limit = rule.get("limitKib");
    if (limit && !(Number.isInteger(limit.value) && Number(limit.value) >= 1 && Number(limit.value) <= MAX_LIMIT))
      fail(limit, `"limitKib" is a whole number of KiB from 1 on`);
    const commands = need(node, rule, "domctl", "the rule");
    const nodes = Array.isArray(commands.value) ? commands.value : [commands];
    if (nodes.length === 0) fail(commands, "the rule names no domctl");
    if (limit && !nodes.some((c) => c.value === "max_mem"))
      fail(limit, `"limitKib" is a limit for max_mem, and the rule does not name it`);
    return nodes.map((c) => ({ subject, target, domctl: command(c), limitKib: Number(limit?.value ?? 0) }));
  });
  if (rules.length > numbers.XSM_MAX_RULES)
    fail(list, `${rules.length} rules, one for each domctl: at most ${numbers.XSM_MAX_RULES} fit`);
  return rules;
}
