#include "textflag.h"

#define SYS_prlimit64 302
#define RLIMIT_NOFILE 7

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
