/*
 * What the kernel takes for the same, without a supervisor.
 *
 * floor loop FD FIRST COUNT STAMP MS   vfork, exec, wait4, COUNT times in a row, each with a slot of its own
 * floor exec FD SLOT PROGRAM ARG...    notes the time and becomes PROGRAM
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "slot.h"

static struct slot *map(const char *fd, long slots)
{
	struct slot *s = mmap(0, slots * sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd), 0);
	if (s == MAP_FAILED) {
		perror("floor: mmap");
		exit(120);
	}
	return s;
}

static void once(struct slot *slot, char **argv)
{
	int status;
	clock_gettime(CLOCK_MONOTONIC, &slot->before);
	pid_t pid = vfork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, 0) != pid || status != 0)
		exit(121);
	clock_gettime(CLOCK_MONOTONIC, &slot->after);
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "loop")) {
		long first = atol(argv[3]), count = atol(argv[4]);
		struct slot *slots = map(argv[2], first + count);
		for (long i = first; i < first + count; i++) {
			char order[64], *child[] = {argv[5], order, 0};
			snprintf(order, sizeof order, "%s:%ld:%s", argv[2], i, argv[6]);
			once(&slots[i], child);
		}
		return 0;
	}
	if (argc >= 5 && !strcmp(argv[1], "exec")) {
		long index = atol(argv[3]);
		struct slot *slot = map(argv[2], index + 1) + index;
		clock_gettime(CLOCK_MONOTONIC, &slot->before);
		execvp(argv[4], argv + 4);
		perror("floor: exec");
	}
	return 2;
}
