#include "textflag.h"

// Nothing but data, for every architecture: see the package documentation. The
// runtime's fwdSig has 65 words, 129 on MIPS; more do no harm.

DATA runtime·fwdSig(SB)/8, $0
GLOBL runtime·fwdSig(SB), NOPTR, $(160*8)

#ifdef GOARCH_386
#define NARROW
#endif
#ifdef GOARCH_arm
#define NARROW
#endif
#ifdef GOARCH_mips
#define NARROW
#endif
#ifdef GOARCH_mipsle
#define NARROW
#endif

// var found *[65]uintptr
#ifdef NARROW
DATA ·found(SB)/4, $runtime·fwdSig(SB)
GLOBL ·found(SB), NOPTR, $4
#else
DATA ·found(SB)/8, $runtime·fwdSig(SB)
GLOBL ·found(SB), NOPTR, $8
#endif
