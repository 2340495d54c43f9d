/** Invariants that several races share. */
import type { Program } from "./code.ts";
import type { DeviceActor } from "./device-actor.ts";
import type { Invariant } from "./race.ts";
import type { World } from "./world.ts";

/** A write of a guest program: instruction `index` of vCPU `vcpu` stores `value` at `address`. */
export interface ExpectedWrite {
  readonly vcpu: number;
  readonly index: number;
  readonly address: number;
  readonly value: number;
  /** Bytes: 4 unless given. */
  readonly size?: 1 | 2 | 4;
}

/** What RAM of the guest holds there. */
export function ramValue(world: World, address: number, size: 1 | 2 | 4 = 4): number {
  const { view } = world.core;
  const at = world.guestAddress(address);
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

/**
 * I-5 of spec 03: every write that has retired reached the device model or RAM, and exactly one of them, once. The addresses must
 * differ and the RAM there must be 0 at first.
 */
export function everyWriteOnce(
  world: World,
  programs: readonly Program[],
  devices: readonly DeviceActor[],
  writes: readonly ExpectedWrite[],
): Invariant {
  function times(write: ExpectedWrite): number {
    const inRam = ramValue(world, write.address, write.size) === write.value ? 1 : 0;
    return devices.reduce(
      (sum, device) => sum + device.log().filter((w) => w.address === write.address && w.data === write.value).length,
      inRam,
    );
  }
  return {
    name: "every-write-once",
    text: "a write that the guest has made reaches the device model or RAM, exactly one of them, exactly once",
    always() {
      for (const write of writes) {
        const count = times(write);
        const hasRetired = world.rip(write.vcpu) >= programs[write.vcpu]!.retiredAt[write.index]!;
        const what = `the guest's write of ${write.value} to 0x${write.address.toString(16)}`;
        if (hasRetired && count === 0) return `${what} is lost: neither the device model nor RAM has it`;
        if (count > 1) return `${what} arrived ${count} times`;
      }
      return undefined;
    },
  };
}
