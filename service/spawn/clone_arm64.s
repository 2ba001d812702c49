//go:build linux && !applet

#include "go_asm.h"
#include "textflag.h"

#define SYS_exit_group 94

// See clone_amd64.s for the idea. R19 carries the image over.

// func trap(number, a1, a2, a3 uintptr, im *image) (r1, errno uintptr)
TEXT ·trap(SB),NOSPLIT,$0-56
	MOVD	number+0(FP), R8
	MOVD	a1+8(FP), R0
	MOVD	a2+16(FP), R1
	MOVD	a3+24(FP), R2
	MOVD	im+32(FP), R19
	SVC
	CBZ	R0, inchild
	CMN	$4095, R0
	BCS	failed
	MOVD	R0, r1+40(FP)
	MOVD	ZR, errno+48(FP)
	RET
failed:
	NEG	R0, R0
	MOVD	ZR, r1+40(FP)
	MOVD	R0, errno+48(FP)
	RET
inchild:
	MOVD	ZR, R29
	MOVD	R19, R0
	MOVD	image_entry(R19), R1
	CALL	(R1)
	BRK

// func exitBySignal()
// A signal handler: argument in R0 as the kernel passes it. It needs no stack.
TEXT ·exitBySignal(SB),NOSPLIT|NOFRAME,$0-0
	ADDW	$128, R0, R0
	MOVD	$SYS_exit_group, R8
	SVC
	BRK

// func exitBySignalPC() uintptr
TEXT ·exitBySignalPC(SB),NOSPLIT,$0-8
	MOVD	$·exitBySignal(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func cas(word *int32, from, to int32) bool
TEXT ·cas(SB),NOSPLIT,$0-17
	MOVD	word+0(FP), R0
	MOVW	from+8(FP), R1
	MOVW	to+12(FP), R2
retry:
	LDAXRW	(R0), R3
	CMPW	R1, R3
	BNE	differs
	STLXRW	R2, (R0), R4
	CBNZ	R4, retry
	MOVD	$1, R5
	MOVB	R5, ret+16(FP)
	RET
differs:
	MOVB	ZR, ret+16(FP)
	RET
