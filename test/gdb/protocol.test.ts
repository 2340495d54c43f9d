/** The remote protocol without GDB: framing, every word, and what is not GDB at the other end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asm } from "../../guests/asm/assembler.ts";
import { start } from "../../guests/lib/boot.ts";
import { createPacketReader, encodePacket, PACKET_BYTES } from "../../host/lib/gdb/packet.ts";
import { registerMap } from "../../host/lib/gdb/registers.ts";
import { createStub } from "../../host/lib/gdb/stub.ts";
import { createTarget } from "../../host/lib/gdb/target.ts";
import type { DomId } from "../../host/lib/ids.ts";
import type { Session } from "../../host/lib/travel/types.ts";
import { record, sessionOfSource } from "../travel/support.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const textOf = (data: Uint8Array): string => String.fromCharCode(...data);

async function connect(guest = "mmio") {
  return talkTo(await record(guest, { interval: 5000 }));
}

function talkTo({ session, domid, slot }: { session: Session; domid: DomId; slot: number }) {
  let out = "";
  const ends: string[] = [];
  const stub = createStub(createTarget(session, domid, registerMap("i386")), domid, {
    send: (data) => {
      out += textOf(data);
    },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    end: (how) => void ends.push(how),
    fail: (error) => {
      throw error;
    },
  });
  const raw = async (data: Uint8Array): Promise<string> => {
    out = "";
    stub.receive(data);
    await stub.idle();
    return out;
  };
  /** The reply to a packet, without framing; "O" packets stay in front. */
  const ask = async (packet: string): Promise<string> => {
    const reply = await raw(encodePacket(packet));
    expect(reply[0]).toBe("+");
    return [...reply.matchAll(/\$([^#]*)#../g)].map((m) => m[1]!).join("|");
  };
  return { session, domid, slot, raw, ask, ends };
}

const le = (value: bigint, size: number): string =>
  Array.from({ length: size }, (_, i) =>
    Number((value >> BigInt(8 * i)) & 0xffn)
      .toString(16)
      .padStart(2, "0"),
  ).join("");

describe("framing", () => {
  it("reads what it writes, in any pieces", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 7 }), (data, piece) => {
        const packet = encodePacket(textOf(data));
        const reader = createPacketReader();
        const got = [];
        for (let i = 0; i < packet.length; i += piece) got.push(...reader.push(packet.subarray(i, i + piece)));
        expect(got).toEqual([{ kind: "packet", data }]);
      }),
    );
  });

  it("answers a wrong checksum with NAK, sends again what was not understood, ignores bytes outside packets", async () => {
    const { raw } = await connect();
    expect(await raw(bytes("$qC#00"))).toBe("-");
    expect(await raw(bytes("$qC#zz"))).toBe("-");
    const reply = await raw(encodePacket("qC"));
    expect(reply).toBe(`+${textOf(encodePacket("QC1"))}`);
    expect(await raw(bytes("-"))).toBe(textOf(encodePacket("QC1")));
    expect(await raw(bytes("hello world\n\0\xff"))).toBe("");
    expect(await raw(bytes("$cut off$qC#b4"))).toBe(reply);
  });

  it("refuses a packet that is too long, and goes on", async () => {
    const { raw, ask } = await connect();
    expect(await raw(encodePacket("m".repeat(PACKET_BYTES + 1)))).toBe("-");
    expect(await ask("qC")).toBe("QC1");
  });

  it("stops acknowledging when asked to", async () => {
    const { raw, ask } = await connect();
    expect(await ask("QStartNoAckMode")).toBe("OK");
    expect(await raw(encodePacket("qC"))).toBe(textOf(encodePacket("QC1")));
  });
});

