/** Policy files: what is right becomes rules; what is wrong is said with its line. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../host/lib/errors.ts";
import { parseLocated } from "../../host/lib/policy/located-json.ts";
import { parsePolicy } from "../../host/lib/policy/policy-file.ts";
import { XSM_TARGET_ANY, XSM_TARGET_OWN } from "../../hv-core/abi/domctl.ts";

const DOMIDS = new Map([
  ["builder", 3],
  ["guest", 7],
]);
const parse = (text: string) => parsePolicy(text, "p.json", DOMIDS);
const rules = (text: string) => parse(`{ "version": 1, "rules": [\n${text}\n] }`);

it("gives one rule for each domctl", () => {
  const text = `{ "subject": "builder", "domctl": ["pausedomain", "max_mem"], "target": "any", "limitKib": 4096 },
                { "subject": "guest", "domctl": "gettscinfo", "target": "own" },
                { "subject": "guest", "domctl": "settscinfo", "target": "builder" }`;
  expect(rules(text)).toEqual([
    { subject: 3, target: XSM_TARGET_ANY, domctl: 3, limitKib: 4096 },
    { subject: 3, target: XSM_TARGET_ANY, domctl: 11, limitKib: 4096 },
    { subject: 7, target: XSM_TARGET_OWN, domctl: 59, limitKib: 0 },
    { subject: 7, target: 3, domctl: 60, limitKib: 0 },
  ]);
});

describe("errors", () => {
  it.each([
    ["", "p.json:1: the file ends"],
    ["[]", "p.json:1: a policy is an object"],
    [`{ "version": 1 }`, `p.json:1: the policy has no "rules"`],
    [`{ "version": 2, "rules": [] }`, "p.json:1: version is 1"],
    [`{ "version": 1, "rules": [] } x`, `p.json:1: something follows`],
    [`{ "version": 1,\n "rules": {} }`, `p.json:2: "rules" is a list`],
    [`{ "version": 1,\n "rules": [],\n "more": 1 }`, `p.json:3: unknown "more" in a policy`],
    [`{ "version": 1, "version": 1 }`, `"version" stands twice`],
    [`{ "version": 1,\n\n "rules": [ nul ] }`, `p.json:3: "n" starts no value`],
    [`{ "version": "\u0001" }`, "not a valid string"],
    [`${"[".repeat(40)}`, "nested deeper than 16"],
    [`"${"x".repeat(70_000)}"`, "larger than 65536 bytes"],
  ])("%j", (text, message) => {
    expect(() => parse(text)).toThrow(UsageError);
    expect(() => parse(text)).toThrow(message);
  });

  it.each([
    [`7`, "p.json:2: a rule is an object"],
    [`{ "domctl": "pausedomain", "target": "any" }`, `p.json:2: the rule has no "subject"`],
    [
      `{ "subject": "nobody", "domctl": "pausedomain", "target": "any" }`,
      `no domain is called "nobody": use one of builder, guest`,
    ],
    [`{ "subject": 3, "domctl": "pausedomain", "target": "any" }`, "the subject is a string"],
    [`{ "subject": "builder", "domctl": "paus", "target": "any" }`, `no domctl is called "paus"`],
    [`{ "subject": "builder", "domctl": "constructor", "target": "any" }`, `no domctl is called "constructor"`],
    [`{ "subject": "builder", "domctl": [], "target": "any" }`, "the rule names no domctl"],
    [
      `{ "subject": "builder",\n "domctl": "max_mem", "target": "constructor" }`,
      `p.json:3: no domain is called "constructor"`,
    ],
    [
      `{ "subject": "builder", "domctl": "max_mem", "target": "any",\n\n "limitKib": -1 }`,
      `p.json:4: "limitKib" is a whole number`,
    ],
    [
      `{ "subject": "builder", "domctl": "pausedomain", "target": "any", "limitKib": 5 }`,
      `p.json:2: "limitKib" is a limit for max_mem, and the rule does not name it`,
    ],
    [`{ "subject": "builder", "domctl": "pausdomain", "target": "any" }`, `did you mean "pausedomain"?`],
    [`{ "subject": "buildr", "domctl": "pausedomain", "target": "any" }`, `did you mean "builder"?`],
    [`{ "subject": "builder", "domctl": "max_mem", "target": "any", "limitKib": 1.5 }`, `"limitKib" is a whole number`],
  ])("%s", (text, message) => {
    expect(() => rules(text)).toThrow(message);
  });

  it("too many rules", () => {
    const one = `{ "subject": "builder", "domctl": "pausedomain", "target": "any" }`;
    expect(() => rules(Array.from({ length: 129 }, () => one).join(","))).toThrow("at most 128 fit");
  });
});

it("reads exactly the JSON that JSON.parse reads", () => {
  const plainOf = (node: ReturnType<typeof parseLocated>): unknown => {
    if (Array.isArray(node.value)) return node.value.map(plainOf);
    if (node.value instanceof Map) return Object.fromEntries([...node.value].map(([k, v]) => [k, plainOf(v)]));
    return node.value;
  };
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      expect(JSON.stringify(plainOf(parseLocated(text, "x")))).toBe(JSON.stringify(JSON.parse(text)));
    }),
    { seed: 6, numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      let ours = true;
      try {
        parseLocated(text, "x");
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        ours = false;
      }
      let theirs = true;
      try {
        JSON.parse(text);
      } catch {
        theirs = false;
      }
      expect(ours).toBe(theirs);
    }),
    { seed: 6, numRuns: 500 },
  );
});
