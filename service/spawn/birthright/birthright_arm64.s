//go:build linux

#include "textflag.h"

#define SYS_rt_sigaction 134
#define SYS_prlimit64    261
#define RLIMIT_NOFILE    7

// func nofile(limit *[2]uint64) uintptr
TEXT ·nofile(SB),NOSPLIT,$0-16
	MOVD	$0, R0
	MOVD	$RLIMIT_NOFILE, R1
	MOVD	$0, R2
	MOVD	limit+0(FP), R3
	MOVD	$SYS_prlimit64, R8
	SVC
	MOVD	R0, ret+8(FP)
	RET

// func disposition(sig uintptr, action *[4]uint64) uintptr
TEXT ·disposition(SB),NOSPLIT,$0-24
	MOVD	sig+0(FP), R0
	MOVD	$0, R1
	MOVD	action+8(FP), R2
	MOVD	$8, R3
	MOVD	$SYS_rt_sigaction, R8
	SVC
	MOVD	R0, ret+16(FP)
	RET

// func found(sig uintptr) uintptr
TEXT ·found(SB),NOSPLIT,$0-16
	MOVD	sig+0(FP), R0
	MOVD	$runtime·fwdSig(SB), R1
	MOVD	(R1)(R0<<3), R0
	MOVD	R0, ret+8(FP)
	RET

// See the package documentation. The runtime's has 65 words; more do no harm.
DATA runtime·fwdSig(SB)/8, $0
GLOBL runtime·fwdSig(SB), NOPTR, $(128*8)
