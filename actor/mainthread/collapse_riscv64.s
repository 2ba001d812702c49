//go:build linux

#include "textflag.h"

// func perishPC() uintptr
TEXT ·perishPC(SB),NOSPLIT,$0-8
	MOV	$·perish(SB), A0
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
