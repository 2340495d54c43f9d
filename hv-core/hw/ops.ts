/**
 * Operations of decoded records (hw/record.ts): what the decoder chooses and the executor's switch runs. Dense, so that the switch
 * becomes a br_table.
 *
 * Names: operation, size, operands: R register, I immediate, M memory as source (or only) operand; _B = base + displacement only.
 */

// Not instructions.
export const OP_STALE: i32 = 0;
export const OP_END: i32 = 1;
export const OP_EA: i32 = 2;
export const OP_RAISE: i32 = 3;

// Families: everything that is not specialised below; FORM_* and Rec.sub say which operation.
export const OP_ALU: i32 = 4;
export const OP_UNARY: i32 = 5;
export const OP_SHIFT: i32 = 6;
export const OP_DOUBLE_SHIFT: i32 = 7;
export const OP_MUL_DIV: i32 = 8;
export const OP_BIT: i32 = 9;
export const OP_SCAN: i32 = 10;
export const OP_MOVE: i32 = 11;
export const OP_EXTEND: i32 = 12;
export const OP_CMOV: i32 = 13;
export const OP_SETCC: i32 = 14;
export const OP_STACK: i32 = 15;
export const OP_STRING: i32 = 16;
export const OP_FLAG: i32 = 17;
export const OP_ATOMIC: i32 = 18;
export const OP_DECIMAL: i32 = 19;
export const OP_LEA_SHORT: i32 = 20;
export const OP_SYSTEM: i32 = 21;
export const OP_CONTROL: i32 = 22;
export const OP_NOP: i32 = 23;

// Jumps: end a block.
export const OP_JO: i32 = 24;
export const OP_JNO: i32 = 25;
export const OP_JB: i32 = 26;
export const OP_JAE: i32 = 27;
export const OP_JE: i32 = 28;
export const OP_JNE: i32 = 29;
export const OP_JBE: i32 = 30;
export const OP_JA: i32 = 31;
export const OP_JS: i32 = 32;
export const OP_JNS: i32 = 33;
export const OP_JP: i32 = 34;
export const OP_JNP: i32 = 35;
export const OP_JL: i32 = 36;
export const OP_JGE: i32 = 37;
export const OP_JLE: i32 = 38;
export const OP_JG: i32 = 39;
export const OP_JMP: i32 = 40;
export const OP_LOOP: i32 = 41;
export const OP_CALL64: i32 = 42;
export const OP_CALL32: i32 = 43;
export const OP_RET64: i32 = 44;
export const OP_RET32: i32 = 45;
export const OP_JMP_R: i32 = 46;
export const OP_CALL64_R: i32 = 47;
export const OP_CALL32_R: i32 = 48;

// Stack, specialised for a 64-bit and a flat 32-bit stack.
export const OP_PUSH64_R: i32 = 49;
export const OP_PUSH32_R: i32 = 50;
export const OP_PUSH64_I: i32 = 51;
export const OP_PUSH32_I: i32 = 52;
export const OP_POP64_R: i32 = 53;
export const OP_POP32_R: i32 = 54;

// Moves.
export const OP_MOV32_RR: i32 = 55;
export const OP_MOV64_RR: i32 = 56;
export const OP_MOV_RI: i32 = 57;
export const OP_LOAD8: i32 = 58;
export const OP_LOAD32: i32 = 59;
export const OP_LOAD64: i32 = 60;
export const OP_LOAD32_B: i32 = 61;
export const OP_LOAD64_B: i32 = 62;
export const OP_STORE8: i32 = 63;
export const OP_STORE16: i32 = 64;
export const OP_STORE32: i32 = 65;
export const OP_STORE64: i32 = 66;
export const OP_STORE32_B: i32 = 67;
export const OP_STORE64_B: i32 = 68;
export const OP_STORE8_I: i32 = 69;
export const OP_STORE16_I: i32 = 70;
export const OP_STORE32_I: i32 = 71;
export const OP_STORE64_I: i32 = 72;
export const OP_ZX8_R: i32 = 73;
export const OP_ZX8_M: i32 = 74;
export const OP_ZX16_R: i32 = 75;
export const OP_ZX16_M: i32 = 76;
export const OP_SX8_32_R: i32 = 77;
export const OP_SX8_32_M: i32 = 78;
export const OP_SX16_32_R: i32 = 79;
export const OP_SX16_32_M: i32 = 80;
export const OP_SX8_64_R: i32 = 81;
export const OP_SX8_64_M: i32 = 82;
export const OP_SX16_64_R: i32 = 83;
export const OP_SX16_64_M: i32 = 84;
export const OP_SX32_64_R: i32 = 85;
export const OP_SX32_64_M: i32 = 86;
export const OP_LEA32: i32 = 87;
export const OP_LEA64: i32 = 88;

