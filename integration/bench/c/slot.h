/* The shared file is an array of slots, one for each service; slots.go reads them. All times are CLOCK_MONOTONIC. */
#include <time.h>

struct slot {
	struct timespec begun;  /* the service's first instruction */
	struct timespec ending; /* its last one before exit_group */
	struct timespec before; /* floor.c: before vfork or exec */
	struct timespec after;  /* floor.c: wait4 has returned */
	long pid;
	long runs; /* how often it has begun; written last */
	long unused[6];
};
