/** Debian's Chromium, and dist/lab behind the plainest of web servers: what a page needs to be opened as a visitor would. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { ROOT } from "../../host/node/paths.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export const LAB = join(ROOT, "dist", "lab");
const executable = process.env.VMEXIT_CHROMIUM ?? PLACES.find((place) => existsSync(place));

/** A sentence when browser tests cannot run here, undefined when they can. */
export const whyNot: string | undefined = !executable
  ? "no Chromium here: browser tests are skipped (Debian: apt install chromium)"
  : !existsSync(join(LAB, "index.html"))
    ? 'no dist/lab: browser tests are skipped ("npm run build" makes it)'
    : undefined;
if (whyNot) console.warn(whyNot);

/** As any web server: files by their paths, nothing else. No type for .wasm, as on old servers. */
function serve(folder: string, served: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = normalize(join(folder, path.endsWith("/") ? `${path}index.html` : path));
    if (!file.startsWith(folder + sep) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    served.push(file);
    const type = TYPES[extname(file)];
    response.writeHead(200, type ? { "content-type": type } : {}).end(readFileSync(file));
  });
  return new Promise((resolve) => void server.listen(0, "127.0.0.1", () => resolve(server)));
}

export interface Lab extends AsyncDisposable {
  readonly browser: Browser;
  /** Files that were asked for, by the page and by its workers. */
  readonly served: readonly string[];
  /** Address of the folder, with a slash at its end. */
  readonly address: string;
  /** A page that keeps what went wrong in it. @param before runs in it before anything of its own. */
  open(hash: string, options?: BrowserContextOptions, before?: () => void): Promise<OpenPage>;
}

export interface OpenPage {
  readonly page: Page;
  /** Errors of the console, exceptions, requests that failed. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const served: string[] = [];
  const server = await serve(LAB, served);
  const browser = await chromium.launch({ executablePath: executable!, args: ARGUMENTS });
  const address = `http://localhost:${(server.address() as AddressInfo).port}/`;
  return {
    browser,
    address,
    served,
    async open(hash, options = {}, before = undefined) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(90_000); // two cores, and other tests beside this one
      const errors: string[] = [];
      page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
      if (before) await page.addInitScript(before);
      await page.goto(`${address}${hash}`);
      return { page, errors, close: () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until the machine of the page stands still, and says where. */
export async function standing(page: Page): Promise<{ readonly at: number; readonly phase: string }> {
  const handle = await page.waitForFunction(
    () => {
      const machine = document.querySelector("vx-app")?.shadowRoot?.querySelector("vx-machine-page");
      const controller = (machine as unknown as { controller?: { phase: string; at: number } } | null)?.controller;
      const isStill = controller && !["empty", "loading", "running", "busy"].includes(controller.phase);
      return isStill ? { at: controller.at, phase: controller.phase } : false;
    },
    undefined,
    { timeout: 60_000 },
  );
  return (await handle.jsonValue()) as { at: number; phase: string };
}
