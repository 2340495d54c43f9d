/** GNTTABOP_swap_grant_ref: two of the caller's own entries change places, if nobody uses them. */
import {
  GNTST_BAD_GNTREF,
  GNTST_EAGAIN,
  GNTST_GENERAL_ERROR,
  GNTST_OKAY,
  GRANT_V1_SIZE,
  GRANT_V2_SIZE,
} from "../../abi/grant";
import { FRAMES_BASE, PAGE_SHIFT } from "../../abi/layout";
import { frameWritten } from "../../mem/frame-access";
import { Domain } from "../domain";
import { Active } from "./active";
import { Grants, GrantTable } from "./table";

function swapBytes(a: usize, b: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 2) {
    const kept = load<u16>(a + i);
    store<u16>(a + i, load<u16>(b + i));
    store<u16>(b + i, kept);
  }
  frameWritten(<u32>((a - FRAMES_BASE) >> PAGE_SHIFT));
  frameWritten(<u32>((b - FRAMES_BASE) >> PAGE_SHIFT));
}

function swap(t: GrantTable, a: u32, b: u32): i32 {
  if (a >= t.entries || b >= t.entries) return GNTST_BAD_GNTREF;
  if (a == b) return GNTST_OKAY;
  if (Active.of(t, a).pin != 0 || Active.of(t, b).pin != 0) return GNTST_EAGAIN;
  if (t.entry(a) == 0 || t.entry(b) == 0) return GNTST_GENERAL_ERROR;
  swapBytes(t.entry(a), t.entry(b), t.version == 1 ? GRANT_V1_SIZE : GRANT_V2_SIZE);
  if (t.version == 2) swapBytes(t.status(a), t.status(b), 2);
  return GNTST_OKAY;
}

/** @returns GNTST_OKAY, GNTST_BAD_GNTREF (no such entry), GNTST_EAGAIN (in use), GNTST_GENERAL_ERROR (no memory for the table). */
export function grantSwap(d: Domain, a: u32, b: u32): i32 {
  Grants.lock(d);
  const table = Grants.table(d);
  const status = table == 0 ? GNTST_GENERAL_ERROR : swap(changetype<GrantTable>(table), a, b);
  Grants.unlock(d);
  return status;
}
