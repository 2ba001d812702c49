//go:build linux && arm.6

#include "textflag.h"

#define SYS_write  4
#define SYS_getpid 20
#define SIGABRT    6
#define SI_TKILL   -6

// See handler_amd64.s for the idea. The kernel passes R0, R1 and R2.

// func onSignal()
TEXT ·onSignal(SB),NOSPLIT|TOPFRAME,$20-0
	MOVW	$·fault(SB), R3
	ADD	R0, R3
	MOVBU	(R3), R3
	CMP	$0, R3
	BEQ	count
	MOVW	R0, 4(R13)
	MOVW	R1, 8(R13)
	MOVW	R2, 12(R13)
	MOVW	8(R1), R3 // si_code
	CMP	$0, R3
	BGT	pass
	CMP	$SI_TKILL, R3
	BNE	count
	MOVW	$SYS_getpid, R7
	SWI	$0
	MOVW	8(R13), R1
	MOVW	12(R1), R3 // si_pid
	CMP	R3, R0
	MOVW	4(R13), R0
	BNE	count
	CMP	$SIGABRT, R0
	BNE	pass
	MOVW	·collapse(SB), R1
	CMP	$0, R1
	BEQ	pass
	BL	(R1)
pass:
	MOVW	4(R13), R0
	MOVW	8(R13), R1
	MOVW	12(R13), R2
	MOVW	·goHandler(SB), R3
	BL	(R3)
	RET
count:
	MOVW	$·arrived(SB), R1
	ADD	R0<<2, R1
retry:
	LDREX	(R1), R0
	ADD	$1, R0, R2
	STREX	R2, (R1), R3
	CMP	$0, R3
	BNE	retry
	CMP	$0, R0
	BNE	counted
	MOVW	·signalBell(SB), R0
	MOVW	$·one(SB), R1
	MOVW	$8, R2
	MOVW	$SYS_write, R7
	SWI	$0
counted:
	RET

// func onSignalPC() uintptr
TEXT ·onSignalPC(SB),NOSPLIT,$0-4
	MOVW	$·onSignal(SB), R0
	MOVW	R0, ret+0(FP)
	RET
