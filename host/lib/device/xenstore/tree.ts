/** The store itself: absolute paths to values, and who may write where. Parents of a path exist when it does. */

import type { XsError } from "./protocol.ts";
import type { StringPair } from "./records.ts";

export type Tree = readonly StringPair[];

/** Absolute form of a path a domain wrote; relative ones start at its own directory. */
export function absolutePath(home: string, path: string): string | XsError {
  if (path.length === 0 || path.length > 3072 || !/^[A-Za-z0-9\-/_@]+$/.test(path) || path.includes("//"))
    return "EINVAL";
  if (path !== "/" && path.endsWith("/")) return "EINVAL";
  return path.startsWith("/") ? path : `${home}/${path}`;
}

/** Sub-directories of its own directory that libxl gives a domain for writing. */
const WRITABLE = [
  "attr",
  "control/shutdown",
  "control/sysrq",
  "control/feature-poweroff",
  "control/feature-reboot",
  "data",
  "drivers",
  "error",
  "feature",
];

export function isWritable(home: string, path: string): boolean {
  return WRITABLE.some((name) => path === `${home}/${name}` || path.startsWith(`${home}/${name}/`));
}

/** A domain reads its own directory. */
export function isReadable(home: string, path: string): boolean {
  return path === home || path.startsWith(`${home}/`);
}

export function readValue(tree: Tree, path: string): string | undefined {
  const found = tree.find(([p]) => p === path);
  if (found) return found[1];
  return tree.some(([p]) => p.startsWith(`${path}/`)) ? "" : undefined;
}

/** Names directly below `path`, undefined when it does not exist. */
export function listNames(tree: Tree, path: string): string[] | undefined {
  if (readValue(tree, path) === undefined) return undefined;
  const prefix = path === "/" ? "/" : `${path}/`;
  const names = new Set<string>();
  for (const [p] of tree) if (p.startsWith(prefix)) names.add(p.slice(prefix.length).split("/")[0]!);
  return [...names];
}

export function withValue(tree: Tree, path: string, value: string): Tree {
  return [...tree.filter(([p]) => p !== path), [path, value]];
}

export function withoutPath(tree: Tree, path: string): Tree {
  return tree.filter(([p]) => p !== path && !p.startsWith(`${path}/`));
}
