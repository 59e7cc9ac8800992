/* SPDX-License-Identifier: MIT */
/*
 * Entry from Linux's kexec: 64-bit code in an identity map of RAM alone,
 * interrupts off, no GDT, no IDT, a stack in its control page. We map the first
 * 4 GiB, so that devices are there, too.
 */
	.section .text.boot, "ax"
	.code64
	.globl	peek_entry
peek_entry:
	cld
	lgdt	peek_gdt_pointer(%rip)
	movl	$peek_stack_top, %esp
	movl	$peek_pdpt + 0x3, %eax
	movq	%rax, peek_pml4
	movl	$peek_pd + 0x3, %eax
	movl	$peek_pdpt, %edx
	movl	$4, %ecx
1:	movq	%rax, (%rdx)
	addl	$0x1000, %eax
	addl	$8, %edx
	decl	%ecx
	jnz	1b
	movl	$0x83, %eax		/* present, writable, 2 MiB */
	movl	$peek_pd, %edx
	movl	$2048, %ecx
2:	movq	%rax, (%rdx)
	addl	$0x200000, %eax
	addl	$8, %edx
	decl	%ecx
	jnz	2b
	movl	$peek_pml4, %eax
	movq	%rax, %cr3
	call	peek_main
3:	hlt
	jmp	3b

	.section .rodata
	.align	8
peek_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* 64-bit code */
	.quad	0x00cf92000000ffff	/* data */
peek_gdt_pointer:
	.word	peek_gdt_pointer - peek_gdt - 1
	.quad	peek_gdt

	.section .bss
	.align	4096
peek_pml4:
	.skip	4096
peek_pdpt:
	.skip	4096
peek_pd:
	.skip	4 * 4096
	.skip	16384
peek_stack_top:

	.section .note.GNU-stack, "", @progbits
