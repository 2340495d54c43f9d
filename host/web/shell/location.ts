/** The part of the address behind "#": `#/machine?guest=mmio`, `#/race/ioreq-unmap-window?variant=fixed`. Pure text, no DOM. */

export interface Place {
  /** First segment: the route's name; "" for the bare page. */
  readonly route: string;
  /** What follows it, decoded: the race's or the lesson's name. "" when there is none. */
  readonly name: string;
  readonly query: URLSearchParams;
}

/** A segment that cannot be decoded stays as it was written: the route will say that it knows no such name. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function parsePlace(hash: string): Place {
  const text = hash.replace(/^#/, "");
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  const [route = "", ...rest] = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decode);
  return { route, name: rest.join("/"), query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)) };
}

/** The other direction. Characters that need no escape in a fragment stay readable: people see this in the address bar. */
export function formatPlace(route: string, name = "", query: URLSearchParams = new URLSearchParams()): string {
  const path = [route, ...name.split("/")].filter((segment) => segment !== "").map(encodeURIComponent);
  const text = query
    .toString()
    .replaceAll("%3D", "=")
    .replaceAll("%2C", ",")
    .replaceAll("%3A", ":")
    .replaceAll("%2F", "/");
  return `#/${path.join("/")}${text === "" ? "" : `?${text}`}`;
}
