/** What each xenstore request answers: a function of the store's state and the request, with no memory of its own. */
import {
  fromLatin1,
  splitStrings,
  XS_DIRECTORY,
  XS_ERROR,
  XS_GET_DOMAIN_PATH,
  XS_GET_PERMS,
  XS_IS_DOMAIN_INTRODUCED,
  XS_MKDIR,
  XS_READ,
  XS_RESET_WATCHES,
  XS_RM,
  XS_UNWATCH,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
  type XsError,
  type XsMessage,
} from "./protocol.ts";
import type { StringPair } from "./records.ts";
import {
  absolutePath,
  isReadable,
  isWritable,
  listNames,
  readValue,
  type Tree,
  withoutPath,
  withValue,
} from "./tree.ts";

export interface StoreState {
  readonly domid: number;
  readonly home: string;
  readonly tree: Tree;
  /** Path as the guest wrote it, token. */
  readonly watches: readonly StringPair[];
}

interface Change {
  readonly tree: Tree;
  readonly watches: readonly StringPair[];
}

/** Stores a change; false when there is no room for it. */
export type Commit = (change: Change) => boolean;

/** The reply, followed by the watch events that the request caused. */
export function answer(state: StoreState, request: XsMessage, isTooLong: boolean, commit: Commit): XsMessage[] {
  const reply = (text: string): XsMessage => ({ ...request, payload: fromLatin1(text) });
  const fail = (error: XsError): XsMessage[] => [{ ...request, type: XS_ERROR, payload: fromLatin1(`${error}\0`) }];
  if (isTooLong) return fail("E2BIG");
  const strings = splitStrings(request.payload);
  const { home, tree, watches } = state;

  /** The path of a request that reads, or the error to answer. */
  const readable = (): { path: string } | { error: XsError } => {
    const path = absolutePath(home, strings[0] ?? "");
    if (path === "EINVAL" || !path.startsWith("/")) return { error: "EINVAL" };
    if (!isReadable(home, path)) return { error: "EACCES" };
    return { path };
  };
  const change = (path: string, next: Tree): XsMessage[] => {
    if (!commit({ tree: next, watches })) return fail("ENOSPC");
    return [reply("OK\0"), ...events(state, path)];
  };

  switch (request.type) {
    case XS_READ: {
      const at = readable();
      if ("error" in at) return fail(at.error);
      const value = readValue(tree, at.path);
      return value === undefined ? fail("ENOENT") : [reply(value)];
    }
    case XS_DIRECTORY: {
      const at = readable();
      if ("error" in at) return fail(at.error);
      const names = listNames(tree, at.path);
      return names === undefined ? fail("ENOENT") : [reply(names.map((name) => `${name}\0`).join(""))];
    }
    case XS_GET_PERMS: {
      const at = readable();
      if ("error" in at) return fail(at.error);
      if (readValue(tree, at.path) === undefined) return fail("ENOENT");
      return [reply(isWritable(home, at.path) ? `n${state.domid}\0` : `n0\0r${state.domid}\0`)];
    }
    case XS_WRITE:
    case XS_MKDIR:
    case XS_RM: {
      const at = readable();
      if ("error" in at) return fail(at.error);
      const exists = readValue(tree, at.path) !== undefined;
      if (request.type === XS_RM && !exists) return fail("ENOENT");
      if (!isWritable(home, at.path)) return fail("EACCES");
      if (request.type === XS_RM) return change(at.path, withoutPath(tree, at.path));
      if (request.type === XS_MKDIR) return exists ? [reply("OK\0")] : change(at.path, withValue(tree, at.path, ""));
      const zero = request.payload.indexOf(0);
      if (zero < 0) return fail("EINVAL");
      let value = "";
      for (const byte of request.payload.subarray(zero + 1)) value += String.fromCharCode(byte);
      return change(at.path, withValue(tree, at.path, value));
    }
    case XS_WATCH: {
      const [path, token] = strings;
      if (path === undefined || token === undefined) return fail("EINVAL");
      if (!path.startsWith("@") && absolutePath(home, path) === "EINVAL") return fail("EINVAL");
      if (watches.some(([p, t]) => p === path && t === token)) return fail("EEXIST");
      if (!commit({ tree, watches: [...watches, [path, token]] })) return fail("ENOSPC");
      return [reply("OK\0"), event(path, token)];
    }
    case XS_UNWATCH: {
      const [path, token] = strings;
      const rest = watches.filter(([p, t]) => p !== path || t !== token);
      if (rest.length === watches.length) return fail("ENOENT");
      commit({ tree, watches: rest });
      return [reply("OK\0")];
    }
    case XS_RESET_WATCHES:
      commit({ tree, watches: [] });
      return [reply("OK\0")];
    case XS_GET_DOMAIN_PATH: {
      const domid = strings[0] ?? "";
      return /^\d+$/.test(domid) ? [reply(`/local/domain/${Number(domid)}\0`)] : fail("EINVAL");
    }
    case XS_IS_DOMAIN_INTRODUCED:
      return [reply(Number(strings[0]) === state.domid || Number(strings[0]) === 0 ? "T\0" : "F\0")];
    default:
      return fail("ENOSYS");
  }
}

function event(path: string, token: string): XsMessage {
  return { type: XS_WATCH_EVENT, request: 0, transaction: 0, payload: fromLatin1(`${path}\0${token}\0`) };
}

/** Events of the watches on `changed` or above it; a relative watch reports a relative path. */
function events(state: StoreState, changed: string): XsMessage[] {
  const fired: XsMessage[] = [];
  for (const [path, token] of state.watches) {
    const absolute = absolutePath(state.home, path);
    if (changed !== absolute && !changed.startsWith(`${absolute}/`)) continue;
    fired.push(event(path.startsWith("/") ? changed : changed.slice(state.home.length + 1), token));
  }
  return fired;
}
