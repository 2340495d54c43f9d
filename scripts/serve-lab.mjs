/**
 * Serves dist/lab/ and prints its address; opens it when there is a desktop to open it on.
 *
 *   node scripts/serve-lab.mjs [--port N] [--no-open]
 *
 * Any other web server does as well: the page needs no special headers.
 */
import { spawn } from "node:child_process";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../dist/lab", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** The file of a request, undefined when there is none: nothing outside the folder is served. */
function fileOf(url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return undefined;
  }
  const file = normalize(join(ROOT, path.endsWith("/") ? `${path}index.html` : path));
  return file.startsWith(ROOT + sep) && existsSync(file) && statSync(file).isFile() ? file : undefined;
}

function portOf(args) {
  const at = args.indexOf("--port");
  if (at < 0) return 8017;
  const port = Number(args[at + 1]);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  console.error(`--port "${args[at + 1] ?? ""}" is not a port: write for instance --port 8080`);
  process.exit(2);
}

function open(address) {
  const isDesktop = process.platform === "darwin" || process.platform === "win32" || process.env.DISPLAY;
  if (!process.stdout.isTTY || !isDesktop || process.argv.includes("--no-open")) return;
  const command = { darwin: "open", win32: "explorer" }[process.platform] ?? "xdg-open";
  spawn(command, [address], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref();
}

if (!existsSync(join(ROOT, "index.html"))) {
  console.error('dist/lab/index.html is missing: run "npm run lab"');
  process.exit(1);
}
const server = createServer((request, response) => {
  const file = fileOf(request.url ?? "/");
  if (!file) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
const port = portOf(process.argv);
server.on("error", (error) => {
  const isTaken = error.code === "EADDRINUSE";
  console.error(isTaken ? `port ${port} is taken: choose another with --port N` : String(error));
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  const address = `http://localhost:${server.address().port}/`;
  console.log(`The lab is at ${address} (Ctrl-C ends it)`);
  open(address);
});
