/**
 * The file that says which I/O rights the initial domain begins with (knob iocap.dom0=listed), as a boot loader would hand it over:
 *
 *   { "version": 1,
 *     "dom0": { "frames": ["fd000-fd00f"], "ports": ["300-307"], "lines": ["5"] },
 *     "reserve": { "frames": ["fd010"] } }
 *
 * Numbers are hexadecimal, but for lines; ranges are inclusive. What is not listed dom0 does not have, and so cannot give to anybody.
 */
import { IO_KIND_FRAME, IO_KIND_IRQ, IO_KIND_PORT } from "../../../hv-core/abi/io-units.ts";
import type { Core } from "../core.ts";
import { check, UsageError } from "../errors.ts";
import { type LocatedNode, parseLocated } from "../policy/located-json.ts";

export interface IoRight {
  /** IO_KIND_*. */
  readonly kind: number;
  readonly first: number;
  readonly last: number;
  /** Closed for everybody, instead of given to dom0. Only with the accountant. */
  readonly isReserved?: boolean;
}

const KINDS: Readonly<Record<string, { readonly kind: number; readonly radix: number; readonly max: number }>> = {
  frames: { kind: IO_KIND_FRAME, radix: 16, max: 2 ** 36 - 1 },
  ports: { kind: IO_KIND_PORT, radix: 16, max: 0xffff },
  lines: { kind: IO_KIND_IRQ, radix: 10, max: 255 },
};
const MAX_RANGES = 1024;

/** @throws UsageError "file:line: what is wrong and what would be right" */
export function parseRights(text: string, file: string): IoRight[] {
  const fail = (node: LocatedNode, reason: string): never => {
    throw new UsageError(`${file}:${node.line}: ${reason}`);
  };
  const members = (node: LocatedNode, keys: readonly string[], what: string): Map<string, LocatedNode> => {
    if (!(node.value instanceof Map)) return fail(node, `${what} is an object`);
    for (const [key, value] of node.value)
      if (!keys.includes(key)) fail(value, `unknown "${key}" in ${what}: use ${keys.join(", ")}`);
    return node.value;
  };
  function range(node: LocatedNode, kindName: string, isReserved: boolean): IoRight {
    const { kind, radix, max } = KINDS[kindName]!;
    const digits = radix === 16 ? "[0-9a-f]+" : "\\d+";
    const found =
      typeof node.value === "string" ? new RegExp(`^(${digits})(?:-(${digits}))?$`, "i").exec(node.value) : null;
    if (!found)
      return fail(
        node,
        `a range of ${kindName} is "first-last" or one number, ${radix === 16 ? "hexadecimal" : "decimal"}`,
      );
    const first = Number.parseInt(found[1]!, radix);
    const last = Number.parseInt(found[2] ?? found[1]!, radix);
    if (last < first) fail(node, `the range ${String(node.value)} ends before it begins`);
    if (last > max) fail(node, `${kindName} go up to ${max.toString(radix)}`);
    return { kind, first, last, isReserved };
  }
  function ranges(node: LocatedNode | undefined, what: string, isReserved: boolean): IoRight[] {
    if (!node) return [];
    return [...members(node, Object.keys(KINDS), what)].flatMap(([name, list]) => {
      if (!Array.isArray(list.value)) return fail(list, `"${name}" is a list`);
      return list.value.map((item) => range(item, name, isReserved));
    });
  }
  const root = parseLocated(text, file);
  const top = members(root, ["version", "dom0", "reserve"], "the file");
  const version = top.get("version") ?? fail(root, `the file has no "version"`);
  if (version.value !== 1) fail(version, "version is 1");
  const all = [...ranges(top.get("dom0"), `"dom0"`, false), ...ranges(top.get("reserve"), `"reserve"`, true)];
  if (all.length > MAX_RANGES) fail(root, `${all.length} ranges: at most ${MAX_RANGES} fit`);
  return all;
}

/** Before the first domain is made. @throws HvError EPERM for what is the hypervisor's, EINVAL, EBUSY, ENOMEM. */
export function grantAtBoot(core: Core, right: IoRight): void {
  const { kind, first, last, isReserved } = right;
  const high = (n: number): number => Math.floor(n / 2 ** 32);
  check(
    core.exports.bootGrant(kind, first >>> 0, high(first), last >>> 0, high(last), isReserved ? 1 : 0),
    isReserved ? "reservation at boot" : "right at boot",
    {
      arguments: { kind, first: `0x${first.toString(16)}`, last: `0x${last.toString(16)}` },
      hint: "the hypervisor keeps some units for itself; see docs/io.md",
    },
  );
}
