//go:build linux

#include "textflag.h"

#define SYS_rt_sigaction 13
#define SYS_prlimit64    302
#define RLIMIT_NOFILE    7

// func nofile(limit *[2]uint64) uintptr
TEXT ·nofile(SB),NOSPLIT,$0-16
	MOVL	$0, DI
	MOVL	$RLIMIT_NOFILE, SI
	MOVL	$0, DX
	MOVQ	limit+0(FP), R10
	MOVL	$SYS_prlimit64, AX
	SYSCALL
	MOVQ	AX, ret+8(FP)
	RET

// func disposition(sig uintptr, action *[4]uint64) uintptr
TEXT ·disposition(SB),NOSPLIT,$0-24
	MOVQ	sig+0(FP), DI
	MOVL	$0, SI
	MOVQ	action+8(FP), DX
	MOVL	$8, R10
	MOVL	$SYS_rt_sigaction, AX
	SYSCALL
	MOVQ	AX, ret+16(FP)
	RET

// func found(sig uintptr) uintptr
TEXT ·found(SB),NOSPLIT,$0-16
	MOVQ	sig+0(FP), AX
	LEAQ	runtime·fwdSig(SB), BX
	MOVQ	(BX)(AX*8), AX
	MOVQ	AX, ret+8(FP)
	RET

// See the package documentation. The runtime's has 65 words; more do no harm.
DATA runtime·fwdSig(SB)/8, $0
GLOBL runtime·fwdSig(SB), NOPTR, $(128*8)
