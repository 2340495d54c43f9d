/** Random hypercalls, for fast-check: a structure definition, a value for each field that sits on some edge, and who is meant. */
import fc from "fast-check";
import { SYSCTL_INTERFACE_VERSION_4_17 } from "../../../hv-core/abi/sysctl.ts";
import { ARG, LIST, NOWHERE, OUT } from "../../hv/door.ts";
import { type Kind, STRUCTURES, type Structure } from "./structures.ts";

/** Indices of the domains of the machine (machine.ts), then ids that are nobody's. */
export const DOMAINS = 4;
const RESERVED = [0x7ff0, 0x7ff1, 0x7ff4, 0x7000, 0xffff];

export interface WildCall {
  readonly structure: Structure;
  /** Index of a domain of the machine, or beyond them one of nobody's ids. */
  readonly target: number;
  readonly values: readonly bigint[];
  /** Words of the lists that pointers point to. */
  readonly list: readonly bigint[];
}

const big = (...values: (number | bigint)[]): fc.Arbitrary<bigint> => fc.constantFrom(...values.map(BigInt));
const any64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const EDGES = big(
  0,
  1,
  2,
  63,
  64,
  255,
  1023,
  4095,
  4096,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  1n << 32n,
  1n << 52n,
  (1n << 64n) - 1n,
);

const VALUES: Readonly<Record<Kind, fc.Arbitrary<bigint>>> = {
  n: fc.oneof(fc.bigInt({ min: 0n, max: 12n }), EDGES),
  p: fc.oneof(big(LIST, OUT, LIST + 4090, NOWHERE, 0, ARG, (1n << 64n) - 4n), any64),
  g: fc.oneof(fc.bigInt({ min: 0n, max: 40n }), big(0x200, 0xfee00, 0xfffff, 1n << 32n, 1n << 40n), any64),
  f: fc.oneof(fc.bigInt({ min: 0n, max: 7n }), EDGES),
  v: fc.oneof(big(0, 0, 1, 2, 127, 128, 0xffffffff), EDGES),
  d: fc.oneof(fc.bigInt({ min: 0n, max: BigInt(DOMAINS) }), big(...RESERVED)),
  t: fc.oneof(fc.bigInt({ min: 0n, max: 8n }), big(1023, 1024, 4095, 4096, 0xffffffff)),
  b: fc.bigInt({ min: 0n, max: 255n }),
  w: fc.oneof(EDGES, any64),
  q: fc.oneof(fc.bigInt({ min: 0n, max: 4096n }), EDGES, any64),
};

export const domidOf = (ids: readonly number[], target: number): number =>
  target < ids.length ? ids[target]! : RESERVED[(target - ids.length) % RESERVED.length]!;

export const wildCall: fc.Arbitrary<WildCall> = fc
  .record({
    structure: fc.constantFrom(...STRUCTURES),
    target: fc.oneof(
      { arbitrary: fc.nat({ max: DOMAINS - 1 }), weight: 4 },
      { arbitrary: fc.nat({ max: DOMAINS + RESERVED.length - 1 }), weight: 1 },
    ),
    list: fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 40n }), any64), { minLength: 4, maxLength: 4 }),
  })
  .chain(({ structure, target, list }) =>
    fc.record({
      structure: fc.constant(structure),
      target: fc.constant(target),
      list: fc.constant(list),
      values: fc.tuple(...structure.fields.map(({ kind }) => VALUES[kind])),
    }),
  );

const SIZES: Readonly<Record<Kind, number>> = { n: 4, p: 8, g: 8, f: 4, v: 4, d: 2, t: 4, b: 1, w: 4, q: 8 };

export interface Laid {
  /** Bytes of the structure, and what its lists hold. */
  readonly bytes: Uint8Array;
  readonly list: Uint8Array;
  /** Number and arguments, for a structure at `at`. */
  call(at: number): readonly [nr: number, ...args: number[]];
}

/** Puts a call into bytes. @param ids ids of the machine's domains. @param version of the domctl interface. */
export function layOut({ structure, target, values, list }: WildCall, ids: readonly number[], version: number): Laid {
  const bytes = new Uint8Array(160);
  const view = new DataView(bytes.buffer);
  const isDomctl = structure.shape === "domctl";
  const base = { domctl: 16, sysctl: 8, dm: 40, two: 0, vcpu: 0, registers: 0, grant: 0 }[structure.shape];
  const domid = domidOf(ids, target);
  structure.fields.forEach(({ kind, offset }, i) => {
    const value = kind === "d" ? BigInt(domidOf(ids, Number(values[i]))) : values[i]!;
    for (let byte = 0; byte < SIZES[kind]; byte++)
      view.setUint8(base + offset + byte, Number((value >> BigInt(8 * byte)) & 0xffn));
  });
  if (isDomctl) {
    view.setUint32(0, structure.command, true);
    view.setUint32(4, version, true);
    view.setUint16(8, domid, true);
  }
  if (structure.shape === "sysctl") {
    view.setUint32(0, structure.command, true);
    view.setUint32(4, SYSCTL_INTERFACE_VERSION_4_17, true);
  }
  const words = new Uint8Array(64);
  for (const [i, value] of list.entries()) new DataView(words.buffer).setBigUint64(i * 8, value, true);
  return {
    bytes,
    list: words,
    call(at) {
      switch (structure.shape) {
        case "domctl":
        case "sysctl":
          return [structure.nr, at];
        case "dm":
          // One buffer: {pointer, size}, and the dm_op right behind it.
          view.setUint32(0, at + 32, true);
          view.setUint32(8, 64, true);
          view.setUint32(32, structure.command, true);
          return [structure.nr, domid, 1, at];
        case "vcpu":
          return [structure.nr, structure.command, target, at];
        case "grant":
          return [structure.nr, structure.command, at, Number(list[0]! & 3n)];
        case "registers":
          return [structure.nr, Number(list[0]! & 0xffff_ffffn), Number(list[1]! & 0xffn), Number(list[2]! & 0xffn)];
        default:
          return [structure.nr, structure.command, at];
      }
    },
  };
}

export const callText = ({ structure, target, values }: WildCall): string =>
  `${structure.name}(domain ${target}; ${values.map((v) => `0x${v.toString(16)}`).join(", ")})`;
