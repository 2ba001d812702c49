/*
 * The bare line-echo loop: answers each line "echo<TAB>TEXT" on 0 by "TEXT" on 1. It reads as much at a time as
 * daemonproxy does, and answers once a read, or, with an argument, once a line.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void answer(const char *text, size_t size)
{
	ssize_t n;
	for (size_t done = 0; done < size; done += n)
		if ((n = write(1, text + done, size - done)) < 0)
			exit(1);
}

int main(int argc, char **argv)
{
	(void)argv;
	static char in[4096], out[4096];
	size_t held = 0;
	ssize_t n;
	while ((n = read(0, in + held, sizeof in - held)) > 0) {
		char *line = in, *end, *limit = in + held + n;
		size_t due = 0;
		while ((end = memchr(line, '\n', limit - line))) {
			if (end - line > 5 && !memcmp(line, "echo\t", 5)) {
				memcpy(out + due, line + 5, end + 1 - (line + 5));
				due += end + 1 - (line + 5);
			}
			line = end + 1;
			if (argc > 1) {
				answer(out, due);
				due = 0;
			}
		}
		held = limit - line;
		memmove(in, line, held);
		answer(out, due);
	}
	return 0;
}
