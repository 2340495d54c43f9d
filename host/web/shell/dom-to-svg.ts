/**
 * Writes what an element shows as one SVG: boxes with their backgrounds and borders, text where it stands, pictures as they are. All of the
 * element, also what is scrolled away; nothing that is hidden.
 */
export interface SvgPicture {
  readonly text: string;
  readonly width: number;
  readonly height: number;
}

interface Origin {
  readonly left: number;
  readonly top: number;
}

const MARGIN = 16;
const NOT_SHOWN = new Set(["STYLE", "SCRIPT", "TEMPLATE", "OPTION", "TITLE"]);
/** What an SVG inside the page takes from style sheets, written on the copy. */
const SVG_STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-opacity",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const round = (n: number): number => Math.round(n * 100) / 100;

/** Children as they are shown: a shadow root's, or what a slot was given. */
function shownChildren(node: Element): Iterable<Node> {
  if (node.shadowRoot) return node.shadowRoot.childNodes;
  return node instanceof HTMLSlotElement && node.assignedNodes().length > 0 ? node.assignedNodes() : node.childNodes;
}

function box(element: Element, style: CSSStyleDeclaration, origin: Origin): string {
  const r = element.getBoundingClientRect();
  const [x, y] = [round(r.left - origin.left), round(r.top - origin.top)];
  const parts: string[] = [];
  const isVisible = (colour: string): boolean => !/^(transparent|rgba\(.*, 0\))$/.test(colour);
  const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, r.height / 2);
  if (isVisible(style.backgroundColor))
    parts.push(
      `<rect x="${x}" y="${y}" width="${round(r.width)}" height="${round(r.height)}" rx="${radius}" fill="${style.backgroundColor}"/>`,
    );
  const widths = (["Top", "Right", "Bottom", "Left"] as const).map((side) => ({
    width: style[`border${side}Style`] === "none" ? 0 : Number.parseFloat(style[`border${side}Width`]),
    colour: style[`border${side}Color`],
  }));
  const [top, right, bottom, left] = widths as [
    (typeof widths)[0],
    (typeof widths)[0],
    (typeof widths)[0],
    (typeof widths)[0],
  ];
  if (widths.every((b) => b.width > 0)) {
    const half = top.width / 2;
    parts.push(
      `<rect x="${x + half}" y="${y + half}" width="${round(r.width - top.width)}" height="${round(r.height - top.width)}" rx="${radius}" fill="none" stroke="${top.colour}" stroke-width="${top.width}"/>`,
    );
  } else {
    const line = (b: typeof top, path: string): void => {
      if (b.width > 0 && isVisible(b.colour))
        parts.push(`<path d="${path}" stroke="${b.colour}" stroke-width="${b.width}" fill="none"/>`);
    };
    line(top, `M${x} ${y + top.width / 2}h${round(r.width)}`);
    line(bottom, `M${x} ${round(y + r.height - bottom.width / 2)}h${round(r.width)}`);
    line(left, `M${x + left.width / 2} ${y}v${round(r.height)}`);
    line(right, `M${round(x + r.width - right.width / 2)} ${y}v${round(r.height)}`);
  }
  return parts.join("");
}

const fontOf = (style: CSSStyleDeclaration): string =>
  `font-family="${escapeXml(style.fontFamily)}" font-size="${style.fontSize}" font-weight="${style.fontWeight}" fill="${style.color}"`;

