//go:build linux

#include "textflag.h"

// func perishPC() uintptr
TEXT ·perishPC(SB),NOSPLIT,$0-8
	MOVD	$·perish(SB), R0
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
	DMB	$0xb // what follows is not read before the exchange is seen
	MOVD	$1, R5
	MOVB	R5, ret+16(FP)
	RET
differs:
	MOVB	ZR, ret+16(FP)
	RET
