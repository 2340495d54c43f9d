/*
 * A guest in C: what a compiler makes of ordinary code, without a standard library and without floating point.
 * Everything goes to the debug port, so the output can be compared with the same code on a real Xen.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

static void put_char(char c)
{
    __asm__ volatile("outb %0, $0xe9" : : "a"(c));
}

static void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_number(u64 n, u32 base)
{
    char digits[24];
    int i = 0;

    do {
        digits[i++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    while (i)
        put_char(digits[--i]);
}

static void report(const char *what, u64 n, u32 base)
{
    put_text(what);
    put_text(": ");
    put_number(n, base);
    put_char('\n');
}

/* gcc may call these for copies and clearing */
void *memcpy(void *to, const void *from, u64 n)
{
    u8 *t = to;
    const u8 *f = from;

    while (n--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, u64 n)
{
    u8 *t = to;

    while (n--)
        *t++ = (u8)value;
    return to;
}

static u32 primes_below(u32 limit)
{
    static u8 composite[10000];
    u32 count = 0;

    for (u32 i = 2; i < limit; i++) {
        if (composite[i])
            continue;
        count++;
        for (u32 j = i * i; j < limit; j += i)
            composite[j] = 1;
    }
    return count;
}

static u64 random_state = 88172645463325252ul;

static u64 next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void quick_sort(u32 *a, int low, int high, int (*before)(u32, u32))
{
    while (low < high) {
        u32 pivot = a[(low + high) / 2];
        int i = low, j = high;

        while (i <= j) {
            while (before(a[i], pivot))
                i++;
            while (before(pivot, a[j]))
                j--;
            if (i <= j) {
                u32 t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        quick_sort(a, low, j, before);
        low = i;
    }
}

static int smaller(u32 a, u32 b) { return a < b; }

static u32 bits_set(u32 n)
{
    u32 bits = 0;

    for (; n; n &= n - 1)
        bits++;
    return bits;
}

static int more_bits(u32 a, u32 b) { return bits_set(a) > bits_set(b); }

static u32 checksum(const u8 *bytes, u64 n)
{
    u32 crc = ~0u;

    while (n--) {
        crc ^= *bytes++;
        for (int i = 0; i < 8; i++)
            crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

static u64 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* a state machine: gcc makes a jump table of the switch */
static u32 words_in(const char *s)
{
    u32 words = 0;
    int state = 0;

    for (; *s; s++) {
        switch (*s) {
        case ' ': case '\t': case '\n': case ',': case '.': state = 0; break;
        default: words += !state; state = 1;
        }
    }
    return words;
}

/* one generation of Conway's game on a ring of 64 x 64 cells, one bit each */
static void generation(u64 *rows)
{
    u64 old[64];

    memcpy(old, rows, sizeof(old));
    for (int y = 0; y < 64; y++) {
        u64 row = 0;
        for (int x = 0; x < 64; x++) {
            int alive = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    if (dx || dy)
                        alive += (old[(y + dy) & 63] >> ((x + dx) & 63)) & 1;
            int self = (old[y] >> x) & 1;
            if (alive == 3 || (self && alive == 2))
                row |= 1ul << x;
        }
        rows[y] = row;
    }
}

static u32 cells(const u64 *rows)
{
    u32 n = 0;

    for (int y = 0; y < 64; y++)
        for (u64 row = rows[y]; row; row &= row - 1)
            n++;
    return n;
}

void main(void)
{
    static u32 numbers[500];
    static u64 life[64];
    const char *text = "Until a guest made of real machine code boots, nothing else can be shown, taught or measured.";
    u64 sum = 0;
    u64 length = 0;

    put_text("hello from C\n");
    report("primes below 10000", primes_below(10000), 10);
    for (int i = 0; i < 500; i++)
        numbers[i] = (u32)next_random();
    quick_sort(numbers, 0, 499, smaller);
    report("smallest of 500", numbers[0], 16);
    report("median", numbers[250], 16);
    quick_sort(numbers, 0, 499, more_bits);
    report("most bits set", bits_set(numbers[0]), 10);
    while (text[length])
        length++;
    report("checksum", checksum((const u8 *)text, length), 16);
    report("words", words_in(text), 10);
    report("fibonacci 20", fibonacci(20), 10);
    for (int i = 1; i <= 1000; i++)
        sum += (next_random() >> 1) / (u64)i % 1000003ul;
    report("divisions", sum, 10);
    report("high half of a product", (u64)(((unsigned __int128)next_random() * next_random()) >> 64), 16);
    life[10] = 0x2ul << 20;
    life[11] = 0x4ul << 20;
    life[12] = 0x7ul << 20;
    life[30] = 0x6ul << 30;
    life[31] = 0x3ul << 30;
    life[32] = 0x2ul << 30;
    for (int i = 0; i < 20; i++)
        generation(life);
    report("cells after 20 generations", cells(life), 10);
    put_text("bye from C\n");
}
