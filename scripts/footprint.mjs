/**
 * Turns build/race.raw.wasm into build/race-footprint.wasm: the race build in which every load and store of linear memory calls
 * `env.access` first (docs/explorer.md, "Footprints") between recordAccesses(1) and recordAccesses(0). In code of the hypervisor that
 * call is a suspension point too. build/race-footprint.json says in which function each access stands and whether it may suspend.
 *
 * flatten comes first: then a store is announced when its value is known, directly before the store itself.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

const layout = readFileSync("hv-core/abi/layout.ts", "utf8");
const constant = (name) => Number(new RegExp(`export const ${name} = (\\S+);`).exec(layout)[1].replaceAll("_", ""));

const f = binaryen.Features;
const FEATURES = f.BulkMemory | f.BulkMemoryOpt | f.SignExt | f.NontrappingFPToInt | f.MutableGlobals | f.SIMD128;
const FLAGS = [
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-sign-ext",
  "--enable-nontrapping-float-to-int",
  "--enable-mutable-globals",
  "--enable-simd",
  "-g",
];

/** What the instrumentation calls, as WebAssembly itself: outside of recording it costs a call. */
const recorder = `(module
  (import "env" "access" (func $access (param i32 i32 i32)))
  (global $isRecording (mut i32) (i32.const 0))
  (func (export "recordAccesses") (param i32) (global.set $isRecording (local.get 0)))
  (func $note (param $id i32) (param $at i32) (param $size i32)
    (if (i32.eqz (global.get $isRecording)) (then (return)))
    (if (i32.lt_u (local.get $at) (i32.const ${constant("MACHINE_BASE")})) (then (return)))
    (if (i32.lt_u (i32.sub (local.get $at) (i32.const ${constant("CONTINUATIONS_BASE")}))
                  (i32.const ${constant("FRAME_TABLE_BASE") - constant("CONTINUATIONS_BASE")})) (then (return)))
    (if (i32.lt_u (i32.sub (local.get $at) (i32.const ${constant("DERIVED_BASE")}))
                  (i32.const ${constant("MAILBOX_BASE") + constant("MAILBOX_SIZE") - constant("DERIVED_BASE")})) (then (return)))
    (call $access (local.get $id) (local.get $at) (local.get $size)))
  (func (export "load_ptr") (param $id i32) (param $bytes i32) (param $offset i32) (param $ptr i32) (result i32)
    (call $note (local.get $id) (i32.add (local.get $ptr) (local.get $offset)) (local.get $bytes))
    (local.get $ptr))
  (func (export "store_ptr") (param $id i32) (param $bytes i32) (param $offset i32) (param $ptr i32) (result i32)
    (call $note (local.get $id) (i32.add (local.get $ptr) (local.get $offset)) (i32.or (local.get $bytes) (i32.const 256)))
    (local.get $ptr))
  ${["load", "store"]
    .flatMap((kind) => ["i32", "i64", "f32", "f64"].map((type) => [`${kind}_val_${type}`, type]))
    .map(([name, type]) => `(func (export "${name}") (param i32 ${type}) (result ${type}) (local.get 1))`)
    .join("\n  ")}
  (func (export "memory_grow_pre") (param i32 i32) (result i32) (local.get 1))
  (func (export "memory_grow_post") (param i32 i32) (result i32) (local.get 1))
)`;

function instrumented() {
  const module = binaryen.readBinary(readFileSync("build/race.raw.wasm"));
  module.setFeatures(FEATURES);
  module.runPasses(["llvm-memory-copy-fill-lowering", "flatten", "instrument-memory"]);
  return module;
}

/** For each function its callees and the numbers of its accesses, from the text of the instrumented module. */
function survey(text) {
  const functions = [];
  for (const part of text.split(/\n \(func \$/).slice(1)) {
    const name = /^"?([^\s"()]+)/.exec(part)[1];
    const calls = new Set([...part.matchAll(/\(call \$"?([^\s"()]+)/g)].map((m) => m[1]));
    const accesses = [...part.matchAll(/\(call \$(?:load|store)_ptr\s+\(i32\.const (\d+)\)/g)].map((m) => Number(m[1]));
    functions.push({ name, calls, accesses });
  }
  return functions;
}

