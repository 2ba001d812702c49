//go:build linux

#include "textflag.h"

#define SYS_getpid 172
#define SI_TKILL   -6

// See collapse_amd64.s for the idea. The kernel passes R0, R1 and R2.

// func onAbort()
TEXT ·onAbort(SB),NOSPLIT|TOPFRAME,$40-0
	MOVD	R0, 8(RSP)
	MOVD	R1, 16(RSP)
	MOVD	R2, 24(RSP)
	MOVW	8(R1), R3 // si_code
	CMPW	$SI_TKILL, R3
	BNE	pass
	MOVD	$SYS_getpid, R8
	SVC
	MOVD	16(RSP), R1
	MOVW	16(R1), R3 // si_pid
	CMPW	R3, R0
	BNE	pass
	MOVD	$·perish(SB), R1
	CALL	(R1)
pass:
	MOVD	8(RSP), R0
	MOVD	16(RSP), R1
	MOVD	24(RSP), R2
	MOVD	·goHandler(SB), R3
	CALL	(R3)
	RET

// func onAbortPC() uintptr
TEXT ·onAbortPC(SB),NOSPLIT,$0-8
	MOVD	$·onAbort(SB), R0
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
