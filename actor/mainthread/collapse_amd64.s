//go:build linux

#include "textflag.h"

// func perishPC() uintptr
TEXT ·perishPC(SB),NOSPLIT,$0-8
	LEAQ	·perish(SB), AX
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
