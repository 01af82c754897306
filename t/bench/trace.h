/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts the system calls that a program makes between marks, exactly, with ptrace. */
#ifndef HF_BENCH_TRACE_H
#define HF_BENCH_TRACE_H

#include <sys/syscall.h>
#include <unistd.h>

enum trace_section { TRACE_NONE = 0, TRACE_FIRST, TRACE_AGAIN, TRACE_SECTIONS };

enum { TRACE_CALLS = 512 };

struct trace {
	unsigned long total[TRACE_SECTIONS];
	unsigned long calls[TRACE_SECTIONS][TRACE_CALLS];
};

/* A system call of no effect (an option that prctl does not know) that only the tracer minds. */
#define TRACE_MAGIC 0x48460000
static inline void trace_mark(enum trace_section section)
{
	syscall(SYS_prctl, TRACE_MAGIC | (int)section, 0, 0, 0, 0);
}

/*
 * Runs a program to its end with standard output to `output`, and counts. 0, -errno, or -ECHILD when
 * it did not exit with 0; -EPERM where tracing is not allowed.
 */
int trace_run(char *const argv[], int output, struct trace *ret);

/* "openat 1024, read 3072, ..." the `n` most frequent ones. */
void trace_describe(const struct trace *trace, enum trace_section section, int n, char *text,
		    size_t size);

#endif
