/*
 * Entry of the C guest: PVH note, page tables, long mode, then main() in 64-bit code.
 * The image is x86-64 code in a class-32 file, as many test kernels are.
 */
        .section .note.pvh, "a", @note
        .long   4, 4, 18
        .asciz  "Xen"
        .long   start32

        .section .text.boot, "ax"
        .code32
        .globl  start32
start32:
        movl    $stack_top, %esp
        lgdt    gdt_pointer
        /* one 1 GiB table of 2 MiB pages is enough */
        movl    $(pdpt + 3), pml4
        movl    $(directory + 3), pdpt
        movl    $directory, %edi
        movl    $0x83, %eax
        movl    $512, %ecx
1:      movl    %eax, (%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        loop    1b
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000001, %eax       /* PG, PE */
        movl    %eax, %cr0
        ljmp    $8, $start64

        .code64
start64:
        movl    $16, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $0x40000002, %eax       /* hypercall page */
        cpuid
        movl    %ebx, %ecx
        movl    $hypercall_page, %eax
        xorl    %edx, %edx
        wrmsr
        call    main
        movl    $2, %edi                /* SCHEDOP_shutdown */
        movl    $shutdown, %esi         /* reason 0: power off */
        call    hypercall_page + 29 * 32
        ud2

        .section .rodata
        .balign 8
gdt:    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word   23
        .quad   gdt
shutdown:
        .long   0

        .bss
        .balign 4096
pml4:   .skip   4096
pdpt:   .skip   4096
directory:
        .skip   4096
hypercall_page:
        .skip   4096
        .skip   8192
stack_top:
        .section .note.GNU-stack, "", @progbits
