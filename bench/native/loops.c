/*
 * The loops of bench/programs.ts on the real CPU, for scale: how far any interpreter is from silicon.
 *
 *   loops alu|order|random|call COUNT SAMPLES      prints seconds for COUNT instructions, SAMPLES times
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AREA_BYTES 0x4000000u

static void alu(uint64_t turns, uint8_t *area)
{
    (void)area;
    __asm__ volatile("1: add %%ebx, %%eax\n xor %%eax, %%ecx\n lea 5(%%rcx,%%rax,2), %%edx\n sub %%edx, %%ebx\n shl $3, %%esi\n"
                     "add %%ecx, %%esi\n and $0x7fffffff, %%eax\n or $1, %%edx\n dec %0\n jnz 1b\n"
                     : "+r"(turns) : : "rax", "rbx", "rcx", "rdx", "rsi", "cc");
}

static void order(uint64_t turns, uint8_t *area)
{
    uint8_t *at = area;
    __asm__ volatile("1: mov (%1), %%eax\n add %%ebx, %%eax\n mov %%eax, (%1)\n add $4, %1\n cmp %2, %1\n cmovae %3, %1\n dec %0\n jnz 1b\n"
                     : "+r"(turns), "+r"(at) : "r"(area + AREA_BYTES), "r"(area) : "rax", "rbx", "cc", "memory");
}

static void random_loads(uint64_t turns, uint8_t *area)
{
    __asm__ volatile("1: imul $1664525, %%eax, %%eax\n add $1013904223, %%eax\n mov %%eax, %%edx\n shr $6, %%edx\n"
                     "add (%1,%%rdx), %%ecx\n dec %0\n jnz 1b\n"
                     : "+r"(turns) : "r"(area) : "rax", "rcx", "rdx", "cc", "memory");
}

static void call(uint64_t turns, uint8_t *area)
{
    (void)area;
    __asm__ volatile("sub $128, %%rsp\n jmp 1f\n 9: xor %%eax, %%edx\n ret\n"
                     "1: call 9b\n inc %%ebx\n test $3, %%bl\n jz 2f\n add %%ebx, %%eax\n 2: dec %0\n jnz 1b\n add $128, %%rsp\n"
                     : "+r"(turns) : : "rax", "rbx", "rdx", "cc", "memory");
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    const struct { const char *name; void (*run)(uint64_t, uint8_t *); double instructions; } loops[] = {
        {"alu", alu, 10}, {"order", order, 8}, {"random", random_loads, 7}, {"call", call, 7.75}};
    uint64_t count = strtoull(argv[2], 0, 0);
    uint8_t *area = malloc(AREA_BYTES + 4096);
    memset(area, 1, AREA_BYTES + 4096);
    for (unsigned i = 0; i < sizeof loops / sizeof *loops; i++) {
        if (strcmp(loops[i].name, argv[1]) != 0) continue;
        uint64_t turns = (uint64_t)((double)count / loops[i].instructions) + 1;
        loops[i].run(turns, area);
        for (int sample = atoi(argv[3]); sample > 0; sample--) {
            struct timespec a, b;
            clock_gettime(CLOCK_MONOTONIC, &a);
            loops[i].run(turns, area);
            clock_gettime(CLOCK_MONOTONIC, &b);
            printf("%.9f\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
        }
        return 0;
    }
    return 2;
}
