#include "textflag.h"

#define SYS_prlimit64 261
#define RLIMIT_NOFILE 7

// func nofile(limit *[2]uint64) uintptr
TEXT ·nofile(SB),NOSPLIT,$0-16
	MOV	$0, A0
	MOV	$RLIMIT_NOFILE, A1
	MOV	$0, A2
	MOV	limit+0(FP), A3
	MOV	$SYS_prlimit64, A7
	ECALL
	MOV	A0, ret+8(FP)
	RET
