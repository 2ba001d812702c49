//go:build linux && arm.6

#include "textflag.h"

// func perishPC() uintptr
TEXT ·perishPC(SB),NOSPLIT,$0-4
	MOVW	$·perish(SB), R0
	MOVW	R0, ret+0(FP)
	RET

// func cas(word *int32, from, to int32) bool
// It orders nothing but itself: ARMv6 has no instruction for that which later ones
// like. perish makes system calls before it looks at what it must not see too early.
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
