//go:build linux && !applet

#include "go_asm.h"
#include "textflag.h"

#define SYS_exit_group 94

// See clone_amd64.s for the idea. X18 carries the image over.

// func trap(number, a1, a2, a3 uintptr, im *image) (r1, errno uintptr)
TEXT ·trap(SB),NOSPLIT,$0-56
	MOV	number+0(FP), A7
	MOV	a1+8(FP), A0
	MOV	a2+16(FP), A1
	MOV	a3+24(FP), A2
	MOV	im+32(FP), X18
	ECALL
	BEQZ	A0, inchild
	MOV	$-4095, T0
	BGEU	A0, T0, failed
	MOV	A0, r1+40(FP)
	MOV	ZERO, errno+48(FP)
	RET
failed:
	NEG	A0, A0
	MOV	ZERO, r1+40(FP)
	MOV	A0, errno+48(FP)
	RET
inchild:
	MOV	X18, A0
	MOV	image_entry(X18), T0
	JALR	RA, T0
	EBREAK

// func exitBySignal()
// A signal handler: argument in A0 as the kernel passes it. It needs no stack.
TEXT ·exitBySignal(SB),NOSPLIT|NOFRAME,$0-0
	ADDW	$128, A0, A0
	MOV	$SYS_exit_group, A7
	ECALL
	EBREAK

// func exitBySignalPC() uintptr
TEXT ·exitBySignalPC(SB),NOSPLIT,$0-8
	MOV	$·exitBySignal(SB), A0
	MOV	A0, ret+0(FP)
	RET

// func cas(word *int32, from, to int32) bool
TEXT ·cas(SB),NOSPLIT,$0-17
	MOV	word+0(FP), A0
	MOVW	from+8(FP), A1
	MOVW	to+12(FP), A2
retry:
	LRW	(A0), A3
	BNE	A3, A1, differs
	SCW	A2, (A0), A4
	BNEZ	A4, retry
	MOV	$1, A5
	MOVB	A5, ret+16(FP)
	RET
differs:
	MOVB	ZERO, ret+16(FP)
	RET
