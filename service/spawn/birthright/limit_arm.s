#include "textflag.h"

#define SYS_prlimit64 369
#define RLIMIT_NOFILE 7

// func nofile(limit *[2]uint64) uintptr
TEXT ·nofile(SB),NOSPLIT,$0-8
	MOVW	$0, R0
	MOVW	$RLIMIT_NOFILE, R1
	MOVW	$0, R2
	MOVW	limit+0(FP), R3
	MOVW	$SYS_prlimit64, R7
	SWI	$0
	MOVW	R0, ret+4(FP)
	RET
