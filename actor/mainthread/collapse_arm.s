//go:build linux && arm.6

#include "textflag.h"

#define SYS_getpid 20
#define SI_TKILL   -6

// See collapse_amd64.s for the idea. The kernel passes R0, R1 and R2.

// func onAbort()
TEXT ·onAbort(SB),NOSPLIT|TOPFRAME,$20-0
	MOVW	R0, 4(R13)
	MOVW	R1, 8(R13)
	MOVW	R2, 12(R13)
	MOVW	8(R1), R3 // si_code
	CMP	$SI_TKILL, R3
	BNE	pass
	MOVW	$SYS_getpid, R7
	SWI	$0
	MOVW	8(R13), R1
	MOVW	12(R1), R3 // si_pid
	CMP	R3, R0
	BNE	pass
	MOVW	$·perish(SB), R1
	BL	(R1)
pass:
	MOVW	4(R13), R0
	MOVW	8(R13), R1
	MOVW	12(R13), R2
	MOVW	·goHandler(SB), R3
	BL	(R3)
	RET

// func onAbortPC() uintptr
TEXT ·onAbortPC(SB),NOSPLIT,$0-4
	MOVW	$·onAbort(SB), R0
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
