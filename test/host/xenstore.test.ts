/** The minimal xenstore: what each request answers. */
import { describe, expect, it } from "vitest";
import { answer, type StoreState } from "../../host/lib/device/xenstore/answer.ts";
import {
  fromLatin1,
  latin1,
  XS_DIRECTORY,
  XS_ERROR,
  XS_MKDIR,
  XS_READ,
  XS_RM,
  XS_WATCH,
  XS_WATCH_EVENT,
  XS_WRITE,
} from "../../host/lib/device/xenstore/protocol.ts";

const home = "/local/domain/7";
let state: StoreState;
function reset(): void {
  state = {
    domid: 7,
    home,
    tree: [
      [`${home}/domid`, "7"],
      [`${home}/data`, ""],
      [`${home}/cpu/0/availability`, "online"],
    ],
    watches: [],
  };
}

/** [type, payload] of the answers to a request, with changes kept. */
function ask(type: number, payload: string): [number, string][] {
  const messages = answer(
    state,
    { type, request: 5, transaction: 0, payload: fromLatin1(payload) },
    false,
    (change) => {
      state = { ...state, ...change };
      return true;
    },
  );
  expect(messages[0]).toMatchObject({ request: 5 });
  return messages.map((m) => [m.type, latin1(m.payload)]);
}

describe("requests", () => {
  it("reads without a NUL, relative and absolute", () => {
    reset();
    expect(ask(XS_READ, "domid\0")).toEqual([[XS_READ, "7"]]);
    expect(ask(XS_READ, `${home}/domid\0`)).toEqual([[XS_READ, "7"]]);
    expect(ask(XS_READ, "nothing\0")).toEqual([[XS_ERROR, "ENOENT\0"]]);
    expect(ask(XS_READ, "bad path\0")).toEqual([[XS_ERROR, "EINVAL\0"]]);
    expect(ask(XS_READ, "/local/domain/0/name\0")).toEqual([[XS_ERROR, "EACCES\0"]]);
  });

  it("lists directories, also those that exist only through their children", () => {
    reset();
    expect(ask(XS_DIRECTORY, "cpu\0")).toEqual([[XS_DIRECTORY, "0\0"]]);
    expect(ask(XS_DIRECTORY, "none\0")).toEqual([[XS_ERROR, "ENOENT\0"]]);
  });

  it("writes where a domain may, and nowhere else", () => {
    reset();
    expect(ask(XS_WRITE, "data/key\0value")).toEqual([[XS_WRITE, "OK\0"]]);
    expect(ask(XS_READ, "data/key\0")).toEqual([[XS_READ, "value"]]);
    expect(ask(XS_MKDIR, "data/dir\0")).toEqual([[XS_MKDIR, "OK\0"]]);
    expect(ask(XS_DIRECTORY, "data\0")[0]?.[1].split("\0").sort()).toEqual(["", "dir", "key"]);
    expect(ask(XS_RM, "data/key\0")).toEqual([[XS_RM, "OK\0"]]);
    expect(ask(XS_READ, "data/key\0")).toEqual([[XS_ERROR, "ENOENT\0"]]);
    expect(ask(XS_WRITE, "domid\x008")).toEqual([[XS_ERROR, "EACCES\0"]]);
  });

  it("fires a watch at once and at every change below it, with the path as the guest knows it", () => {
    reset();
    expect(ask(XS_WATCH, "data\0tok\0")).toEqual([
      [XS_WATCH, "OK\0"],
      [XS_WATCH_EVENT, "data\0tok\0"],
    ]);
    expect(ask(XS_WRITE, "data/a\0x")).toEqual([
      [XS_WRITE, "OK\0"],
      [XS_WATCH_EVENT, "data/a\0tok\0"],
    ]);
    expect(ask(XS_WATCH, "data\0tok\0")).toEqual([[XS_ERROR, "EEXIST\0"]]);
  });

  it("answers what is not there with ENOSYS", () => {
    reset();
    expect(ask(6, "\0")).toEqual([[XS_ERROR, "ENOSYS\0"]]);
  });
});
