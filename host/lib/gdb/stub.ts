/**
 * One conversation with GDB: bytes in, bytes out. Packets are answered one after the other; an interrupt that comes while the guest runs stops it.
 * Before: node/gdb-server.ts (a socket). After: packet.ts, commands.ts.
 */
import type { DomId } from "../ids.ts";
import { type Conversation, createConversation, latin1 } from "./commands.ts";
import { createPacketReader, encodePacket, toHex } from "./packet.ts";
import type { Target } from "./target.ts";

export interface StubOptions {
  readonly send: (bytes: Uint8Array) => void;
  /** Lets what came in meanwhile be read: a turn of the event loop. */
  readonly pause: () => Promise<void>;
  /** GDB wants to leave ("detach") or the guest to end ("kill"). */
  readonly end: (how: "detach" | "kill") => void;
  /** A bug of ours: the conversation ends, with its reason told. */
  readonly fail: (error: unknown) => void;
}

export interface Stub {
  receive(bytes: Uint8Array): void;
  /** When everything received so far is answered. */
  idle(): Promise<void>;
}

/** Packets that may wait; a peer that sends more without listening is not GDB. */
const MAX_WAITING = 256;

export function createStub(target: Target, domid: DomId, options: StubOptions): Stub {
  const reader = createPacketReader();
  const conversation: Conversation = createConversation(target, domid);
  const waiting: string[] = [];
  let isAcking = true;
  let isInterrupted = false;
  let last: Uint8Array | undefined;
  let working: Promise<void> | undefined;

  const sendText = (text: string): void => {
    last = encodePacket(text);
    options.send(last);
  };
  const char = (c: string): void => options.send(Uint8Array.of(c.charCodeAt(0)));
  const tell = (text: string): void => sendText(`O${toHex(new TextEncoder().encode(text))}`);

  async function work(): Promise<void> {
    for (let packet = waiting.shift(); packet !== undefined; packet = waiting.shift()) {
      isInterrupted = false;
      const reply = await conversation.handle(packet, {
        isInterrupted: () => isInterrupted,
        pause: options.pause,
        tell,
      });
      if (reply.text !== undefined) sendText(reply.text);
      if (reply.after === "no-ack") isAcking = false;
      else if (reply.after) options.end(reply.after);
    }
    working = undefined;
  }

  return {
    receive(bytes) {
      for (const incoming of reader.push(bytes)) {
        if (incoming.kind === "interrupt") isInterrupted = true;
        else if (incoming.kind === "nak" && isAcking && last) options.send(last);
        else if (incoming.kind === "bad") char("-");
        else if (incoming.kind === "packet") {
          if (isAcking) char("+");
          if (waiting.length < MAX_WAITING) waiting.push(latin1(incoming.data));
        }
      }
      if (waiting.length > 0) working ??= work().catch(options.fail);
    },
    idle: async () => {
      while (working) await working;
    },
  };
}