/** Text line by line: a range's rectangles say where it was broken. */
function textLines(node: Text, style: CSSStyleDeclaration, origin: Origin): string {
  const content = node.data;
  if (content.trim() === "") return "";
  const range = document.createRange();
  const parts: string[] = [];
  let start = 0;
  let lineTop: number | undefined;
  const flush = (end: number): void => {
    range.setStart(node, start);
    range.setEnd(node, end);
    const r = range.getBoundingClientRect();
    const slice = content.slice(start, end);
    const words = style.whiteSpace.startsWith("pre") ? slice : slice.replace(/\s+/g, " ");
    if (words.trim() === "" || r.width === 0) return;
    const baseline = round(r.top - origin.top + r.height * 0.78);
    parts.push(
      `<text xml:space="preserve" x="${round(r.left - origin.left)}" y="${baseline}" textLength="${round(r.width)}" lengthAdjust="spacingAndGlyphs" ${fontOf(style)}>${escapeXml(words)}</text>`,
    );
  };
  for (let i = 0; i < content.length; i++) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const r = range.getClientRects()[0];
    if (!r || r.width === 0) continue;
    if (lineTop === undefined) {
      start = i;
      lineTop = r.top;
    } else if (Math.abs(r.top - lineTop) > 2) {
      flush(i);
      start = i;
      lineTop = r.top;
    }
  }
  if (lineTop !== undefined) flush(content.length);
  return parts.join("");
}

/** What a form control shows is no text of the document. */
function controlText(element: Element, style: CSSStyleDeclaration, origin: Origin): string {
  const words =
    element instanceof HTMLSelectElement
      ? (element.selectedOptions[0]?.text ?? "")
      : (element as HTMLInputElement).value;
  const r = element.getBoundingClientRect();
  const x = round(r.left - origin.left + (Number.parseFloat(style.paddingLeft) || 0));
  return `<text x="${x}" y="${round(r.top - origin.top + r.height * 0.66)}" ${fontOf(style)}>${escapeXml(words)}</text>`;
}

/** A copy with its styles written on it, at its place. */
function copySvg(element: SVGSVGElement, origin: Origin): string {
  const copy = element.cloneNode(true) as SVGSVGElement;
  const originals = [element, ...element.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll("*")];
  originals.forEach((from, i) => {
    const style = getComputedStyle(from);
    const to = copies[i]!;
    to.removeAttribute("style");
    for (const name of ["tabindex", "role", "class"]) to.removeAttribute(name);
    for (const name of SVG_STYLES) {
      const value = style.getPropertyValue(name);
      if (value !== "") to.setAttribute(name, value);
    }
  });
  const r = element.getBoundingClientRect();
  copy.setAttribute("x", String(round(r.left - origin.left)));
  copy.setAttribute("y", String(round(r.top - origin.top)));
  copy.setAttribute("width", String(round(r.width)));
  copy.setAttribute("height", String(round(r.height)));
  return new XMLSerializer().serializeToString(copy).replaceAll(/<!--.*?-->/g, "");
}

function draw(node: Node, origin: Origin): string {
  if (node instanceof Text) {
    const parent = node.parentElement ?? (node.getRootNode() as ShadowRoot).host;
    return textLines(node, getComputedStyle(parent), origin);
  }
  if (!(node instanceof Element) || NOT_SHOWN.has(node.nodeName)) return "";
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden" || style.clipPath.startsWith("inset(50%")) return "";
  if (node instanceof SVGSVGElement) return copySvg(node, origin);
  const frame = style.display === "contents" ? "" : box(node, style, origin);
  if (node instanceof HTMLCanvasElement) {
    const r = node.getBoundingClientRect();
    return `${frame}<image x="${round(r.left - origin.left)}" y="${round(r.top - origin.top)}" width="${round(r.width)}" height="${round(r.height)}" href="${node.toDataURL()}"/>`;
  }
  if (node instanceof HTMLSelectElement || node instanceof HTMLInputElement)
    return frame + controlText(node, style, origin);
  return frame + [...shownChildren(node)].map((child) => draw(child, origin)).join("");
}

export function elementToSvg(element: HTMLElement, title: string): SvgPicture {
  const r = element.getBoundingClientRect();
  const origin = { left: r.left - element.scrollLeft - MARGIN, top: r.top - element.scrollTop - MARGIN };
  const width = Math.ceil(element.scrollWidth + 2 * MARGIN);
  const height = Math.ceil(element.scrollHeight + 2 * MARGIN);
  const page = getComputedStyle(document.body).backgroundColor;
  const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><title>${escapeXml(title)}</title><rect width="100%" height="100%" fill="${page}"/>${[...shownChildren(element)].map((child) => draw(child, origin)).join("")}</svg>`;
  return { text, width, height };
}
