/* SPDX-License-Identifier: MIT */
/*
 * Entry from QEMU's -kernel by the PVH protocol: 32-bit protected mode, no
 * paging, interrupts off, %ebx points to the start info. We map the first
 * 4 GiB onto themselves and go to 64-bit mode.
 *
 * A kernel that crashed comes in at boot_entry + 0x100 (crash.c): 64-bit mode,
 * interrupts off, %edi points to the start info, all of us mapped onto itself
 * by tables and a GDT that are not ours.
 */
#include "long_mode.inc"

	.section .note.pvh, "a", @note
	.align	4
	.long	4			/* size of the name */
	.long	8			/* size of the descriptor */
	.long	18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	boot_entry

	.macro	boot_tables
	/* Third level: one table, one entry for each of four directories. */
	movl	$boot_pdpt + 0x3, boot_pml4
	movl	$boot_pd + 0x3, %eax
	movl	$boot_pdpt, %edx
	movl	$4, %ecx
1:	movl	%eax, (%edx)
	addl	$0x1000, %eax
	addl	$8, %edx
	loop	1b

	/* Directories: 2048 pages of 2 MiB: present, writable, large. */
	movl	$0x83, %eax
	movl	$boot_pd, %edx
	movl	$2048, %ecx
2:	movl	%eax, (%edx)
	addl	$0x200000, %eax
	addl	$8, %edx
	loop	2b
	.endm

	.section .text.boot, "ax"
	.code32
	.globl	boot_entry
boot_entry:
	cld
	movl	$boot_stack_top, %esp
	movl	%ebx, %edi		/* first argument of kernel_main() */

	boot_tables
	long_mode
	lgdt	boot_gdt_ptr
	ljmp	$0x08, $boot_64

	.org	boot_entry + 0x100
	.code64
	cld
	movl	$boot_stack_top, %esp
	boot_tables
	movl	$boot_pml4, %eax
	movq	%rax, %cr3
	lgdt	boot_gdt_ptr
	pushq	$0x08
	pushq	$boot_64
	lretq

boot_64:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%edi, %edi		/* clear the upper half */
	xorl	%ebp, %ebp
	call	kernel_main
3:	cli
	hlt
	jmp	3b

	.section .rodata
	.align	8
boot_gdt:
	.quad	0
	/* Accessed already, or the CPU would write it here. */
	.quad	0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x10: data */
	.globl	boot_gdt_ptr
boot_gdt_ptr:
	.word	boot_gdt_ptr - boot_gdt - 1
	.quad	boot_gdt

	.section .bss
	.align	4096
	.globl	boot_pml4, boot_stack_top
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
boot_stack:
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
