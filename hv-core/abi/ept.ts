/**
 * EPT entries (SDM 3C, section 28.3.2; software bits: spec 01 section 1.3). Bit numbers: the 64-bit masks are derived
 * in hv-core/base/epte.ts and host/lib/epte.ts.
 *
 *   63   62..59  58  57..52   51..12  11   10      9 8  7    6     5..3  2 1 0
 *   sve  access  pw  p2m type  MFN    snp  recalc  D A  leaf iPAT  EMT   X W R
 */
export const EPTE_R_BIT = 0;
export const EPTE_W_BIT = 1;
export const EPTE_X_BIT = 2;
export const EPTE_EMT_SHIFT = 3;
export const EPTE_IPAT_BIT = 6;
export const EPTE_LEAF_BIT = 7;
export const EPTE_A_BIT = 8;
export const EPTE_D_BIT = 9;
export const EPTE_RECALC_BIT = 10;
export const EPTE_SNP_BIT = 11;
export const EPTE_MFN_SHIFT = 12;
export const EPTE_TYPE_SHIFT = 52;
export const EPTE_PW_BIT = 58;
export const EPTE_ACCESS_SHIFT = 59;
export const EPTE_SVE_BIT = 63;

/** Memory types (SDM 3A, table 12-2); 2, 3 and 7 are invalid in an EPT entry, 7 is how Xen invalidates one on purpose. */
export const EMT_UC = 0;
export const EMT_WC = 1;
export const EMT_WT = 4;
export const EMT_WP = 5;
export const EMT_WB = 6;
export const EMT_INVALID = 7;
