//go:build linux

#include "textflag.h"

#define SYS_write  64
#define SYS_getpid 172
#define SIGABRT    6
#define SI_TKILL   -6

// See handler_amd64.s for the idea. The kernel passes R0, R1 and R2.

// func onSignal()
TEXT ·onSignal(SB),NOSPLIT|TOPFRAME,$40-0
	MOVD	$·fault(SB), R3
	MOVBU	(R3)(R0), R3
	CBZ	R3, count
	MOVD	R0, 8(RSP)
	MOVD	R1, 16(RSP)
	MOVD	R2, 24(RSP)
	MOVW	8(R1), R3 // si_code
	CMPW	$0, R3
	BGT	pass
	CMPW	$SI_TKILL, R3
	BNE	count
	MOVD	$SYS_getpid, R8
	SVC
	MOVD	16(RSP), R1
	MOVW	16(R1), R3 // si_pid
	CMPW	R3, R0
	MOVD	8(RSP), R0
	BNE	count
	CMPW	$SIGABRT, R0
	BNE	pass
	MOVD	·collapse(SB), R1
	CBZ	R1, pass
	CALL	(R1)
pass:
	MOVD	8(RSP), R0
	MOVD	16(RSP), R1
	MOVD	24(RSP), R2
	MOVD	·goHandler(SB), R3
	CALL	(R3)
	RET
count:
	MOVD	$·arrived(SB), R1
	ADD	R0<<2, R1, R1
retry:
	LDAXRW	(R1), R2
	ADDW	$1, R2, R3
	STLXRW	R3, (R1), R4
	CBNZ	R4, retry
	CBNZW	R2, counted
	MOVW	·signalBell(SB), R0
	MOVD	$·one(SB), R1
	MOVD	$8, R2
	MOVD	$SYS_write, R8
	SVC
counted:
	RET

// func onSignalPC() uintptr
TEXT ·onSignalPC(SB),NOSPLIT,$0-8
	MOVD	$·onSignal(SB), R0
	MOVD	R0, ret+0(FP)
	RET
