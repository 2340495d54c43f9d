/** Builds of the core, fetched and compiled once. The race build is fetched only by those who explore. */
import raceUrl from "../../../build/race.wasm?url";
import releaseUrl from "../../../build/release.wasm?url";

const URLS = { release: releaseUrl, race: raceUrl } as const;
const modules = new Map<string, Promise<WebAssembly.Module>>();

/** @throws Error with what to do, when the server does not give the file. */
export function compileBuild(name: keyof typeof URLS): Promise<WebAssembly.Module> {
  let module = modules.get(name);
  if (!module) {
    module = fetchModule(name);
    module.catch(() => modules.delete(name)); // the next attempt asks again
    modules.set(name, module);
  }
  return module;
}

/** The bytes of a build: schedules are signed with their hash. */
export async function buildBytes(name: keyof typeof URLS): Promise<ArrayBuffer> {
  const response = await fetch(URLS[name]);
  if (!response.ok)
    throw new Error(`the server has no ${name}.wasm (${response.status}): copy the whole folder, with its assets`);
  return response.arrayBuffer();
}

// Not compileStreaming: it insists on a content type that plain servers do not know.
const fetchModule = async (name: keyof typeof URLS): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await buildBytes(name));
