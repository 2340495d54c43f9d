/**
 * A file with costs of one's own; what it does not name keeps its default:
 *
 *   { "format": "vmexit-cost", "version": 1, "cycles": { "vmExit": 900, "shootdownSent": 4000 } }
 */
import { UsageError } from "../errors.ts";
import { suggestion } from "../nearest.ts";
import { type LocatedNode, parseLocated } from "../policy/located-json.ts";
import { type CostModel, DEFAULT_COSTS } from "./model.ts";

const FORMAT = "vmexit-cost";
const VERSION = 1;
const MAX_CYCLES = 1e9;

/** @throws UsageError "file:line: what is wrong and what would be right" */
export function parseCosts(text: string, file: string): CostModel {
  const fail = (node: LocatedNode, reason: string): never => {
    throw new UsageError(`${file}:${node.line}: ${reason}`);
  };
  const root = parseLocated(text, file);
  if (!(root.value instanceof Map)) return fail(root, `an object expected, with "format", "version" and "cycles"`);
  for (const [key, node] of root.value)
    if (!["format", "version", "cycles"].includes(key))
      fail(node, `unknown "${key}": ${suggestion(key, ["format", "version", "cycles"])}`);
  const format = root.value.get("format") ?? fail(root, `"format" is missing: write "${FORMAT}"`);
  if (format.value !== FORMAT) fail(format, `format is "${FORMAT}"`);
  const version = root.value.get("version") ?? fail(root, `"version" is missing: write ${VERSION}`);
  if (version.value !== VERSION) fail(version, `version ${VERSION} is the only one there is`);
  const cycles = root.value.get("cycles") ?? fail(root, `"cycles" is missing`);
  if (!(cycles.value instanceof Map)) return fail(cycles, `"cycles" is an object: event and number`);
  const model: Record<string, number> = { ...DEFAULT_COSTS };
  for (const [event, node] of cycles.value) {
    if (!Object.hasOwn(DEFAULT_COSTS, event))
      fail(node, `no event is called "${event}": ${suggestion(event, Object.keys(DEFAULT_COSTS))}`);
    if (typeof node.value !== "number" || !(node.value >= 0 && node.value <= MAX_CYCLES))
      return fail(node, `${event} is a number of cycles from 0 to ${MAX_CYCLES}`);
    model[event] = node.value;
  }
  return model;
}
