/*
 * Runs short instruction sequences on the real CPU in user mode and records what they did.
 *
 * stdin:  struct batch, then batch.cases times struct test_case (layouts: case-format.ts).
 * stdout: for each case one struct result, followed by result.changes times struct change.
 * exit:   0 done; 2 the machine cannot do it (reason on stderr); 3 the input is malformed.
 *
 * How it works: everything happens in the signal handler. The code region is full of INT3, so every case ends in a trap or a fault;
 * the handler records registers, writes the next case's registers into the signal frame and returns into it. A case may thus
 * destroy every register, the stack pointer included: the handler has its own stack and, as FS belongs to the case, uses no
 * thread-local data. 32-bit cases run through the code selector 0x23 in a 64-bit process.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_BASE 0x10000000UL
#define CODE_BYTES 0x2000
#define DATA_BASE 0x20000000UL
#define DATA_BYTES 0x2000
#define READ_ONLY_BASE 0x20004000UL
#define READ_ONLY_BYTES 0x1000
#define SELECTOR_CODE32 0x23
#define SELECTOR_DATA 0x2b
#define SELECTOR_CODE64 0x33
#define CODE_MAX 64
#define MAGIC 0x314e5856u /* "VXN1" */
/* Flags a case may set: CF PF AF ZF SF DF OF. */
#define USER_FLAGS 0xcd5u
#define VECTOR_TIMEOUT 0x1ff

struct batch {
    uint32_t magic, cases;
    uint64_t fs_base, gs_base;
    uint8_t data[DATA_BYTES];
};

struct test_case {
    uint16_t length;      /* bytes of code */
    uint16_t bits;        /* 32 or 64 */
    uint16_t code_offset; /* from CODE_BASE */
    uint16_t reserved;
    uint64_t flags;
    uint64_t regs[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
    uint8_t code[CODE_MAX];
};

struct result {
    uint32_t vector, error;
    uint64_t cr2, rip, flags;
    uint16_t cs, ss, ds, es;
    uint64_t regs[16];
    uint64_t changes;
};

struct change {
    uint64_t offset, value; /* of an aligned u64 in the data pages */
};

static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct batch *batch;
static struct test_case *cases;
static uint32_t current;
static uint8_t *out;
static size_t out_used, out_size;
static gregset_t main_registers;
static volatile int started;
static uint32_t alarm_case = UINT32_MAX;
static unsigned long main_fs;

static void set_bases(unsigned long fs, unsigned long gs)
{
    long ignored;
    __asm__ volatile("syscall" : "=a"(ignored) : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(fs) : "rcx", "r11", "memory");
    __asm__ volatile("syscall" : "=a"(ignored) : "a"(SYS_arch_prctl), "D"(ARCH_SET_GS), "S"(gs) : "rcx", "r11", "memory");
}

static void record(const greg_t *g, uint32_t vector)
{
    struct result r;
    memset(&r, 0, sizeof r);
    r.vector = vector;
    r.error = vector == 14 || vector == 13 || vector == 12 || vector == 11 || vector == 10 ? (uint32_t)g[REG_ERR] : 0;
    r.cr2 = vector == 14 ? (uint64_t)g[REG_CR2] : 0;
    r.rip = (uint64_t)g[REG_RIP];
    r.flags = (uint64_t)g[REG_EFL];
    r.cs = (uint16_t)g[REG_CSGSFS];
    r.ss = (uint16_t)((uint64_t)g[REG_CSGSFS] >> 48);
    __asm__ volatile("mov %%ds, %0" : "=r"(r.ds));
    __asm__ volatile("mov %%es, %0" : "=r"(r.es));
    for (int i = 0; i < 16; i++) r.regs[i] = (uint64_t)g[greg_of[i]];
    struct result *to = (struct result *)(out + out_used);
    out_used += sizeof r;
    const uint64_t *now = (const uint64_t *)DATA_BASE, *before = (const uint64_t *)batch->data;
    for (uint64_t i = 0; i < DATA_BYTES / 8; i++) {
        if (now[i] == before[i]) continue;
        struct change c = {i * 8, now[i]};
        if (out_used + sizeof c + sizeof r > out_size) _exit(3);
        memcpy(out + out_used, &c, sizeof c);
        out_used += sizeof c;
        r.changes++;
    }
    memcpy(to, &r, sizeof r);
}

static void prepare(greg_t *g, const struct test_case *c)
{
    memset((void *)CODE_BASE, 0xcc, CODE_BYTES);
    memcpy((void *)(CODE_BASE + c->code_offset), c->code, c->length);
    memcpy((void *)DATA_BASE, batch->data, DATA_BYTES);
    for (int i = 0; i < 16; i++) g[greg_of[i]] = (greg_t)c->regs[i];
    g[REG_RIP] = (greg_t)(CODE_BASE + c->code_offset);
    g[REG_EFL] = (greg_t)((c->flags & USER_FLAGS) | 0x202);
    uint64_t selectors = (c->bits == 32 ? SELECTOR_CODE32 : SELECTOR_CODE64) | (uint64_t)SELECTOR_DATA << 48;
    g[REG_CSGSFS] = (greg_t)selectors;
    uint16_t data = SELECTOR_DATA;
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(data));
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    (void)info;
    __asm__ volatile("cld");
    if (!started) {
        if (number != SIGTRAP) _exit(2);
        memcpy(main_registers, g, sizeof main_registers);
        started = 1;
        set_bases(batch->fs_base, batch->gs_base);
    } else {
        if (number == SIGALRM && alarm_case != current) { /* the case has only just begun */
            alarm_case = current;
            return;
        }
        record(g, number == SIGALRM ? VECTOR_TIMEOUT : (uint32_t)g[REG_TRAPNO]);
        current++;
    }
    if (current == batch->cases) {
        uint16_t zero = 0;
        __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(zero));
        set_bases(main_fs, 0);
        memcpy(g, main_registers, sizeof main_registers);
        return;
    }
    prepare(g, &cases[current]);
}

