/**
 * A module that the engine has not seen: it keeps compiled code by the module's bytes, so a custom section that nobody reads makes it
 * compile again, to another place. Otherwise the luck of one placement would look like a property of the code.
 */
let count = 0;

export function compileAnew(build: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  count++;
  const name = "copy";
  const section = [0, name.length + 5, name.length, ...new TextEncoder().encode(name)];
  const number = [count & 0xff, (count >> 8) & 0xff, (count >> 16) & 0xff, (count >> 24) & 0xff];
  const bytes = new Uint8Array(build.length + section.length + number.length);
  bytes.set(build);
  bytes.set([...section, ...number], build.length);
  return new WebAssembly.Module(bytes);
}
