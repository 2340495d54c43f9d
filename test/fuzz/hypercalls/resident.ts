/**
 * A guest that makes hypercalls on request and stays where it is in between: its code polls a word of its memory. 32-bit mode without
 * paging, as in test/hv/caller.ts, but a call costs a few instructions only.
 */
import { frameAddress } from "../../../host/lib/core.ts";
import { entryContext } from "../../../host/lib/toolstack/hvm-context.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_UNPAUSEDOMAIN,
} from "../../../hv-core/abi/hypercalls.ts";
import { mapGuestPage } from "../../hv/caller.ts";
import { ARG, creation, type Door } from "../../hv/door.ts";

const CODE = 0x1000;
/** Structures are at the same addresses as dom0's: pages 1 to 3; code and requests lie above. */
const PROGRAM_GFN = 9;
const PROGRAM = PROGRAM_GFN * CODE;
const FLAG = PROGRAM + 0x800;
const PAGES = 16;
/** Enough for a call and a few rounds of the loop; a call that takes longer goes on in the next round. */
const SLICE = 60;
const ROUNDS = 40;

export interface Resident {
  readonly domid: number;
  /** Linear addresses of its pages 1 and 2: the structure and the list. */
  readonly arg: number;
  readonly list: number;
  /** undefined: it does not run any more. */
  call(nr: number, args: readonly number[]): number | undefined;
}

const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
/** mov reg, [address] */
const load = (op: readonly number[], address: number): number[] => [...op, ...word(address)];

/** cmp dword [FLAG], 0; je start; mov eax..edi, [FLAG + 4 ..]; vmcall; mov [FLAG + 28], eax; mov dword [FLAG], 0; jmp start */
const program = [
  ...[0x83, 0x3d, ...word(FLAG), 0],
  ...[0x74, 0xf7],
  ...load([0xa1], FLAG + 4),
  ...load([0x8b, 0x1d], FLAG + 8),
  ...load([0x8b, 0x0d], FLAG + 12),
  ...load([0x8b, 0x15], FLAG + 16),
  ...load([0x8b, 0x35], FLAG + 20),
  ...load([0x8b, 0x3d], FLAG + 24),
  ...[0x0f, 0x01, 0xc1],
  ...[0xa3, ...word(FLAG + 28)],
  ...[0xc7, 0x05, ...word(FLAG), ...word(0)],
];
const code = [...program, 0xe9, ...word(-(program.length + 5))];

export function makeResident(door: Door): Resident {
  if (door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({})) !== 0) throw new Error("createdomain");
  const domid = door.u16(ARG + 8);
  door.domctl(DOMCTL_MAX_VCPUS, domid, [[0, 4, 1]]);
  door.domctl(DOMCTL_MAX_MEM, domid, [[0, 8, PAGES * 4 + 64]]);
  door.populate(
    domid,
    Array.from({ length: PAGES }, (_, i) => i),
  );
  const own = mapGuestPage(door, domid, PROGRAM_GFN);
  const flag = own + (FLAG - PROGRAM);
  new Uint8Array(door.view.buffer).set(code, own);
  door.core.frameWritten((own - frameAddress(0)) >> 12);
  const context = entryContext({ eip: PROGRAM, ebx: 0 }, 1);
  new Uint8Array(door.view.buffer).set(context, door.at(0x6000));
  const loaded = door.domctl(DOMCTL_SETHVMCONTEXT, domid, [
    [0, 4, context.length],
    [8, 8, 0x6000],
  ]);
  if (loaded !== 0) throw new Error(`sethvmcontext: ${loaded}`);
  door.domctl(DOMCTL_UNPAUSEDOMAIN, domid);
  return {
    domid,
    arg: mapGuestPage(door, domid, 1),
    list: mapGuestPage(door, domid, 2),
    call(nr, args) {
      const { view } = door;
      view.setUint32(flag + 4, nr, true);
      for (let i = 0; i < 5; i++) view.setUint32(flag + 8 + i * 4, args[i] ?? 0, true);
      view.setUint32(flag, 1, true);
      for (let i = 0; i < ROUNDS; i++) {
        door.core.run(SLICE);
        if (view.getUint32(flag, true) === 0) return view.getInt32(flag + 28, true);
      }
      view.setUint32(flag, 0, true);
      return undefined;
    },
  };
}