describe("words", () => {
  it("tells what it can do, and the registers of the architecture", async () => {
    const { ask } = await connect();
    const features = await ask("qSupported:multiprocess+;swbreak+");
    for (const feature of ["PacketSize=4000", "qXfer:features:read+", "ReverseStep+", "ReverseContinue+"])
      expect(features.split(";")).toContain(feature);
    let xml = "";
    for (let part = "m"; part[0] === "m"; xml += part.slice(1))
      part = await ask(`qXfer:features:read:target.xml:${xml.length.toString(16)},100`);
    expect(xml).toBe(registerMap("i386").xml);
    expect(xml).toContain("<architecture>i386</architecture>");
    expect(await ask("qXfer:features:read:other.xml:0,100")).toBe("E00");
    expect(await ask("vMustReplyEmpty")).toBe("");
    expect(await ask("qTStatus")).toBe("");
  });

  it("reads and writes registers", async () => {
    const { ask, session, slot } = await connect();
    const regs = session.machine.regs(slot);
    expect((await ask("g")).slice(8 * 8, 9 * 8)).toBe(le(regs.rip, 4));
    expect(await ask("p3")).toBe(le(regs.general.rbx, 4));
    expect(await ask("p10")).toMatch(/^x{20}$/);
    expect(await ask("p999")).toBe("E16");
    expect(await ask("P0=78563412")).toBe("OK");
    expect(session.machine.regs(slot).general.rax).toBe(0x1234_5678n);
    expect(session.machine.regs(slot).general.rbx).toBe(regs.general.rbx);
    expect(await ask("P0=7856")).toBe("E16");
    expect(await ask("Pa=10000000")).toBe("E16"); // cs: not through here
    const all = await ask("g");
    expect(await ask(`G${le(77n, 4)}${all.slice(8)}`)).toBe("OK");
    expect(session.machine.regs(slot)).toEqual({ ...session.machine.regs(slot), rip: regs.rip });
    expect(session.machine.regs(slot).general.rax).toBe(77n);
    expect(await ask("Gzz")).toBe("E16");
  });

  it("reads and writes memory", async () => {
    const { ask, session, domid } = await connect();
    const code = session.machine.peek(domid, 0x10_0000, 16);
    expect(await ask("m100000,10")).toBe(Buffer.from(code).toString("hex"));
    expect(await ask("mfe000000,4")).toBe("E0e");
    expect(await ask("M200000,4:01020304")).toBe("OK");
    expect(await ask("M200000,4:0102")).toBe("E16");
    expect(await ask("Mfe000000,1:00")).toBe("E0e");
    expect(await ask("X200ffe,5:ab$#")).toBe("E16");
    expect(await ask("X200ffe,4:\x00}*#")).toBe("OK");
    expect([...session.machine.peek(domid, 0x20_0ffe, 4)]).toEqual([0, 0x7d, 0x2a, 0x23]);
    expect(await ask("m200000,4")).toBe("01020304");
    expect(await ask("mxyz,4")).toBe("E16");
    // What was written is part of the recording.
    session.step(20);
    session.stepBack(10);
    expect(await ask("m200000,4")).toBe("01020304");
  });

  it("breaks, watches, steps and goes back", async () => {
    const { ask, session, slot } = await connect();
    expect(await ask("?")).toBe("T05thread:1;");
    session.step(30);
    const address = session.machine.regs(slot).rip.toString(16);
    session.goTo(session.start());
    expect(await ask(`Z0,${address},1`)).toBe("OK");
    expect(await ask("vCont;c")).toBe("T05thread:1;hwbreak:;");
    expect(session.machine.regs(slot).rip.toString(16)).toBe(address);
    expect(await ask(`z0,${address},1`)).toBe("OK");
    expect(await ask("Z2,fe000000,4")).toBe("OK");
    expect(await ask("c")).toBe("T05thread:1;watch:fe000000;");
    const there = session.position();
    expect(await ask("s")).toBe("T05thread:1;");
    expect(await ask("bs")).toBe("T05thread:1;");
    expect(await ask("z2,fe000000,4")).toBe("OK");
    expect(await ask("c")).toMatch(/^O[0-9a-f]+\|T05thread:1;replaylog:end;$/);
    expect(await ask("bc")).toBe("T05thread:1;replaylog:begin;");
    expect(session.position()).toEqual(session.start());
    expect(there.time).toBeGreaterThan(0);
    expect(await ask("Z9,0,1")).toBe("");
    expect(await ask("Z0,zz,1")).toBe("E16");
    expect(await ask("vCont;x")).toBe("E16");
  });

  it("has a thread for each vCPU", async () => {
    const { ask } = await connect("smp-spinlock");
    expect(await ask("qfThreadInfo")).toBe("m1,2");
    expect(await ask("qsThreadInfo")).toBe("l");
    expect(Buffer.from(await ask("qThreadExtraInfo,2"), "hex").toString()).toBe("d1v1 waits, no exit yet");
    expect(await ask("T2")).toBe("OK");
    expect(await ask("T9")).toBe("E16");
    expect(await ask("Hg2")).toBe("OK");
    expect(await ask("Hg7")).toBe("E16");
    expect(await ask("Hc-1")).toBe("OK");
    expect(await ask("vCont;s:1;c")).toBe("T05thread:1;");
  });

  it("answers monitor words", async () => {
    const { ask } = await connect();
    const rcmd = async (line: string): Promise<string> =>
      Buffer.from((await ask(`qRcmd,${Buffer.from(line).toString("hex")}`)).split("|")[0]!.slice(1), "hex").toString();
    expect(await rcmd("where")).toMatch(/^instruction 0, exit 0/);
    expect(await rcmd("seek 100")).toMatch(/^instruction 100,/);
    expect(await rcmd("walk 0xfe000000")).toContain("level 4");
    expect(await rcmd("help")).toContain("seek <n>");
    expect(await ask("qRcmd,zz")).toBe("E16");
    expect(await ask(`qRcmd,${Buffer.from("seek x").toString("hex")}`)).toBe("E16");
  });

  it("stops a guest that runs when it is interrupted", async () => {
    const { raw, ask, session, slot } = talkTo(
      sessionOfSource(asm`
        org 0x100000
${start()}
main:   inc ecx
        jmp main
        zero 4096
stack_top:
`),
    );
    const running = raw(encodePacket("c"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = raw(Uint8Array.of(3));
    await running;
    expect(await stopped).toContain("T02thread:1;");
    expect(session.machine.regs(slot).general.rcx).toBeGreaterThan(1000n);
    expect(await ask("bs")).toBe("T05thread:1;");
  });

  it("ends", async () => {
    const { ask, ends, raw } = await connect();
    expect(await ask("D")).toBe("OK");
    expect(await ask("vKill;1")).toBe("OK");
    expect(await raw(encodePacket("k"))).toBe("+");
    expect(ends).toEqual(["detach", "kill", "kill"]);
  });
});

it("survives anything", async () => {
  const { raw, ask } = await connect();
  const words = [
    "g",
    "G",
    "p",
    "P",
    "m",
    "M",
    "X",
    "Z0,",
    "z4,",
    "H",
    "T",
    "vCont;",
    "qXfer:features:read:",
    "q",
    "Q",
    "qRcmd,",
    "b",
    "!",
    "?",
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...words),
      fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[0-9a-f,;:=-]{0,40}$/)),
      async (word, rest) => {
        if (/^(?:vCont;|b)/.test(word + rest) && /[cCs]/.test(rest)) return; // runs the guest: tested above
        const packet = [...(word + rest)].map((c) => String.fromCharCode(c.charCodeAt(0) & 0xff)).join("");
        expect((await raw(encodePacket(packet)))[0]).toBe("+");
      },
    ),
    { numRuns: 400, seed: 9 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (noise) => {
      await raw(noise.filter((b) => b !== 3));
    }),
    { numRuns: 200, seed: 9 },
  );
  await raw(bytes("#00"));
  expect(await ask("qC")).toMatch(/^QC/);
}, 60_000);
