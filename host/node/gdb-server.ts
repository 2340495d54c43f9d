/** GDB's remote protocol over TCP, on this computer only: one conversation at a time. */
import { createServer, type Socket } from "node:net";
import { createStub } from "../lib/gdb/stub.ts";
import type { Target } from "../lib/gdb/target.ts";
import type { DomId } from "../lib/ids.ts";

export interface GdbServer {
  readonly port: number;
  /** Settles when GDB has killed the guest; rejects for a bug of ours. */
  readonly ended: Promise<void>;
  close(): void;
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** @throws the operating system's error when the port is taken. Port 0: a free one. */
export async function serveGdb(makeTarget: () => Target, domid: DomId, port: number): Promise<GdbServer> {
  let settle: { resolve: () => void; reject: (error: unknown) => void };
  const ended = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  let current: Socket | undefined;
  const server = createServer((socket) => {
    if (current) {
      socket.destroy();
      return;
    }
    current = socket;
    socket.setNoDelay(true);
    const stub = createStub(makeTarget(), domid, {
      send: (bytes) => {
        if (!socket.destroyed) socket.write(bytes);
      },
      pause,
      end: (how) => socket.end(() => (how === "kill" ? settle.resolve() : undefined)),
      fail: (error) => {
        socket.destroy();
        settle.reject(error);
      },
    });
    socket.on("data", (bytes) => stub.receive(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      stub.receive(Uint8Array.of(3)); // nobody waits for what runs
      current = undefined;
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    ended,
    close() {
      current?.destroy();
      server.close();
    },
  };
}