static void map(unsigned long address, size_t bytes, int protection)
{
    void *p = mmap((void *)address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (void *)address) {
        fprintf(stderr, "cannot map %zu bytes at %#lx: %s\n", bytes, address, strerror(errno));
        exit(2);
    }
}

static void read_exactly(void *to, size_t bytes)
{
    if (fread(to, 1, bytes, stdin) != bytes) {
        fprintf(stderr, "the input ends too early\n");
        exit(3);
    }
}

int main(void)
{
    batch = malloc(sizeof *batch);
    read_exactly(batch, sizeof *batch);
    if (batch->magic != MAGIC || batch->cases > 10000000) {
        fprintf(stderr, "not a batch of cases\n");
        return 3;
    }
    cases = malloc(batch->cases * sizeof *cases + 1);
    read_exactly(cases, batch->cases * sizeof *cases);
    for (uint32_t i = 0; i < batch->cases; i++) {
        if (cases[i].length > CODE_MAX || cases[i].code_offset + CODE_MAX > CODE_BYTES) return 3;
    }
    out_size = batch->cases * (sizeof(struct result) + 40 * sizeof(struct change)) + (1 << 20);
    out = malloc(out_size);

    map(CODE_BASE, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);
    map(DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE);
    map(READ_ONLY_BASE, READ_ONLY_BYTES, PROT_READ | PROT_WRITE);
    memcpy((void *)READ_ONLY_BASE, batch->data, READ_ONLY_BYTES);
    mprotect((void *)READ_ONLY_BASE, READ_ONLY_BYTES, PROT_READ);

    stack_t stack = {.ss_sp = malloc(1 << 18), .ss_size = 1 << 18};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
    struct itimerval tick = {{0, 100000}, {0, 100000}};
    setitimer(ITIMER_REAL, &tick, NULL);
    syscall(SYS_arch_prctl, ARCH_GET_FS, &main_fs);

    __asm__ volatile("int3" : : : "memory");

    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &off, NULL);
    if (fwrite(out, 1, out_used, stdout) != out_used || fflush(stdout) != 0) return 3;
    return 0;
}
