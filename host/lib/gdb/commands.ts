/**
 * The words of the GDB remote protocol (GDB manual, appendix E): one packet in, one reply out. A word that is not known is answered by an empty reply,
 * a wrong one by an error; nothing that GDB (or something that is not GDB) sends can end the machine.
 */
import { HvError, UsageError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import { monitor } from "./monitor.ts";
import { fromHex, PACKET_BYTES, toHex } from "./packet.ts";
import type { Target } from "./target.ts";

/** "detach" and "kill" end the conversation after the reply. */
export interface Reply {
  readonly text: string | undefined;
  readonly after?: "detach" | "kill" | "no-ack";
}

export interface Waiting {
  readonly isInterrupted: () => boolean;
  /** Lets what came in meanwhile be read. */
  readonly pause: () => Promise<void>;
  /** Text for the user's console, before the reply. */
  readonly tell: (text: string) => void;
}

export interface Conversation {
  handle(packet: string, waiting: Waiting): Promise<Reply>;
}

// Error numbers of replies; GDB only shows them.
const E_WRONG = "E16"; // EINVAL
const E_FAULT = "E0e"; // EFAULT

const text = (value: string): Reply => ({ text: value });
/** Characters that are bytes. */
export const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (b) => String.fromCharCode(b)).join("");
const bytesOf = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));
const hexText = (value: string): string => toHex(new TextEncoder().encode(value));

/** "address,length" in hexadecimal. */
function place(value: string): { readonly address: bigint; readonly bytes: number } | undefined {
  const match = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(value);
  return match ? { address: BigInt(`0x${match[1]}`), bytes: Number.parseInt(match[2]!, 16) } : undefined;
}

