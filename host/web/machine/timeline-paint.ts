/** Paints the timeline on a canvas. A hundred thousand records are one pass over an array of lanes, so it keeps up with a drag. */
import { binColumns, LANES, type TimeWindow } from "../model/timeline.ts";

export interface TimelineColours {
  readonly lanes: readonly string[];
  readonly text: string;
  readonly soft: string;
  readonly line: string;
  readonly surface: string;
  readonly future: string;
  readonly cursor: string;
}

export const LABEL_WIDTH = 76;
export const LANE_HEIGHT = 13;
const LANE_GAP = 2;
export const PICTURE_HEIGHT = LANES.length * (LANE_HEIGHT + LANE_GAP) + 4;

/** Reads the tokens that the canvas needs. */
export function timelineColours(host: Element): TimelineColours {
  const probe = document.createElement("span");
  (host.shadowRoot ?? host).append(probe);
  const colour = (token: string): string => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    lanes: [1, 2, 3, 4, 5, 7].map((n) => colour(`--vx-c${n}`)),
    text: colour("--vx-text"),
    soft: colour("--vx-text-soft"),
    line: colour("--vx-line"),
    surface: colour("--vx-surface"),
    future: colour("--vx-raised"),
    cursor: colour("--vx-bad"),
  };
  probe.remove();
  return colours;
}

export interface TimelinePicture {
  readonly width: number;
  readonly window: TimeWindow;
  readonly total: number;
  /** Records that have happened at the present position. */
  readonly now: number;
  readonly labels: readonly string[];
}

/** @param lanes lane of each record, 255 = none. */
export function paintTimeline(
  context: CanvasRenderingContext2D,
  lanes: Uint8Array,
  { width, window, total, now, labels }: TimelinePicture,
  colours: TimelineColours,
): void {
  const room = Math.max(1, width - LABEL_WIDTH);
  const toX = (index: number): number => LABEL_WIDTH + ((index - window.from) / window.count) * room;
  context.fillStyle = colours.surface;
  context.fillRect(0, 0, width, PICTURE_HEIGHT);
  const present = Math.min(width, Math.max(LABEL_WIDTH, toX(now)));
  context.fillStyle = colours.future;
  context.fillRect(present, 0, width - present, PICTURE_HEIGHT);
  context.font = `11px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "middle";
  const columns = Math.max(1, Math.min(room, Math.ceil(window.count)));
  const bins = binColumns((i) => (lanes[i] === 255 ? -1 : lanes[i]!), total, window, columns);
  const cell = room / columns;
  for (let lane = 0; lane < LANES.length; lane++) {
    const y = 2 + lane * (LANE_HEIGHT + LANE_GAP);
    context.fillStyle = colours.line;
    context.fillRect(LABEL_WIDTH, y + LANE_HEIGHT, room, 1);
    context.fillStyle = colours.soft;
    context.fillText(labels[lane] ?? "", 4, y + LANE_HEIGHT / 2 + 1, LABEL_WIDTH - 8);
    const row = bins.subarray(lane * columns, (lane + 1) * columns);
    const most = Math.max(
      1,
      row.reduce((a, b) => Math.max(a, b), 0),
    );
    context.fillStyle = colours.lanes[lane]!;
    for (let column = 0; column < columns; column++) {
      const n = row[column]!;
      if (n === 0) continue;
      const height = Math.max(4, (LANE_HEIGHT * Math.log2(1 + n)) / Math.log2(1 + most));
      context.fillRect(
        LABEL_WIDTH + column * cell,
        y + LANE_HEIGHT - height,
        Math.max(1, cell - (cell > 3 ? 1 : 0)),
        height,
      );
    }
  }
  if (toX(now) >= LABEL_WIDTH && toX(now) <= width) {
    context.fillStyle = colours.cursor;
    context.fillRect(toX(now) - 1, 0, 2, PICTURE_HEIGHT);
    context.beginPath();
    context.moveTo(toX(now) - 5, 0);
    context.lineTo(toX(now) + 5, 0);
    context.lineTo(toX(now), 7);
    context.fill();
  }
}
