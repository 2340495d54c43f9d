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
  [windows.W_COPY_OUT]: "copies its answer to the caller",
  [windows.W_PREEMPTED]: "goes on with the preempted hypercall",
  [windows.W_PAUSE]: "goes on: the vCPUs have stopped",
  [windows.W_NOT_ANSWERED]: "says that it sleeps",
  [windows.W_FALLING_ASLEEP]: "looks at the slot again",
  [windows.W_STATE_CHECKED]: "uses the state it has checked",
  [windows.W_IO_CHECKED]: "makes the entry for the frame whose right it has checked",
  [windows.W_IO_GRANT_CHECKED]: "writes the grant down: it has found no other holder",
  [windows.W_IO_PORT_FOUND]: "uses the mapping of ports that it has found",
  [windows.W_IO_ZAPPED]: "lowers the count: the entry for the device is gone",
  [windows.W_IO_REVOKED]: "takes the mappings away: the right is gone",
  [windows.W_IO_COUNT_READ]: "writes the count back",
  [windows.W_IO_LINE_EMPTY]: "releases the line: nobody is bound to it",
  [windows.W_IO_TEARDOWN]: "frees the tables of the dying domain",
  [windows.W_DOMCTL_BUSY]: "makes the hypercall again: the domctl lock was held",
  [windows.W_VNUMA_SIZED]: "copies the topology whose size it has seen",
  [windows.W_FIFO_SEEN]: "adds the page to the event array it has seen",
  [windows.W_DOMCTL_LOCKED]: "carries the domctl out: the domctl lock is its own",
  [windows.W_P2M_RELEASED]: "looks the page type up again: it has let the p2m lock go",
  [windows.W_SHARED_SEEN]: "unshares the page that it saw",
  [windows.W_FRAME_TAKEN]: "gives the page a handle: its frame is nobody's own any more",
  [windows.W_SAVED_COUNTED]: "looks for a frame: one page less counts as saved",
  [windows.W_PAGE_COPIED]: "shows the copy to the guest",
  [windows.W_INFO_FREED]: "makes the page private: its sharing info is gone",
  [windows.W_ENTRY_MOVED]: "goes on moving the client's entries to the source",
  [windows.W_USED_COUNTED]: "counts the page as saved",
  [windows.W_AUDITED]: "looks at the next shared page",
  [windows.W_PAGE_NOT_COUNTED]: "gives the page its type: the type had a server a moment ago",
  [windows.W_TYPE_SERVER_CHECKED]: "sets the types of the pages",
  [windows.W_EVENT_CLAIMED]: "goes on with the slot it claimed",
  [windows.W_POPULATE_TYPED]: "asks the pager: the page is paging_in",
  [windows.W_EVENT_PUT]: "tells the listener: the request is on the ring",
  [windows.W_ACCESS_CHECKED]: "sends the event of the violated access",
  [windows.W_PAGED_SEEN]: "asks for the paged page it met",
  [windows.W_EVICT_CHECKED]: "evicts the page it looked at",
  [windows.W_RESPONSE_TAKEN]: "acts on the response it took",
  [windows.W_RING_CHECKED]: "fills its slot of the ring it saw",
  [windows.W_NO_SLOT]: "says that it waits for a slot",
  [windows.W_POINTERS_READ]: "replaces the ring's pointers, which it has read, by smaller ones",
  [windows.W_EVENT_HALF_FILLED]: "fills in the rest of the event",
  [windows.W_BITMAP_PIECE_FREED]: "goes on freeing the bitmap: a piece is gone, and the lock was free",
  [windows.W_ENTRY_NOT_PRESENT]: "reads the entry again: it was not present",
  [windows.W_COPY_DECIDED]: "writes to RAM itself: the page type had no server",
  [windows.W_GRANT_ENTRY_READ]: "makes sure of the grant entry that it has read",
  [windows.W_GRANT_PINNED]: "maps the granted frame: its entry is pinned",
  [windows.W_GRANT_UNPINNED]: "takes the mapping away: it counts no more",
  [windows.W_GRANT_PUT]: "takes its pin off the entry: the reference is gone",
  [windows.W_GRANT_FRAME_FOUND]: "maps the frame of the grant table that it found",
  [windows.W_GRANT_OLD_GFN]: "moves the frame of the grant table from where it was",
  [windows.W_GRANT_STATUS_UNMAPPED]: "looks who holds the status frame: it is out of the p2m",
  [windows.W_GRANT_TRANSITIVE]: "looks at the other domain's entry",
  [windows.W_GRANT_COPY_FOUND]: "copies the bytes",
  [windows.W_FLAG_BEFORE_REMOVAL]: "takes the page out of the guest's memory map",
};

/** "Exited", "Lock", ...; "window 99" for one that this build does not know. */
export const windowName = (window: number): string => names.get(window) ?? `window ${window}`;
export const windowText = (window: number): string => TEXTS[window] ?? "goes on";

/** Whether this build has a window of that name. */
export const isWindowName = (name: string): boolean => [...names.values()].includes(name);
