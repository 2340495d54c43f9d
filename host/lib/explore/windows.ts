/** Names of windows as schedules and reports write them, and what each means. Numbers: hv-core/abi/windows.ts. */
import * as windows from "../../../hv-core/abi/windows.ts";

const camel = (name: string): string =>
  name
    .slice(2)
    .toLowerCase()
    .replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

const names = new Map<number, string>(Object.entries(windows).map(([name, value]) => [value, camel(name)]));

/** What the actor does next when it stands there, as a sentence without a subject. */
const TEXTS: Readonly<Record<number, string>> = {
  [windows.W_LOCK]: "takes the lock",
  [windows.W_EXITED]: "is in the hypervisor now: handles the exit",
  [windows.W_TYPE_READ]: "goes by the page type it has read, and looks for its server",
  [windows.W_SERVER_LOOKED_UP]: "goes by what it has found",
  [windows.W_REQUEST_READY]: "tells the device model that its request is READY",
  [windows.W_TYPE_SERVER_CLEARED]: "turns to the pages of the type: they are to become RAM now",
  [windows.W_P2M_UNLOCKED]: "has all processors flush their TLBs: it has changed the p2m and let its lock go",
  [windows.W_P2M_CHILDREN_INVALID]: "repairs an upper entry of the p2m, now that those below it are invalid",
  [windows.W_MARKED_DIRTY]: "allows the write: the page is marked dirty",
  [windows.W_COMPLETED]: "goes back into the guest: the request is done",
  [windows.W_PREEMPTED]: "goes on with the preempted hypercall",
  [windows.W_PAUSE]: "goes on: the vCPUs have stopped",
  [windows.W_NOT_ANSWERED]: "says that it sleeps",
  [windows.W_FALLING_ASLEEP]: "looks at the slot again",
  [windows.W_STATE_CHECKED]: "uses the state it has checked",
  [windows.W_DOMCTL_BUSY]: "makes the hypercall again: the domctl lock was held",
  [windows.W_P2M_RELEASED]: "looks the page type up again: it has let the p2m lock go",
  [windows.W_TYPE_SERVER_CHECKED]: "sets the types of the pages",
  [windows.W_POINTERS_READ]: "replaces the ring's pointers, which it has read, by smaller ones",
  [windows.W_EVENT_HALF_FILLED]: "fills in the rest of the event",
  [windows.W_BITMAP_PIECE_FREED]: "goes on freeing the bitmap: a piece is gone, and the lock was free",
  [windows.W_ENTRY_NOT_PRESENT]: "reads the entry again: it was not present",
  [windows.W_COPY_DECIDED]: "writes to RAM itself: the page type had no server",
  [windows.W_FLAG_BEFORE_REMOVAL]: "takes the page out of the guest's memory map",
};

/** "Exited", "Lock", ...; "window 99" for one that this build does not know. */
export const windowName = (window: number): string => names.get(window) ?? `window ${window}`;
export const windowText = (window: number): string => TEXTS[window] ?? "goes on";

/** Whether this build has a window of that name. */
export const isWindowName = (name: string): boolean => [...names.values()].includes(name);
