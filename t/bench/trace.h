/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts the system calls of a program between marks, with ptrace. */
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

/* Marks the begin of a section: a prctl() with an unknown option, which only the tracer notices. */
#define TRACE_MAGIC 0x48460000
static inline void trace_mark(enum trace_section section)
{
	syscall(SYS_prctl, TRACE_MAGIC | (int)section, 0, 0, 0, 0);
}

/*
 * Runs a program with standard output to `output`, and counts its calls. Returns 0, -errno, -ECHILD if
 * it did not exit with 0, or -EPERM if tracing is not permitted.
 */
int trace_run(char *const argv[], int output, struct trace *ret);

/* Formats the `n` most frequent calls: "openat 1024, read 3072, ...". */
void trace_describe(const struct trace *trace, enum trace_section section, int n, char *text,
		    size_t size);

#endif
