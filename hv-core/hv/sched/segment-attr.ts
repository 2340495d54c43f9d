/**
 * Two formats of a segment's attributes. Xen's interface: 12 bits, 3:0 type, 4 S, 6:5 DPL, 7 P, 8 AVL, 9 L, 10 D/B, 11 G.
 * The processor (hw/cpu.ts): VMX access rights, where the last four are bits 12 to 15 and bit 16 means unusable.
 */
const UNUSABLE: u32 = 0x1_0000;

export function attrFromSave(attr: u32): u32 {
  if (((attr >> 7) & 1) == 0) return UNUSABLE;
  return (attr & 0xff) | ((attr & 0xf00) << 4);
}

export function attrToSave(attr: u32): u32 {
  if ((attr & UNUSABLE) != 0) return 0;
  return (attr & 0xff) | ((attr >> 4) & 0xf00);
}