export function createConversation(target: Target, domid: DomId): Conversation {
  const { session } = target;
  /** Threads that H chose for g, m and for c, s. */
  const chosen = { g: 1, c: 1 };

  function threadOf(id: string): number {
    if (id === "-1" || id === "0" || id === "") return target.current();
    const value = Number.parseInt(id, 16);
    if (!target.threads().includes(value)) throw new UsageError(`there is no thread ${id}`);
    return value;
  }

  function chooseThread(rest: string): string {
    const kind = rest[0];
    if (kind !== "g" && kind !== "c") return "";
    chosen[kind] = threadOf(rest.slice(1));
    return "OK";
  }

  function memory(rest: string): string {
    const at = place(rest);
    if (!at) return E_WRONG;
    const most = Math.min(at.bytes, PACKET_BYTES / 2 - 8);
    const data = target.readMemory(chosen.g, at.address, most);
    return data.length === 0 && most > 0 ? E_FAULT : toHex(data);
  }

  function writeMemory(head: string, data: Uint8Array | undefined): string {
    const at = place(head);
    if (!at || !data || data.length !== at.bytes) return E_WRONG;
    return target.writeMemory(chosen.g, at.address, data) ? "OK" : E_FAULT;
  }

  function writeAll(rest: string): string {
    const bytes = fromHex(rest.replaceAll("x", "0"));
    if (!bytes) return E_WRONG;
    const values: (readonly [number, Uint8Array])[] = [];
    let at = 0;
    target.map.registers.forEach((spec, number) => {
      const size = spec.bits / 8;
      const isGiven = at + size <= bytes.length && spec.context !== undefined;
      if (isGiven) values.push([number, bytes.subarray(at, at + size)]);
      at += size;
    });
    if (values.length === 0) return E_WRONG;
    target.write(chosen.g, values);
    return "OK";
  }

  function writeOne(rest: string): string {
    const match = /^([0-9a-f]{1,4})=((?:[0-9a-f]{2})+)$/i.exec(rest);
    if (!match) return E_WRONG;
    target.write(chosen.g, [[Number.parseInt(match[1]!, 16), fromHex(match[2]!)!]]);
    return "OK";
  }

  function breakpoint(packet: string): string {
    const match = /^[Zz]([0-9]),([0-9a-f]{1,16}),([0-9a-f]{1,4})(?:;.*)?$/i.exec(packet);
    if (!match) return E_WRONG;
    const [type, address, bytes] = [Number(match[1]), BigInt(`0x${match[2]}`), Number.parseInt(match[3]!, 16)];
    if (type > 4) return "";
    if (packet[0] === "Z") target.insert(type, address, Math.max(1, bytes));
    else target.remove(type, address, Math.max(1, bytes));
    return "OK";
  }

  async function proceed(waiting: Waiting): Promise<string> {
    const reply = await target.proceed(waiting.isInterrupted, waiting.pause);
    const note = target.takeNote();
    if (note) waiting.tell(note);
    return reply;
  }

  async function vCont(actions: string, waiting: Waiting): Promise<string> {
    // The first action for a thread is its own; one without a thread is for all others. Signals are not passed on: a vCPU has none.
    for (const action of actions.split(";")) {
      const match = /^([csCS])(?:[0-9a-f]{2})?(?::(-?[0-9a-f]+))?$/i.exec(action);
      if (!match) return E_WRONG;
      if (match[1]!.toLowerCase() === "s") return target.step(threadOf(match[2] ?? "0"));
      if (match[2] === undefined || match[2] === "-1") return proceed(waiting);
    }
    return proceed(waiting);
  }

  function transfer(rest: string): string {
    const match = /^features:read:target\.xml:([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(rest);
    if (!match) return rest.startsWith("features:") ? "E00" : "";
    const offset = Number.parseInt(match[1]!, 16);
    const bytes = Math.min(Number.parseInt(match[2]!, 16), PACKET_BYTES - 16);
    const part = target.map.xml.slice(offset, offset + bytes);
    return `${offset + bytes >= target.map.xml.length ? "l" : "m"}${part}`;
  }

  function query(packet: string, waiting: Waiting): string {
    const [word] = packet.split(/[:,;]/);
    switch (word) {
      case "qSupported":
        return `PacketSize=${PACKET_BYTES.toString(16)};qXfer:features:read+;vContSupported+;ReverseStep+;ReverseContinue+;hwbreak+;QStartNoAckMode+`;
      case "qXfer":
        return transfer(packet.slice("qXfer:".length));
      case "qC":
        return `QC${target.current().toString(16)}`;
      case "qAttached":
        return "1";
      case "qfThreadInfo":
        return `m${target
          .threads()
          .map((id) => id.toString(16))
          .join(",")}`;
      case "qsThreadInfo":
        return "l";
      case "qThreadExtraInfo":
        return hexText(target.describeThread(threadOf(packet.slice(word.length + 1))));
      case "qSymbol":
        return "OK";
      case "qRcmd": {
        const line = fromHex(packet.slice("qRcmd,".length));
        if (!line) return E_WRONG;
        const slot = session.machine.vcpus(domid)[chosen.g - 1] ?? 0;
        waiting.tell(monitor(session, domid, slot, new TextDecoder().decode(line)));
        return "OK";
      }
      default:
        return "";
    }
  }

  async function answer(packet: string, waiting: Waiting): Promise<Reply> {
    const rest = packet.slice(1);
    switch (packet[0]) {
      case "?":
        return text(target.stopReply());
      case "g":
        return text(target.readAll(chosen.g));
      case "G":
        return text(writeAll(rest));
      case "p":
        return text(
          /^[0-9a-f]{1,4}$/i.test(rest) ? (target.readOne(chosen.g, Number.parseInt(rest, 16)) ?? E_WRONG) : E_WRONG,
        );
      case "P":
        return text(writeOne(rest));
      case "m":
        return text(memory(rest));
      case "M": {
        const [head, data] = rest.split(":");
        return text(writeMemory(head!, fromHex(data ?? "")));
      }
      case "X": {
        const colon = rest.indexOf(":");
        return text(colon < 0 ? E_WRONG : writeMemory(rest.slice(0, colon), bytesOf(rest.slice(colon + 1))));
      }
      case "Z":
      case "z":
        return text(breakpoint(packet));
      case "H":
        return text(chooseThread(rest));
      case "T":
        return text(target.threads().includes(Number.parseInt(rest, 16)) ? "OK" : E_WRONG);
      case "s":
      case "S":
        return text(target.step(chosen.c));
      case "c":
      case "C":
        return text(await proceed(waiting));
      case "b":
        if (rest === "s") return text(target.stepBack(chosen.c));
        return text(rest === "c" ? target.proceedBack(waiting.isInterrupted) : "");
      case "v":
        if (packet === "vCont?") return text("vCont;c;C;s;S");
        if (packet.startsWith("vCont;")) return text(await vCont(packet.slice("vCont;".length), waiting));
        return packet.startsWith("vKill") ? { text: "OK", after: "kill" } : text("");
      case "q":
        return text(query(packet, waiting));
      case "Q":
        return packet === "QStartNoAckMode" ? { text: "OK", after: "no-ack" } : text("");
      case "D":
        return { text: "OK", after: "detach" };
      case "k":
        return { text: undefined, after: "kill" };
      default:
        return text("");
    }
  }

  return {
    async handle(packet, waiting) {
      try {
        return await answer(packet, waiting);
      } catch (error) {
        if (error instanceof UsageError || error instanceof HvError) return text(E_WRONG);
        throw error;
      }
    },
  };
}
