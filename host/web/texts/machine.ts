/** Every word of the machine page, in English. */
import type { PathStep, PathStepName } from "../model/path.ts";
import type { LaneName } from "../model/timeline.ts";
import type { ViewName } from "../model/url-state.ts";

const n = (value: number): string => value.toLocaleString("en");
const plural = (value: number, one: string, many = `${one}s`): string => `${n(value)} ${value === 1 ? one : many}`;

/** "4 bytes", "8 x 4 bytes". */
const elements = (size: number, count: number): string =>
  `${count === 1 ? "" : `${n(count)} x `}${plural(size, "byte")}`;

const pathSteps: Readonly<Record<PathStepName, { readonly title: string; readonly file: string }>> = {
  execute: { title: "Execute", file: "hw/exec.ts" },
  tlb: { title: "TLB", file: "hw/access.ts, hw/tlb.ts" },
  guestWalk: { title: "Guest walk", file: "hw/guest-walk.ts" },
  eptWalk: { title: "EPT walk", file: "hw/ept-walk.ts" },
  dispatch: { title: "Dispatch the exit", file: "hv/exits/dispatch.ts" },
  violation: { title: "Violation: p2m lookup", file: "hv/exits/on-ept-violation.ts" },
  emulate: { title: "Emulate", file: "hv/emulate/" },
  select: { title: "Select and send", file: "hv/ioreq/" },
  device: { title: "Device model", file: "host/lib/device/" },
  completion: { title: "Completion", file: "hv/ioreq/complete.ts" },
};

const states: Readonly<Record<PathStep["state"], string>> = {
  taken: "Taken: ",
  waiting: "Its turn now",
  skipped: "Not needed",
  ahead: "Not yet",
};

const lanes: Readonly<Record<LaneName, string>> = {
  exits: "Exits",
  ioreq: "Requests",
  p2m: "p2m",
  hypercalls: "Hypercalls",
  events: "Events",
  other: "Domains",
};

const views: Readonly<Record<ViewName, { readonly tab: string; readonly title: string }>> = {
  path: { tab: "Path", title: "The path of a store" },
  map: { tab: "p2m map", title: "The p2m of the whole guest" },
  tree: { tab: "Tree", title: "The four-level tree of the p2m" },
  entry: { tab: "Entry", title: "One EPT entry bit by bit" },
  tlb: { tab: "TLB", title: "TLBs" },
  ioreq: { tab: "ioreq", title: "ioreq servers" },
  memory: { tab: "Memory", title: "Guest memory" },
  domains: { tab: "Domains", title: "Domains, shared frames, I/O" },
  knobs: { tab: "Knobs", title: "Knobs and eras" },
  counts: { tab: "Counts", title: "Counts and simulated cost" },
};

