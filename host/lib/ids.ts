/**
 * Branded numbers: a gfn is a number that the compiler will not confuse with an mfn. They cost nothing at run time.
 * Glossary: docs/architecture.md (gva, gpa, gfn, mfn, domid, port).
 */
declare const brand: unique symbol;
type Brand<B extends string> = number & { readonly [brand]: B };

export type Gfn = Brand<"Gfn">;
export type Mfn = Brand<"Mfn">;
export type DomId = Brand<"DomId">;
/** An event-channel port of one domain. */
export type Port = Brand<"Port">;
export type ServerId = Brand<"ServerId">;

function natural(n: number, what: string): number {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`not a ${what}: ${n}`);
  return n;
}

export const Gfn = (n: number): Gfn => natural(n, "gfn") as Gfn;
export const Mfn = (n: number): Mfn => natural(n, "mfn") as Mfn;
export const DomId = (n: number): DomId => natural(n, "domain id") as DomId;
export const Port = (n: number): Port => natural(n, "port") as Port;
export const ServerId = (n: number): ServerId => natural(n, "ioreq server id") as ServerId;

export const DOM0 = DomId(0);
/** Guest frame that holds a guest-physical address. */
export const gfnOf = (gpa: number): Gfn => Gfn(Math.floor(gpa / 4096));
