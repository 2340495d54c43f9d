/** What the audit says on the hypervisor's console, a line for each finding; in debug builds only, as Xen's audit is. */
import { consolePut } from "../hypercall/console-io";
import {
  AUDIT_ENTRY_TYPE,
  AUDIT_M2P,
  AUDIT_NO_DOMAIN,
  AUDIT_NO_ENTRIES,
  AUDIT_NOT_LOCKABLE,
  AUDIT_OTHER_FRAME,
  AUDIT_OWNER,
  AUDIT_PAGES,
  AUDIT_REFERENCES,
  AUDIT_TYPE,
} from "./audit";

function put(text: string): void {
  for (let i = 0; i < text.length; i++) consolePut(text.charCodeAt(i));
}

function putHex(value: u64): void {
  put("0x");
  let shift: i32 = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const digit = <u32>(value >> shift) & 15;
    consolePut(digit < 10 ? 48 + digit : 87 + digit);
  }
}

function sentence(what: u32): string {
  switch (what) {
    case AUDIT_NOT_LOCKABLE:
      return "is on the audit list and has no type reference";
    case AUDIT_TYPE:
      return "is not of type shared, but ";
    case AUDIT_OWNER:
      return "is not owned by DOM_COW, but by ";
    case AUDIT_M2P:
      return "has the M2P entry ";
    case AUDIT_NO_ENTRIES:
      return "has an empty reverse map";
    case AUDIT_NO_DOMAIN:
      return "is mapped by a domain that does not exist: ";
    case AUDIT_OTHER_FRAME:
      return "is not what this gfn of its reverse map shows: ";
    case AUDIT_ENTRY_TYPE:
      return "has a gfn in its reverse map that is not ram_shared: ";
    case AUDIT_REFERENCES:
      return "has as many type references, and another number of gfns: ";
    case AUDIT_PAGES:
      return "pages are shared, and the counter says ";
    default:
      return "";
  }
}

export class AuditText {
  static put(what: u32, mfn: u32, value: u64): void {
    if (isDefined(DEBUG)) {
      put("(XEN) sharing audit: ");
      if (what != AUDIT_PAGES) put("mfn ");
      putHex(mfn);
      put(" ");
      put(sentence(what));
      if (what != AUDIT_NOT_LOCKABLE && what != AUDIT_NO_ENTRIES) putHex(value);
      put("\n");
    }
  }
}
