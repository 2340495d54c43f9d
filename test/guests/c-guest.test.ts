/**
 * The committed image of the C guest is what its source gives. VMEXIT_REBUILD=1 writes the image anew.
 * Skipped, with the reason, where there is no gcc or another version of it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import guest from "../../guests/c-guest/guest.ts";
import { COMPILER } from "../../guests/c-guest/image.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileGuest, compilerVersion } from "./c-compiler.ts";

const BYTES_PER_LINE = 84;

function imageModule(bytes: Uint8Array, compiler: string): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    lines.push(`  "${Buffer.from(bytes.subarray(at, at + BYTES_PER_LINE)).toString("base64")}",`);
  }
  return `/** The compiled C guest, base64. Written by test/guests/c-guest.test.ts (VMEXIT_REBUILD=1), compared with its source there. */
export const COMPILER = ${JSON.stringify(compiler)};
export const IMAGE: readonly string[] = [
${lines.join("\n")}
];
`;
}

it("the committed image is what the source gives", ({ skip }) => {
  const version = compilerVersion();
  if (version === undefined) return skip("no gcc for x86-64 here");
  if (process.env.VMEXIT_REBUILD) {
    writeFileSync(join(ROOT, "guests", "c-guest", "image.ts"), imageModule(compileGuest(), version));
    return skip("the image was written anew");
  }
  if (version !== COMPILER) return skip(`the image was built by ${COMPILER}; here is ${version}`);
  expect(Buffer.from(compileGuest()).equals(Buffer.from(guest.build()))).toBe(true);
});

it("lists its code", () => {
  expect(guest.listing()).toMatch(/rep stosd|loop|wrmsr/);
  expect(guest.listing()).toContain("out 0E9h,al");
});
