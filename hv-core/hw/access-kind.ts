/**
 * What an access wants. The low three bits are those of an EPT entry's rights and of an exit qualification alike.
 */
import { DENY_SUPER_FETCH, DENY_SUPER_READ, DENY_SUPER_WRITE } from "./tlb";

export const ACCESS_READ: u32 = 1;
export const ACCESS_WRITE: u32 = 2;
export const ACCESS_FETCH: u32 = 4;
/** By code at CPL 3, and not an implicit access to a descriptor table or TSS. */
export const ACCESS_USER: u32 = 8;
/** The read half of a read-modify-write: during replay the EPT need not allow the write yet. */
export const ACCESS_READ_HALF: u32 = 16;
/** A look from outside: sets no accessed or dirty bit and raises nothing. */
export const ACCESS_PEEK: u32 = 32;

export const ACCESS_RWX: u32 = 7;

export class AccessKind {
  /** The TLB deny bits that stop this access. */
  @inline static denied(access: u32): u64 {
    let bits: u64 = 0;
    if (access & ACCESS_READ) bits |= DENY_SUPER_READ;
    if (access & ACCESS_WRITE) bits |= DENY_SUPER_WRITE;
    if (access & ACCESS_FETCH) bits |= DENY_SUPER_FETCH;
    return access & ACCESS_USER ? bits << 1 : bits;
  }
}
