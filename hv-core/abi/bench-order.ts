/**
 * The order in which benchmarks visit pages: next = (page * FACTOR + ADD) modulo a power of two. FACTOR is 1 modulo 4 and ADD is odd, so each
 * page comes once before any comes again (Hull and Dobell, 1962), and two steps are never the same distance for long.
 */
export const BENCH_ORDER_FACTOR = 1664525;
export const BENCH_ORDER_ADD = 1013904223;