/** Everything that the silicon calls: another processor never comes in between there. */
function silicon(functions) {
  const byName = new Map(functions.map((fn) => [fn.name, fn]));
  const found = new Set();
  const work = functions.filter((fn) => fn.name.includes("hv-core/hw/")).map((fn) => fn.name);
  for (let name = work.pop(); name !== undefined; name = work.pop()) {
    if (found.has(name) || !byName.has(name)) continue;
    found.add(name);
    work.push(...byName.get(name).calls);
  }
  return found;
}

binaryen.setDebugInfo(true);
/**
 * Not split: locks, the allocator and reference counts (Xen: under heap_lock, by cmpxchg), and what belongs to no processor. A function
 * that the compiler put into its caller counts as the caller.
 */
const IS_ATOMIC = /hv-core\/(base|mem|run\/(explore|state-hash|snapshot|inspect|extents))\//;

/**
 * Hashing looks at everything and belongs to no actor: it stays as it was. So does the check of the lock order: it looks at many lock
 * words, but only whether the processor itself holds them, which nobody else can change.
 */
function withoutHashing(text) {
  const parts = text.split(/\n(?= \(func \$)/);
  const quieted = parts.map((part) =>
    /^ \(func \$"?hv-core\/(run\/(state-hash|extents)|base\/lock-order)\//.test(part)
      ? part
          .replaceAll(/\(call \$(?:load|store)_ptr(?:\s+\(i32\.const -?\d+\)){3}\s+(\([^()]*\))\s*\)/g, "$1")
          .replaceAll(
            /\(call \$(?:load|store)_val_\w+\s+\(i32\.const -?\d+\)\s+(\((?:[^()]|\([^()]*\))*\))\s*\)/g,
            "$1",
          )
      : part,
  );
  return quieted.join("\n");
}

const text = withoutHashing(instrumented().emitText());
const first = binaryen.parseText(text);
first.setFeatures(FEATURES);
const functions = survey(text);
writeFileSync("build/footprint.1.wasm", first.emitBinary());
writeFileSync("build/footprint.2.wasm", binaryen.parseText(recorder).emitBinary());
const merge = "node_modules/binaryen/bin/wasm-merge";
execFileSync(process.execPath, [
  merge,
  ...FLAGS,
  ...["build/footprint.1.wasm", "core", "build/footprint.2.wasm", "env", "-o", "build/footprint.3.wasm"],
]);

const quiet = silicon(functions);
const module = binaryen.readBinary(readFileSync("build/footprint.3.wasm"));
module.setFeatures(FEATURES);
binaryen.setPassArgument("asyncify-imports", "env.suspend,env.access");
binaryen.setPassArgument("asyncify-ignore-indirect", "1");
binaryen.setPassArgument("asyncify-removelist", [...quiet].join(","));
binaryen.setOptimizeLevel(1);
module.runPasses(["asyncify"]);
module.optimize();
writeFileSync("build/race-footprint.wasm", module.emitBinary());

const names = functions.map((fn) => fn.name.replace(/^hv-core\//, ""));
const functionOf = [];
functions.forEach((fn, index) => {
  for (const id of fn.accesses) functionOf[id] = index;
});
const mayswitch = functions.map((fn) => (quiet.has(fn.name) || IS_ATOMIC.test(fn.name) ? 0 : 1));
if (functionOf.length < 1000 || !mayswitch.includes(1) || !mayswitch.includes(0)) {
  console.error("footprint: no access was instrumented");
  process.exit(1);
}
const table = { names, mayswitch, functionOf: Array.from(functionOf, (n) => n ?? -1) };
writeFileSync("build/race-footprint.json", JSON.stringify(table));
for (const n of [1, 2, 3]) rmSync(`build/footprint.${n}.wasm`);
