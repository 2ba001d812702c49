//go:build linux && !applet && arm.6

#include "textflag.h"

#define SYS_exit_group 248

// See clone_amd64.s for the idea. R8 carries the image over. The third argument
// is where to store the pid here too.

// func trap(number, a1, a2, a3 uintptr, im *image) (r1, errno uintptr)
TEXT ·trap(SB),NOSPLIT,$0-28
	MOVW	number+0(FP), R7
	MOVW	a1+4(FP), R0
	MOVW	a2+8(FP), R1
	MOVW	a3+12(FP), R2
	MOVW	im+16(FP), R8
	SWI	$0
	CMP	$0, R0
	BEQ	inchild
	MOVW	$0xfffff001, R1
	CMP	R1, R0
	BCS	failed
	MOVW	R0, r1+20(FP)
	MOVW	$0, R0
	MOVW	R0, errno+24(FP)
	RET
failed:
	RSB	$0, R0, R0
	MOVW	R0, errno+24(FP)
	MOVW	$0, R0
	MOVW	R0, r1+20(FP)
	RET
inchild:
	MOVW	R8, 4(R13)
	MOVW	$·child(SB), R1
	BL	(R1)
	WORD	$0xe7f001f0 // undefined, for good

// func exitBySignal()
// A signal handler: argument in R0 as the kernel passes it. It needs no stack.
TEXT ·exitBySignal(SB),NOSPLIT|NOFRAME,$0-0
	ADD	$128, R0, R0
	MOVW	$SYS_exit_group, R7
	SWI	$0
	WORD	$0xe7f001f0

// func exitBySignalPC() uintptr
TEXT ·exitBySignalPC(SB),NOSPLIT,$0-4
	MOVW	$·exitBySignal(SB), R0
	MOVW	R0, ret+0(FP)
	RET

// func cas(word *int32, from, to int32) bool
// Orders nothing but itself: there is a system call on either side of each use.
TEXT ·cas(SB),NOSPLIT,$0-13
	MOVW	word+0(FP), R1
	MOVW	from+4(FP), R2
	MOVW	to+8(FP), R3
retry:
	LDREX	(R1), R0
	CMP	R0, R2
	BNE	differs
	STREX	R3, (R1), R0
	CMP	$0, R0
	BNE	retry
	MOVW	$1, R0
	MOVB	R0, ret+12(FP)
	RET
differs:
	MOVW	$0, R0
	MOVB	R0, ret+12(FP)
	RET