// Arithmetic: seven operations with six forms each; the decoder counts on this order.
export const OP_ADD32_RR: i32 = 89;
export const OP_ADD64_RR: i32 = 90;
export const OP_ADD32_RI: i32 = 91;
export const OP_ADD64_RI: i32 = 92;
export const OP_ADD32_RM: i32 = 93;
export const OP_ADD64_RM: i32 = 94;
export const OP_OR32_RR: i32 = 95;
export const OP_OR64_RR: i32 = 96;
export const OP_OR32_RI: i32 = 97;
export const OP_OR64_RI: i32 = 98;
export const OP_OR32_RM: i32 = 99;
export const OP_OR64_RM: i32 = 100;
export const OP_AND32_RR: i32 = 101;
export const OP_AND64_RR: i32 = 102;
export const OP_AND32_RI: i32 = 103;
export const OP_AND64_RI: i32 = 104;
export const OP_AND32_RM: i32 = 105;
export const OP_AND64_RM: i32 = 106;
export const OP_SUB32_RR: i32 = 107;
export const OP_SUB64_RR: i32 = 108;
export const OP_SUB32_RI: i32 = 109;
export const OP_SUB64_RI: i32 = 110;
export const OP_SUB32_RM: i32 = 111;
export const OP_SUB64_RM: i32 = 112;
export const OP_XOR32_RR: i32 = 113;
export const OP_XOR64_RR: i32 = 114;
export const OP_XOR32_RI: i32 = 115;
export const OP_XOR64_RI: i32 = 116;
export const OP_XOR32_RM: i32 = 117;
export const OP_XOR64_RM: i32 = 118;
export const OP_CMP32_RR: i32 = 119;
export const OP_CMP64_RR: i32 = 120;
export const OP_CMP32_RI: i32 = 121;
export const OP_CMP64_RI: i32 = 122;
export const OP_CMP32_RM: i32 = 123;
export const OP_CMP64_RM: i32 = 124;
export const OP_TEST32_RR: i32 = 125;
export const OP_TEST64_RR: i32 = 126;
export const OP_TEST32_RI: i32 = 127;
export const OP_TEST64_RI: i32 = 128;
export const OP_TEST32_RM: i32 = 129;
export const OP_TEST64_RM: i32 = 130;

// More arithmetic.
export const OP_CMP8_RR: i32 = 131;
export const OP_CMP8_RI: i32 = 132;
export const OP_CMP8_RM: i32 = 133;
export const OP_CMP8_MI: i32 = 134;
export const OP_TEST8_RR: i32 = 135;
export const OP_TEST8_RI: i32 = 136;
export const OP_CMP32_MI: i32 = 137;
export const OP_CMP64_MI: i32 = 138;
export const OP_CMP32_MR: i32 = 139;
export const OP_CMP64_MR: i32 = 140;
export const OP_INC32: i32 = 141;
export const OP_INC64: i32 = 142;
export const OP_DEC32: i32 = 143;
export const OP_DEC64: i32 = 144;
export const OP_SHL32_I: i32 = 145;
export const OP_SHL64_I: i32 = 146;
export const OP_SHR32_I: i32 = 147;
export const OP_SHR64_I: i32 = 148;
export const OP_SAR32_I: i32 = 149;
export const OP_SAR64_I: i32 = 150;
export const OP_IMUL32_RR: i32 = 151;
export const OP_IMUL64_RR: i32 = 152;

// The same without flags, where nobody can see them (hw/decode-quiet.ts, which counts on this order).
export const OP_ADD32_RR_QUIET: i32 = 153;
export const OP_ADD64_RR_QUIET: i32 = 154;
export const OP_ADD32_RI_QUIET: i32 = 155;
export const OP_ADD64_RI_QUIET: i32 = 156;
export const OP_OR32_RR_QUIET: i32 = 157;
export const OP_OR64_RR_QUIET: i32 = 158;
export const OP_OR32_RI_QUIET: i32 = 159;
export const OP_OR64_RI_QUIET: i32 = 160;
export const OP_AND32_RR_QUIET: i32 = 161;
export const OP_AND64_RR_QUIET: i32 = 162;
export const OP_AND32_RI_QUIET: i32 = 163;
export const OP_AND64_RI_QUIET: i32 = 164;
export const OP_SUB32_RR_QUIET: i32 = 165;
export const OP_SUB64_RR_QUIET: i32 = 166;
export const OP_SUB32_RI_QUIET: i32 = 167;
export const OP_SUB64_RI_QUIET: i32 = 168;
export const OP_XOR32_RR_QUIET: i32 = 169;
export const OP_XOR64_RR_QUIET: i32 = 170;
export const OP_XOR32_RI_QUIET: i32 = 171;
export const OP_XOR64_RI_QUIET: i32 = 172;
export const OP_SHL32_I_QUIET: i32 = 173;
export const OP_SHL64_I_QUIET: i32 = 174;
export const OP_SHR32_I_QUIET: i32 = 175;
export const OP_SHR64_I_QUIET: i32 = 176;
export const OP_SAR32_I_QUIET: i32 = 177;
export const OP_SAR64_I_QUIET: i32 = 178;

export const NR_OPS: i32 = 179;

/** Forms of the seven arithmetic operations, added to OP_ADD32_RR + 6 * operation. */
export const ALU_FORMS: i32 = 6;
export const ALU_RR32: i32 = 0;
export const ALU_RR64: i32 = 1;
export const ALU_RI32: i32 = 2;
export const ALU_RI64: i32 = 3;
export const ALU_RM32: i32 = 4;
export const ALU_RM64: i32 = 5;
