//go:build linux

#include "textflag.h"

#define SYS_getpid 172
#define SI_TKILL   -6

// See collapse_amd64.s for the idea. The kernel passes A0, A1 and A2.

// func onAbort()
TEXT ·onAbort(SB),NOSPLIT|TOPFRAME,$32-0
	MOV	A0, 8(X2)
	MOV	A1, 16(X2)
	MOV	A2, 24(X2)
	MOVW	8(A1), T0 // si_code
	MOV	$SI_TKILL, T1
	BNE	T0, T1, pass
	MOV	$SYS_getpid, A7
	ECALL
	MOV	16(X2), A1
	MOVW	16(A1), T0 // si_pid
	BNE	A0, T0, pass
	MOV	$·perish(SB), T0
	JALR	RA, T0
pass:
	MOV	8(X2), A0
	MOV	16(X2), A1
	MOV	24(X2), A2
	MOV	·goHandler(SB), T0
	JALR	RA, T0
	RET

// func onAbortPC() uintptr
TEXT ·onAbortPC(SB),NOSPLIT,$0-8
	MOV	$·onAbort(SB), A0
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
	FENCE
	MOV	$1, A5
	MOVB	A5, ret+16(FP)
	RET
differs:
	MOVB	ZERO, ret+16(FP)
	RET
