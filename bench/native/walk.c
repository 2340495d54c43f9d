/*
 * The EPT walk and the TLB hit of hv-core/hw/ept-walk.ts and hw/tlb.ts in C, on the same tables in the same layout:
 * the yardstick for what the detour through WebAssembly costs.
 *
 *   walk ept|tlb COUNT MASK SAMPLES                  prints seconds for COUNT translations of page numbers below MASK + 1, SAMPLES times
 *   walk pattern COUNT PAGES SAMPLES LEVEL STEP      walks of pages STEP apart, or random ones with STEP 0, with leaves of LEVEL
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MFN_MASK 0x000ffffffffff000ull
/* What software keeps in every entry: suppressed #VE, access rwx, type ram_rw; and the accessed bit. */
#define SOFTWARE 0xb800000000000100ull
#define TABLE_RESERVED 0xf8ull
#define LEAF_LEGAL 0x00bababa0000babaull
#define MISCONFIG (1ull << 63)
#define LARGE 0x800ull
#define TLB_ENTRIES 256
#define PAGE_BITS 0xfffffffffffff000ull

static uint8_t *frames;
static uint64_t frame_count;
static uint32_t next_frame = 1;
static uint32_t root;

static inline uint64_t entry_at(uint64_t table, uint64_t index8)
{
    return *(const uint64_t *)(frames + table + index8);
}

static __attribute__((noinline)) uint64_t walk_any(uint64_t gpa)
{
    if (gpa >> 48) return 0;
    uint64_t rights = 7, table = (uint64_t)root << 12, shift = 39, steps = 0;
    for (;;) {
        uint64_t e = entry_at(table, (gpa >> (shift - 3)) & 0xff8), so = steps << 8;
        rights &= e;
        if (!(e & 7)) return so;
        if ((e & 3) == 2) return so | MISCONFIG;
        int large = shift != 12 && (e & 0x80);
        if (shift == 12 || large) {
            if (shift == 39 || !((LEAF_LEGAL >> (e & 63)) & 1)) return so | MISCONFIG;
            if (!large) return (e & MFN_MASK) | so | rights;
            uint64_t offset = shift == 30 ? 0x3ffff000 : 0x1ff000;
            if (e & offset) return so | MISCONFIG;
            return (e & MFN_MASK) | so | rights | LARGE | (gpa & offset);
        }
        if ((e & 0x78) || (e & MFN_MASK) >> 12 >= frame_count) return so | MISCONFIG;
        table = e & MFN_MASK;
        shift -= 9;
        steps++;
    }
}

/** Ept.walk: pointers are only kept from leading out of the machine on the way down; all other rules are decided at the end. */
static inline uint64_t walk(uint64_t gpa)
{
    uint64_t limit = frame_count << 12;
    uint64_t e4 = entry_at((uint64_t)root << 12, (gpa >> 36) & 0xff8);
    uint64_t t3 = e4 & MFN_MASK;
    if (t3 >= limit) return walk_any(gpa);
    uint64_t e3 = entry_at(t3, (gpa >> 27) & 0xff8), t2 = e3 & MFN_MASK;
    if (t2 >= limit) return walk_any(gpa);
    uint64_t e2 = entry_at(t2, (gpa >> 18) & 0xff8), t1 = e2 & MFN_MASK;
    if (t1 >= limit) return walk_any(gpa);
    uint64_t e1 = entry_at(t1, (gpa >> 9) & 0xff8);
    uint64_t rights = e4 & e3 & e2;
    uint64_t wrong = ((e4 | e3 | e2) & TABLE_RESERVED) | (~rights & 3) | (~(LEAF_LEGAL >> (e1 & 63)) & 1);
    if (wrong) return walk_any(gpa);
    return (e1 & MFN_MASK) | 3 << 8 | (rights & e1 & 7);
}

struct tlb_entry {
    uint64_t tag;
    uint32_t delta, meta;
};
static struct tlb_entry tlb[TLB_ENTRIES];

static uint32_t table_below(uint32_t table, uint32_t index)
{
    uint64_t *e = (uint64_t *)(frames + ((uint64_t)table << 12)) + index;
    if (!*e) *e = SOFTWARE | (uint64_t)next_frame++ << 12 | 7;
    return (uint32_t)((*e & MFN_MASK) >> 12);
}

