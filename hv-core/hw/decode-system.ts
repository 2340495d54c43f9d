/**
 * Records of system instructions: OP_SYSTEM with a SYS_* (hw/exec-system.ts). Each ends its block, because it may change
 * anything: mode, translations, the interrupt flag, code.
 */
import { SEG_CS } from "../abi/cpu";
import { Decoder } from "./decode";
import { Emit } from "./decode-emit";
import {
  SYS_CALL_FAR,
  SYS_CALL_FAR_RM,
  SYS_CLI,
  SYS_CLTS,
  SYS_CPUID,
  SYS_HLT,
  SYS_IN,
  SYS_INS,
  SYS_INT,
  SYS_INT1,
  SYS_INT3,
  SYS_INTO,
  SYS_INVD,
  SYS_INVLPG,
  SYS_IRET,
  SYS_JMP_FAR,
  SYS_JMP_FAR_RM,
  SYS_LGDT,
  SYS_LIDT,
  SYS_LLDT,
  SYS_LMSW,
  SYS_LTR,
  SYS_MOV_FROM_CR,
  SYS_MOV_FROM_DR,
  SYS_MOV_FROM_SEG,
  SYS_MOV_TO_CR,
  SYS_MOV_TO_DR,
  SYS_MOV_TO_SEG,
  SYS_OUT,
  SYS_OUTS,
  SYS_POP_SEG,
  SYS_POPF,
  SYS_PUSHF,
  SYS_RDMSR,
  SYS_RDPMC,
  SYS_RDTSC,
  SYS_RET_FAR,
  SYS_SGDT,
  SYS_SIDT,
  SYS_SLDT,
  SYS_SMSW,
  SYS_STI,
  SYS_STR,
  SYS_SWAPGS,
  SYS_SYSCALL,
  SYS_SYSENTER,
  SYS_SYSEXIT,
  SYS_SYSRET,
  SYS_VMCALL,
  SYS_WAIT,
  SYS_WBINVD,
  SYS_WRMSR,
  SYS_XSETBV,
} from "./exec-system";
import { OP_SYSTEM } from "./ops";
import { FORM_IMM, Rec } from "./record";

export class EmitSystem {
  private static put(d: Decoder, sub: i32): Rec {
    d.isLast = 1;
    return Emit.put(d, OP_SYSTEM, sub);
  }

  /** With an r/m operand in `d` and `s`. */
  private static putRm(d: Decoder, sub: i32): Rec {
    d.isLast = 1;
    return Emit.rmOnly(d, OP_SYSTEM, sub);
  }

  static popSegment(d: Decoder): void {
    EmitSystem.put(d, SYS_POP_SEG).d = <u8>((d.opcode >> 3) & 7);
  }

  static farIndirect(d: Decoder, extension: u32): void {
    if (d.isMemory == 0) d.invalid();
    else EmitSystem.put(d, extension == 3 ? SYS_CALL_FAR_RM : SYS_JMP_FAR_RM);
  }

  static instruction(d: Decoder): void {
    if (d.opcode >= 0x100) EmitSystem.twoByte(d);
    else EmitSystem.oneByte(d);
  }

  private static oneByte(d: Decoder): void {
    switch (d.opcode) {
      case 0x6c:
      case 0x6d:
        EmitSystem.stringPort(d, SYS_INS);
        break;
      case 0x6e:
      case 0x6f:
        EmitSystem.stringPort(d, SYS_OUTS);
        break;
      case 0x8c:
        if (d.extension > 5) d.invalid();
        else EmitSystem.putRm(d, SYS_MOV_FROM_SEG).s = <u8>d.extension;
        break;
      case 0x8e:
        if (d.extension > 5 || d.extension == <u32>SEG_CS) d.invalid();
        else {
          // The selector has 16 bits whatever the operand size says.
          d.size = 1;
          EmitSystem.putRm(d, SYS_MOV_TO_SEG).d = <u8>d.extension;
        }
        break;
      case 0x9a:
        EmitSystem.put(d, SYS_CALL_FAR);
        break;
      case 0xea:
        EmitSystem.put(d, SYS_JMP_FAR);
        break;
      case 0x9b:
        EmitSystem.put(d, SYS_WAIT);
        break;
      case 0x9c:
        EmitSystem.put(d, SYS_PUSHF);
        break;
      case 0x9d:
        EmitSystem.put(d, SYS_POPF);
        break;
      case 0xca:
      case 0xcb:
        EmitSystem.put(d, SYS_RET_FAR);
        break;
      case 0xcc:
        EmitSystem.put(d, SYS_INT3);
        break;
      case 0xcd:
        EmitSystem.put(d, SYS_INT);
        break;
      case 0xce:
        EmitSystem.put(d, SYS_INTO);
        break;
      case 0xcf:
        EmitSystem.put(d, SYS_IRET);
        break;
      case 0xe4:
      case 0xe5:
      case 0xec:
      case 0xed:
        EmitSystem.port(d, SYS_IN);
        break;
      case 0xe6:
      case 0xe7:
      case 0xee:
      case 0xef:
        EmitSystem.port(d, SYS_OUT);
        break;
      case 0xf1:
        EmitSystem.put(d, SYS_INT1);
        break;
      case 0xf4:
        EmitSystem.put(d, SYS_HLT);
        break;
      case 0xfa:
        EmitSystem.put(d, SYS_CLI);
        break;
      case 0xfb:
        EmitSystem.put(d, SYS_STI);
        break;
      default:
        d.invalid();
        break;
    }
  }

