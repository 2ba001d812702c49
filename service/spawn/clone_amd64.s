//go:build linux && !applet

#include "go_asm.h"
#include "textflag.h"

#define SYS_exit_group 231

// The child comes out of the system call on the stack that it was given and
// calls the Go function child there by its own convention for calls, since the wrapper
// for assembly would be the race detector's; it never returns. The parent's stack is
// not touched by it, so the return address may stay where it is. The call is
// an indirect one since the linker would otherwise count the child's frames
// towards the little room that a nosplit function has on the parent's stack.
// R12 carries the image over: the kernel preserves it.

// func trap(number, a1, a2, a3 uintptr, im *image) (r1, errno uintptr)
TEXT ·trap(SB),NOSPLIT,$0-56
	MOVQ	number+0(FP), AX
	MOVQ	a1+8(FP), DI
	MOVQ	a2+16(FP), SI
	MOVQ	a3+24(FP), DX
	MOVQ	im+32(FP), R12
	SYSCALL
	TESTQ	AX, AX
	JZ	inchild
	CMPQ	AX, $0xfffffffffffff001
	JCC	failed
	MOVQ	AX, r1+40(FP)
	MOVQ	$0, errno+48(FP)
	RET
failed:
	NEGQ	AX
	MOVQ	$0, r1+40(FP)
	MOVQ	AX, errno+48(FP)
	RET
inchild:
	XORL	BP, BP
	XORPS	X15, X15
	MOVQ	R12, AX
	MOVQ	image_entry(R12), CX
	CALL	CX
	INT	$3

// func exitBySignal()
// A signal handler: argument in DI as the kernel passes it. It needs no stack.
TEXT ·exitBySignal(SB),NOSPLIT|NOFRAME,$0-0
	ADDL	$128, DI
	MOVL	$SYS_exit_group, AX
	SYSCALL
	INT	$3

// func exitBySignalPC() uintptr
TEXT ·exitBySignalPC(SB),NOSPLIT,$0-8
	LEAQ	·exitBySignal(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func cas(word *int32, from, to int32) bool
TEXT ·cas(SB),NOSPLIT,$0-17
	MOVQ	word+0(FP), BX
	MOVL	from+8(FP), AX
	MOVL	to+12(FP), CX
	LOCK
	CMPXCHGL	CX, (BX)
	SETEQ	ret+16(FP)
	RET