/** Guest frame g lies at machine frame first + g; the tables come before. */
static void build(uint32_t pages)
{
    uint32_t tables = 4 + pages / 512 + pages / (512 * 512) + 4;
    frame_count = (uint64_t)tables + pages + 8;
    frames = aligned_alloc(4096, frame_count << 12);
    memset(frames, 0, (uint64_t)tables << 12);
    root = next_frame++;
    for (uint32_t g = 0; g < pages; g++) {
        uint32_t l3 = table_below(root, g >> 27), l2 = table_below(l3, (g >> 18) & 511), l1 = table_below(l2, (g >> 9) & 511);
        ((uint64_t *)(frames + ((uint64_t)l1 << 12)))[g & 511] = SOFTWARE | (uint64_t)(tables + g) << 12 | 0x37;
    }
    for (uint32_t i = 0; i < TLB_ENTRIES; i++) tlb[i].tag = ~0ull;
    for (uint32_t g = 0; g < TLB_ENTRIES && g < pages; g++) {
        tlb[g].tag = (uint64_t)g << 12;
        tlb[g].delta = tables << 12; /* + linear address = offset in frames */
    }
}

/** As Bench.buildLarge: large leaves share the 64 MiB that the machine has. */
static void build_large(uint32_t pages, uint32_t level)
{
    uint32_t size = level == 2 ? 1u << 9 : 1u << 18, tables = 16;
    frame_count = 16384 + tables;
    frames = aligned_alloc(4096, frame_count << 12);
    memset(frames, 0, frame_count << 12);
    next_frame = 16384;
    root = next_frame++;
    for (uint32_t g = 0; g < pages; g += size) {
        uint64_t leaf = SOFTWARE | 0x80 | 0x37 | (level == 2 ? (uint64_t)((g >> 9) & 15) << 21 : 0);
        uint32_t l3 = table_below(root, g >> 27);
        if (level == 3) {
            ((uint64_t *)(frames + ((uint64_t)l3 << 12)))[(g >> 18) & 511] = leaf;
            continue;
        }
        uint32_t l2 = table_below(l3, (g >> 18) & 511);
        ((uint64_t *)(frames + ((uint64_t)l2 << 12)))[(g >> 9) & 511] = leaf;
    }
}

static inline uint32_t step(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

static uint64_t run_ept(uint32_t count, uint32_t mask)
{
    uint32_t x = 12345;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        x = step(x);
        sum += walk((uint64_t)(x & mask) << 12);
    }
    return sum;
}

static uint32_t stride;

static uint64_t run_pattern(uint32_t count, uint32_t pages)
{
    uint32_t x = 12345, gfn = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (stride == 0) {
            x = step(x);
            gfn = (uint32_t)(((uint64_t)x * pages) >> 32);
        } else {
            gfn += stride;
            if (gfn >= pages) gfn -= pages;
        }
        sum += walk((uint64_t)gfn << 12);
    }
    return sum;
}

/** A load of 8 bytes through the TLB, as hw/access.ts does it. */
static uint64_t run_tlb(uint32_t count, uint32_t mask)
{
    uint32_t x = 12345;
    uint64_t sum = 0;
    const uint64_t read_mask = PAGE_BITS | 1;
    for (uint32_t i = 0; i < count; i++) {
        x = step(x);
        uint64_t linear = (uint64_t)(x & mask) << 12 | (x >> 20 & 0xff8);
        const struct tlb_entry *e = &tlb[(linear >> 12) & (TLB_ENTRIES - 1)];
        if ((e->tag & read_mask) == ((linear + 7) & PAGE_BITS)) sum += *(const uint64_t *)(frames + (uint32_t)(e->delta + (uint32_t)linear));
        else sum += walk_any(linear);
    }
    return sum;
}

int main(int argc, char **argv)
{
    int is_pattern = argc == 7 && argv[1][0] == 'p';
    if (argc != 5 && !is_pattern) return 2;
    uint32_t count = (uint32_t)strtoul(argv[2], 0, 0), mask = (uint32_t)strtoul(argv[3], 0, 0), samples = (uint32_t)strtoul(argv[4], 0, 0);
    volatile uint64_t sink = 0;
    uint32_t level = is_pattern ? (uint32_t)atoi(argv[5]) : 1;
    if (is_pattern) stride = (uint32_t)strtoul(argv[6], 0, 0);
    if (level == 1) build(is_pattern ? mask : mask + 1);
    else build_large(mask, level);
    uint64_t (*run)(uint32_t, uint32_t) = is_pattern ? run_pattern : argv[1][0] == 'e' ? run_ept : run_tlb;
    sink += run(count, mask);
    for (uint32_t i = 0; i < samples; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        sink += run(count, mask);
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("%.9f\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
    }
    return 0;
}
