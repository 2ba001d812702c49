//go:build linux

#include "textflag.h"

#define SYS_write  1
#define SYS_getpid 39
#define SIGABRT    6
#define SI_TKILL   -6

// The kernel calls onSignal with the signal in DI, its siginfo in SI and the
// context in DX. It counts the signal and, if it is the first of its kind, rings the
// bell. What the process has brought upon itself goes to the runtime's handler,
// called as the kernel would have done it; the frame keeps the stack aligned for
// that. The call of collapse is an indirect one as the room on a signal stack is not
// that of a nosplit function on a goroutine's.

// func onSignal()
TEXT ·onSignal(SB),NOSPLIT|TOPFRAME,$32-0
	MOVLQSX	DI, CX
	LEAQ	·fault(SB), AX
	CMPB	(AX)(CX*1), $0
	JEQ	count
	MOVQ	DI, 0(SP)
	MOVQ	SI, 8(SP)
	MOVQ	DX, 16(SP)
	CMPL	8(SI), $0 // si_code: above 0 the kernel's
	JGT	pass
	CMPL	8(SI), $SI_TKILL // which the kernel lets nobody else claim
	JNE	count
	MOVL	$SYS_getpid, AX
	SYSCALL
	MOVQ	8(SP), SI
	MOVLQSX	0(SP), CX
	CMPL	AX, 16(SI) // si_pid
	JNE	count
	CMPL	CX, $SIGABRT
	JNE	pass
	MOVQ	·collapse(SB), AX
	TESTQ	AX, AX
	JEQ	pass
	CALL	AX
pass:
	MOVQ	0(SP), DI
	MOVQ	8(SP), SI
	MOVQ	16(SP), DX
	MOVQ	·goHandler(SB), AX
	CALL	AX
	RET
count:
	LEAQ	·arrived(SB), AX
	MOVL	$1, BX
	LOCK
	XADDL	BX, (AX)(CX*4)
	TESTL	BX, BX
	JNE	counted
	MOVL	·signalBell(SB), DI
	LEAQ	·one(SB), SI
	MOVL	$8, DX
	MOVL	$SYS_write, AX
	SYSCALL
counted:
	RET

// func onSignalPC() uintptr
TEXT ·onSignalPC(SB),NOSPLIT,$0-8
	LEAQ	·onSignal(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
