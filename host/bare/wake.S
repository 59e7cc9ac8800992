/* SPDX-License-Identifier: MIT */
/*
 * To sleep and back. Firmware jumps to the waking vector in real mode, below
 * 1 MiB: there lies a copy of what is between wake_begin and wake_end. It puts
 * this kernel's image back as it was (sleep.c says why) and goes on where
 * wake_enter() was called.
 */
#include "long_mode.inc"
#include "wake.h"


	.text
	.globl	wake_begin, wake_end, wake_enter
	.align	16
	.code16
wake_begin:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	wake_gdt_ptr - wake_begin
	movl	%cr0, %eax
	orl	$0x1, %eax		/* PE */
	movl	%eax, %cr0
	ljmpl	$0x08, $wake_32 - wake_begin + WAKE_AT

	.code32
wake_32:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	WAKE_AT + WAKE_FROM, %esi
	movl	WAKE_AT + WAKE_TO, %edi
	movl	WAKE_AT + WAKE_SIZE, %ecx
	shrl	$2, %ecx
	rep movsl
	/* The CPU's tables are back with the image. */
	long_mode
	ljmp	$0x18, $wake_64 - wake_begin + WAKE_AT

	.code64
wake_64:
	movl	WAKE_AT + WAKE_STACK, %esp
	movl	$1, %eax
	movl	$wake_return, %edx
	jmp	*%rdx

	.align	8
wake_gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* 0x08: 32-bit code */
	.quad	0x00cf92000000ffff	/* 0x10: data */
	.quad	0x00af9a000000ffff	/* 0x18: 64-bit code */
wake_gdt_ptr:
	.word	wake_gdt_ptr - wake_gdt - 1
	.long	wake_gdt - wake_begin + WAKE_AT
wake_end:

/*
 * bool wake_enter(void (*sleep)(void *), void *context): true when the machine
 * has slept and is awake, interrupts off; false if @sleep came back.
 */
wake_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movl	%esp, WAKE_AT + WAKE_STACK
	movq	%rdi, %rax
	movq	%rsi, %rdi
	subq	$8, %rsp		/* a multiple of 16 at the call */
	call	*%rax
	addq	$8, %rsp
	xorl	%eax, %eax
	jmp	1f
wake_return:
	lgdt	boot_gdt_ptr
	movl	$0x10, %edx
	movl	%edx, %ds
	movl	%edx, %es
	movl	%edx, %ss
	xorl	%edx, %edx
	movl	%edx, %fs
	movl	%edx, %gs
	pushq	$0x08
	pushq	$1f
	lretq
1:	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