  private static twoByte(d: Decoder): void {
    switch (d.opcode & 0xff) {
      case 0x00:
        EmitSystem.group6(d);
        break;
      case 0x01:
        EmitSystem.group7(d);
        break;
      case 0x05:
        EmitSystem.put(d, SYS_SYSCALL);
        break;
      case 0x06:
        EmitSystem.put(d, SYS_CLTS);
        break;
      case 0x07:
        EmitSystem.put(d, SYS_SYSRET);
        break;
      case 0x08:
        EmitSystem.put(d, SYS_INVD);
        break;
      case 0x09:
        EmitSystem.put(d, SYS_WBINVD);
        break;
      case 0x20:
        EmitSystem.controlRegister(d, SYS_MOV_FROM_CR);
        break;
      case 0x21:
        EmitSystem.controlRegister(d, SYS_MOV_FROM_DR);
        break;
      case 0x22:
        EmitSystem.controlRegister(d, SYS_MOV_TO_CR);
        break;
      case 0x23:
        EmitSystem.controlRegister(d, SYS_MOV_TO_DR);
        break;
      case 0x30:
        EmitSystem.put(d, SYS_WRMSR);
        break;
      case 0x31:
        EmitSystem.put(d, SYS_RDTSC);
        break;
      case 0x32:
        EmitSystem.put(d, SYS_RDMSR);
        break;
      case 0x33:
        EmitSystem.put(d, SYS_RDPMC);
        break;
      case 0x34:
        EmitSystem.put(d, SYS_SYSENTER);
        break;
      case 0x35:
        EmitSystem.put(d, SYS_SYSEXIT);
        break;
      case 0xa2:
        EmitSystem.put(d, SYS_CPUID);
        break;
      default:
        d.invalid();
        break;
    }
  }

  /** SLDT STR LLDT LTR; VERR and VERW are not there yet. */
  private static group6(d: Decoder): void {
    const extension = d.extension;
    if (extension > 3) {
      d.invalid();
      return;
    }
    if (extension >= 2) d.size = 1;
    const sub = extension == 0 ? SYS_SLDT : extension == 1 ? SYS_STR : extension == 2 ? SYS_LLDT : SYS_LTR;
    EmitSystem.putRm(d, sub);
  }

  private static group7(d: Decoder): void {
    const extension = d.extension;
    if (extension == 4) EmitSystem.putRm(d, SYS_SMSW);
    else if (extension == 6) {
      d.size = 1;
      EmitSystem.putRm(d, SYS_LMSW);
    } else if (d.isMemory != 0) {
      if (extension == 0) EmitSystem.put(d, SYS_SGDT);
      else if (extension == 1) EmitSystem.put(d, SYS_SIDT);
      else if (extension == 2) EmitSystem.put(d, SYS_LGDT);
      else if (extension == 3) EmitSystem.put(d, SYS_LIDT);
      else if (extension == 7) EmitSystem.put(d, SYS_INVLPG);
      else d.invalid();
    } else if (d.modrm == 0xc1 || d.modrm == 0xd9) EmitSystem.put(d, SYS_VMCALL);
    // Undefined, as CR4.OSXSAVE cannot be set; builds with variants leave it to the hypervisor (exits/on-xsetbv.ts).
    else if (isDefined(VARIANTS) && d.modrm == 0xd1) EmitSystem.put(d, SYS_XSETBV);
    else if (d.modrm == 0xf8 && d.is64) EmitSystem.put(d, SYS_SWAPGS);
    else d.invalid();
  }

  /** Always 64 bits in 64-bit mode and 32 otherwise; the mod field is ignored. */
  private static controlRegister(d: Decoder, sub: i32): void {
    d.size = d.is64 ? 3 : 2;
    const r = EmitSystem.putRm(d, sub);
    r.s = <u8>d.reg;
  }

  /** Port in the immediate byte (FORM_IMM) or in DX; there is no 64-bit form. */
  private static port(d: Decoder, sub: i32): void {
    if (d.size == 3) d.size = 2;
    d.immediate &= 0xff;
    const r = EmitSystem.put(d, sub);
    if (d.opcode < 0xe8) r.form |= <u16>FORM_IMM;
  }

  private static stringPort(d: Decoder, sub: i32): void {
    if (d.opcode & 1) {
      if (d.size == 3) d.size = 2;
    } else d.size = 0;
    const addressSize = d.addressSize;
    d.sourceSegment();
    const r = EmitSystem.put(d, sub);
    r.d = <u8>addressSize;
    r.imm = d.rep != 0 ? 1 : 0;
  }
}
