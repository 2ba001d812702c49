//go:build linux

#include "textflag.h"

#define SYS_getpid 39
#define SI_TKILL   -6

// The kernel calls onAbort with the signal in DI, its siginfo in SI and the
// context in DX. What the runtime has raised goes to perish; if that returns, and
// with everything else, the runtime's own handler is called as the kernel would
// have done it. The frame keeps the stack aligned for that. The call of perish is
// an indirect one as the room on a signal stack is not that of a nosplit function
// on a goroutine's.

// func onAbort()
TEXT ·onAbort(SB),NOSPLIT|TOPFRAME,$32-0
	MOVQ	DI, 0(SP)
	MOVQ	SI, 8(SP)
	MOVQ	DX, 16(SP)
	CMPL	8(SI), $SI_TKILL // si_code
	JNE	pass
	MOVL	$SYS_getpid, AX
	SYSCALL
	MOVQ	8(SP), SI
	CMPL	AX, 16(SI) // si_pid
	JNE	pass
	LEAQ	·perish(SB), AX
	CALL	AX
pass:
	MOVQ	0(SP), DI
	MOVQ	8(SP), SI
	MOVQ	16(SP), DX
	MOVQ	·goHandler(SB), AX
	CALL	AX
	RET

// func onAbortPC() uintptr
TEXT ·onAbortPC(SB),NOSPLIT,$0-8
	LEAQ	·onAbort(SB), AX
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
