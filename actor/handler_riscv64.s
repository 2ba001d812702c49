//go:build linux

#include "textflag.h"

#define SYS_write  64
#define SYS_getpid 172
#define SIGABRT    6
#define SI_TKILL   -6

// See handler_amd64.s for the idea. The kernel passes A0, A1 and A2.

// func onSignal()
TEXT ·onSignal(SB),NOSPLIT|TOPFRAME,$32-0
	MOV	$·fault(SB), T0
	ADD	A0, T0
	MOVBU	(T0), T0
	BEQZ	T0, count
	MOV	A0, 8(X2)
	MOV	A1, 16(X2)
	MOV	A2, 24(X2)
	MOVW	8(A1), T0 // si_code
	BGTZ	T0, pass
	MOV	$SI_TKILL, T1
	BNE	T0, T1, count
	MOV	$SYS_getpid, A7
	ECALL
	MOV	16(X2), A1
	MOVW	16(A1), T0 // si_pid
	MOV	A0, T1
	MOV	8(X2), A0
	BNE	T0, T1, count
	MOV	$SIGABRT, T1
	BNE	A0, T1, pass
	MOV	·collapse(SB), T0
	BEQZ	T0, pass
	JALR	RA, T0
pass:
	MOV	8(X2), A0
	MOV	16(X2), A1
	MOV	24(X2), A2
	MOV	·goHandler(SB), T0
	JALR	RA, T0
	RET
count:
	MOV	$·arrived(SB), A1
	SLL	$2, A0, A0
	ADD	A0, A1
retry:
	LRW	(A1), A2
	ADD	$1, A2, A3
	SCW	A3, (A1), A4
	BNEZ	A4, retry
	BNEZ	A2, counted
	MOVW	·signalBell(SB), A0
	MOV	$·one(SB), A1
	MOV	$8, A2
	MOV	$SYS_write, A7
	ECALL
counted:
	RET

// func onSignalPC() uintptr
TEXT ·onSignalPC(SB),NOSPLIT,$0-8
	MOV	$·onSignal(SB), A0
	MOV	A0, ret+0(FP)
	RET
