/*
 * The service: notes when it began, waits, notes when it ends, and ends. No C library and nothing linked at run time,
 * so that what is measured is the supervisor and the kernel.
 *
 * stamp FILE:SLOT:MS[:]   FILE is a descriptor's number or a path; a negative MS waits for a signal to end it.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "slot.h"

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run\n");

static long sys(long n, long a, long b, long c, long d, long e, long f)
{
	long r;
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start: mov x0, sp\n bl run\n");

static long sys(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#error "amd64 and arm64 only"
#endif

static void leave(long code)
{
	for (;;)
		sys(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

/* number reads digits up to a colon or the end, with a minus sign. */
static char *number(char *s, long *n)
{
	int negative = *s == '-';
	s += negative;
	for (*n = 0; *s >= '0' && *s <= '9'; s++)
		*n = *n * 10 + *s - '0';
	if (negative)
		*n = -*n;
	return *s == ':' ? s + 1 : s;
}

void run(long *stack)
{
	struct timespec begun;
	sys(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&begun, 0, 0, 0, 0);

	long fd, index, ms;
	char **argv = (char **)(stack + 1), *s = argv[1];
	if (stack[0] < 2)
		leave(120);
	if (*s == '/') {
		char *path = s;
		while (*s != ':')
			s++;
		*s++ = 0;
		fd = sys(SYS_openat, AT_FDCWD, (long)path, O_RDWR, 0, 0, 0);
	} else
		s = number(s, &fd);
	number(number(s, &index), &ms);

	long size = (index + 1) * sizeof(struct slot);
	long address = sys(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (address < 0 && address > -4096)
		leave(121);
	struct slot *slot = (struct slot *)address + index;
	slot->begun = begun;
	slot->pid = sys(SYS_getpid, 0, 0, 0, 0, 0, 0);
	__atomic_store_n(&slot->runs, slot->runs + 1, __ATOMIC_RELEASE);

	while (ms < 0)
		sys(SYS_ppoll, 0, 0, 0, 0, 0, 0);
	if (ms > 0) {
		struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
		sys(SYS_nanosleep, (long)&wait, 0, 0, 0, 0, 0);
	}
	sys(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&slot->ending, 0, 0, 0, 0);
	leave(0);
}
