/* SPDX-License-Identifier: MIT */
/*
 * One stub for each of the first 49 vectors: 32 exceptions, 16 interrupts of
 * the old controller, and a message. All end in trap_handle(struct trap_frame *).
 */
	.altmacro
	.macro	trap_stub n
	.balign	16
	/* Vectors at which the CPU itself pushes an error code. */
	.if	(\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21)
	.else
	pushq	$0
	.endif
	pushq	$\n
	jmp	trap_common
	.endm

	.text
	.globl	trap_stubs
	.align	16
trap_stubs:
	.set	vector, 0
	.rept	49
	trap_stub %vector
	.set	vector, vector + 1
	.endr

trap_common:
	cld
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	call	trap_handle
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
