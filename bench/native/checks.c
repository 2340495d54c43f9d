/*
 * A bare check of one port against an I/O bitmap of 8 KiB, over the same ports in the same order as checkBitmap of
 * hv-core/units/io-bench.ts: the yardstick for every other way to check a port.
 *
 *   checks COUNT SAMPLES      prints seconds for COUNT checks, SAMPLES times
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PORTS 0x10000u
#define STRIDE 40503u

static uint8_t bitmap[PORTS / 8];

static __attribute__((noinline)) uint32_t check(const uint8_t *bits, uint32_t count)
{
    uint32_t denied = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t port = (i * STRIDE) & (PORTS - 1);
        denied += (bits[port >> 3] >> (port & 7)) & 1;
    }
    return count - denied;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    uint32_t count = (uint32_t)strtoul(argv[1], 0, 0), samples = (uint32_t)strtoul(argv[2], 0, 0);
    volatile uint32_t sink = 0;
    memset(bitmap, 0x55, sizeof bitmap);
    sink += check(bitmap, count);
    for (uint32_t i = 0; i < samples; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int again = 0; again < 1000; again++) sink += check(bitmap, count);
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("%.12f\n", ((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9) / 1000);
    }
    return 0;
}
