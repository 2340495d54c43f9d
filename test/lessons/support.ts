/** What lessons' checks run on in tests: the builds of this checkout, its guests, its command line. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LessonTools } from "../../host/lib/lesson/stage.ts";
import { isGuestName, loadGuest } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const builds = new Map<string, WebAssembly.Module>();

/** @param command as a reader types it: vmexit run hello. */
function shell(command: string): { output: string; code: number } {
  const [program, ...args] = command.split(/\s+/);
  if (program !== "vmexit") throw new Error(`a lesson runs only vmexit, not ${program}`);
  const main = join(ROOT, "dist/host/cli/main.js");
  const done = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd: ROOT });
  return { output: done.stdout, code: done.status ?? -1 };
}

export const tools: Required<LessonTools> = {
  build(name) {
    const module = builds.get(name) ?? compileBuild(name);
    builds.set(name, module);
    return module;
  },
  async guest(name) {
    if (!isGuestName(name)) return undefined;
    const guest = await loadGuest(name);
    return { file: guest.build(), ...(guest.run ? { run: guest.run } : {}) };
  },
  async schedule(race, variant) {
    const file = join(ROOT, "host/lib/races", race, `${variant}.schedule`);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  },
  shell,
};