export const texts = {
  title: "Machine",
  nothingYet: "Nothing to show yet.",
  asTable: "As a table",
  views,
  viewsLabel: "Views of the machine",
  bar: {
    label: "What runs, and where it stands",
    guest: "Guest",
    open: "Open file",
    openHelp:
      "An ELF file with a PVH note, or a multiboot image. It stays on this computer. You can also drop it on the page.",
    run: "Run",
    pause: "Pause",
    step: "Step",
    stepHelp: "One instruction (key: .)",
    back: "Back",
    backHelp: "One instruction back (key: ,)",
    inside: "Inside",
    insideHelp: "A piece of one instruction: to the request, to the answer, to its end (key: i)",
    nextExit: "Exit \u2192",
    nextExitHelp: "To the next VM exit, just handled (key: e)",
    lastExit: "\u2190 Exit",
    lastExitHelp: "To the VM exit before this (key: shift e)",
    start: "Start",
    startHelp: "Back to before the first instruction",
    position: "Instruction",
    of: (furthest: number) => `of ${n(furthest)} seen`,
    go: "Go",
    share: "Copy link",
    cancel: "Stop here",
    save: "Save picture",
    saveSvg: "this view as SVG",
    savePng: "this view as PNG",
    savePageSvg: "everything as SVG",
    savePagePng: "everything as PNG",
  },
  phases: {
    empty: "No guest",
    loading: "Loading",
    ready: "Stopped",
    running: "Running",
    busy: "On the way",
    idle: "Waits: every vCPU waits for an event. Type something, or step back.",
    ended: "Ended",
    lost: "The worker is gone",
  },
  ended: (outcome: string, reason: string) => `${outcome}: ${reason}`,
  notes: {
    copied: "The link is in the clipboard.",
    copyFailed: "The browser does not let this page write to the clipboard: copy the address from the address bar.",
    fileInLink: (name: string) =>
      `The link names the file ${name}, but does not hold it: whoever opens it will be asked for it.`,
    wantsFile: (name: string) => `This link needs the file "${name}". Drop it on the page, or choose it here.`,
    otherFile: (name: string) => `"${name}" is not the file that this link was made with: the run may differ.`,
    unreadable: (name: string, why: string) => `${name} cannot be read: ${why}`,
    tooLarge: (name: string) => `${name} is larger than 256 MiB: vmexit boots kernels and small guests.`,
    linkProblems: "Something in this link could not be used:",
    lost: (why: string) =>
      `The machine has stopped: ${why}. Nothing you typed is lost: a new one can be brought to the same place.`,
    restart: "Start it again here",
    startOver: "Start over",
    dismiss: "Dismiss",
    badPosition: "A position is a whole number of instructions.",
    notReached: (at: number) => `The guest ended or waits before that: it stands at instruction ${n(at)}.`,
    saved: (name: string) => `Saved ${name}.`,
    saveFailed: (why: string) => `The picture could not be made: ${why}`,
    drop: "Drop the file to boot it",
  },
  console: { title: "Console of the guest", input: "Type to the guest. Tab leaves the console." },
  cpu: {
    title: (name: string, bits: number, cpl: number) => `${name}, ${bits}-bit code, CPL ${cpl}`,
    blocked: "waits",
    choose: "vCPU",
    code: "Code at rip",
    loading: "Fetching the disassembler",
    gone: "The guest is gone.",
    panel: "Registers and code",
  },
  path: {
    steps: pathSteps,
    states,
    doors: {
      silicon: "door 1: the silicon ends, the hypervisor begins",
      host: "door 2: a shared page and an event channel",
    },
    none: "No instruction has run yet: step, and its way lights up here.",
    where: (at: number, vcpu: string, rip: string, isComplete: boolean) =>
      `instruction ${n(at + 1)}, ${vcpu} at 0x${rip}${isComplete ? "" : ", in the middle of its way"}`,
  },
  map: {
    hole: (size: string) => `hole of ${size}: no entry, counts as mmio_dm`,
    range: (first: string, last: string, type: string, rights: string, size: string) =>
      `gfn ${first} to ${last}: ${type}, ${rights}, ${size} entries`,
    legend: "Types",
    pages: (pages: number) => plural(pages, "page"),
    pending: "to be recalculated",
    summary: (e: Readonly<Record<"4K" | "2M" | "1G", number>>, tables: number, pending: number) =>
      `${plural(e["4K"] + e["2M"] + e["1G"], "entry", "entries")} (${n(e["4K"])} of 4 KiB, ${n(e["2M"])} of 2 MiB, ${n(e["1G"])} of 1 GiB) in ${plural(tables, "table")}${pending > 0 ? `; ${plural(pending, "page")} to be recalculated (dashed)` : ""}. Rows grow with the logarithm of their size. Choose a range to see its tree and entry.`,
    columns: ["gfns", "size", "of", "type", "access", "rights", "memory", "first mfn", ""],
  },
  tree: {
    level: (level: number) => `L${level}`,
    table: (name: string, level: number, mfn: string, used: number, index: number) =>
      `Level ${level}, ${name}, table in frame ${mfn}: ${plural(used, "entry", "entries")} in use, looking at number ${index}`,
    keys: "Arrow keys go to other entries in use",
    absent: "not present",
    end: (gpa: string, end: string) => `gpa ${gpa}: ${end}`,
    help: "Filled cells are pages, framed ones point to tables. Click an entry, or use the arrow keys in a table, to walk another way.",
    columns: ["level", "table mfn", "index", "entry", "rights", "type", "mfn"],
  },
  entry: {
    choose: "Level of the walk",
    place: (mfn: string, index: number) => `table ${mfn}[${index}]`,
    picture: (entry: string) => `The 64 bits of ${entry}`,
    caption: "The fields, from the most significant bit down",
    columns: ["field", "bits", "value", "here"],
  },
  tlb: {
    help: "A stale entry is one that lets the guest do what a walk now would not: another frame, fewer rights, or nothing at all. It is what a flush is for.",
    summary: (name: string, used: number, size: number, stale: number) =>
      `${name}: ${n(used)} of ${n(size)} places used, ${stale === 0 ? "none stale" : `${n(stale)} stale`}`,
    empty: "Empty: flushed, or nothing was translated yet.",
    columns: ["place", "linear page", "mfn", "supervisor", "user", "kind", "against the tables now"],
    global: "global",
    large: "large page",
    bus: "device",
    fresh: "as a walk would find it",
    unmapped: "STALE: a walk finds nothing",
    otherFrame: (mfn: string) => `STALE: a walk finds mfn ${mfn}`,
    fewerRights: (rights: string) => `STALE: a walk allows only ${rights}`,
  },
  ioreq: {
    server: (id: number, emulator: number, isEnabled: boolean) =>
      `Server ${id}, device model in domain ${emulator}, ${isEnabled ? "enabled" : "disabled"}`,
    typeServer: (flags: number) => `Owns the page type ioreq_server (flags 0x${flags.toString(16)}).`,
    slot: (vcpu: number) => `Slot of vCPU ${vcpu}`,
    slotState: (vcpu: number, state: string) => `The slot of vCPU ${vcpu} is ${state}`,
    moves: ["Xen", "device", "device", "Xen: the answer is taken, the instruction goes on"],
    now: (type: string, dir: string, addr: string, size: number, count: number, data: string) =>
      `${type} ${dir} ${addr}, ${elements(size, count)}, data ${data}`,
    last: (type: string, dir: string, addr: string, size: number, count: number, data: string) =>
      `left over from the last request: ${type} ${dir} ${addr}, ${elements(size, count)}, data ${data}`,
    ring: "Buffered ring",
    ringState: (read: number, write: number, waiting: number) =>
      `read pointer ${n(read)}, write pointer ${n(write)}: ${plural(waiting, "request")} waiting`,
    ranges: "Ranges",
    columns: ["space", "addresses"],
    inCore: "There is no ioreq server: the knob device.at puts the devices into the hypervisor.",
    none: "The guest has no ioreq server.",
  },
  memory: {
    space: "Space",
    physical: "physical",
    virtual: "linear, as the vCPU maps it",
    address: "Address",
    show: "Show",
    before: "Back",
    after: "On",
    text: "text",
    caption: "-- is an address that no frame is behind. Looking changes nothing.",
    badAddress: (text: string) => `"${text}" is no address: write for instance 0x100000.`,
  },
  domains: {
    title: "Domains",
    dom0: "dom0, the control domain",
    guest: (domid: number) => `domain ${domid}`,
    columns: ["domain", "vCPUs", "pages mapped", "shared", "state"],
    framesTitle: (frames: number) => `Frames with more than one mapping: ${n(frames)}`,
    noFrames: "No machine frame is shown in two places.",
    frameColumns: ["mfn", "shown at"],
    ownershipTitle: "Who may use which I/O",
    ownershipColumns: ["kind", "from-to", "right", "mapped by", "accountant"],
  },
  knobs: {
    era: "Era",
    filter: "Find",
    apply: "Apply and restart",
    reset: "Defaults of the era",
    beside: "Beside",
    besideLabel: (name: string) => `A second machine beside this one, with this value of ${name}`,
    besideNow: (name: string, value: string) => `Beside this machine runs another with ${name}=${value}.`,
    alone: "One machine",
    help: "A knob is a design alternative. Change one and choose Beside to run two machines that differ in nothing else.",
    columns: ["knob", "value", "what it decides", ""],
    nothing: "No knob has that in its name or text.",
  },
  counts: {
    what: "what",
    count: "count",
    exits: "Exits",
    counters: "Counters",
    cost: (total: string) => `Simulated cost: ${total} cycles`,
    costColumns: ["event", "count", "cycles each", "cycles", ""],
    hashes: "Hashes of the state and of the trace:",
  },
  timeline: {
    title: "Timeline",
    lanes,
    label:
      "Timeline of exits. Left and right go from event to event, with shift from exit to exit; plus and minus zoom.",
    empty: "no event yet",
    place: (at: number, total: number) => `${n(at)} of ${n(total)}:`,
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    goTo: (number: number) => `Go to event ${n(number)}`,
    columns: ["event", "ticks", "kind", "what"],
  },
  compare: {
    title: (knob: string, value: string) => `${knob}=${value}`,
    both: "Both machines get the same commands.",
  },
  file: (name: string) => `file: ${name}`,
} as const;
