/* The hash of bench/suites/sharing.ts in C: hashes 64 MiB of pages, prints seconds per page, one number a line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGES 16384
#define WORDS 1024

static double hash_all(const uint32_t *memory, uint64_t *sum) {
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (long page = 0; page < PAGES; page++) {
    const uint32_t *words = memory + page * WORDS;
    uint32_t x = 0x011c9dc5u, y = 0x1e3779b9u, z = 0x27d4eb2fu, w = 0x165667b1u;
    for (int i = 0; i < WORDS; i += 4) {
      x = (x ^ words[i]) * 0x01000193u;
      y = (y ^ words[i + 1]) * 0x05ebca6bu;
      z = (z ^ words[i + 2]) * 0x2c1b3c6du;
      w = (w ^ words[i + 3]) * 0x297a2d39u;
    }
    x = ((x ^ (z >> 15)) * 0x01000193u) ^ z;
    y = ((y ^ (w >> 13)) * 0x05ebca6bu) ^ w;
    *sum += ((uint64_t)x << 21) + (y >> 11);
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  return ((b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) * 1e-9) / PAGES;
}

int main(void) {
  uint32_t *memory = malloc((size_t)PAGES * WORDS * 4);
  uint64_t sum = 0;
  if (!memory) return 1;
  for (size_t i = 0; i < (size_t)PAGES * WORDS; i++) memory[i] = (uint32_t)(i * 2654435761u);
  hash_all(memory, &sum);
  for (int i = 0; i < 3; i++) printf("%.12f\n", hash_all(memory, &sum));
  return sum == 0; /* keeps the loop */
}
