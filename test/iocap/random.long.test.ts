/** 100,000 random calls (VMEXIT_IO_COUNT says another number) keep O-1..O-8. */
import { expect, it } from "vitest";
import { compileBuild } from "../../host/node/wasm.ts";
import { randomOperations } from "./random.ts";

const TOTAL = Number(process.env.VMEXIT_IO_COUNT ?? 100_000);

it.each([1, 2, 3, 4].flatMap((method) => [0, 1, 2].map((policy) => [method, policy] as const)))(
  "counts %i, policy %i",
  (method, policy) => {
    expect(() =>
      randomOperations(compileBuild("debug"), TOTAL / 12, method, policy, method * 3 + policy),
    ).not.toThrow();
  },
  600_000,
);
