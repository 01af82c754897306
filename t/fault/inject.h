/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs a function in a traced child and injects a fault at a chosen system call between
 * inject_begin() and inject_end(). x86-64 Linux only; elsewhere inject_available() returns
 * -EOPNOTSUPP.
 */
#ifndef HF_FAULT_INJECT_H
#define HF_FAULT_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum inject_kind {
	INJECT_NOTHING,	   /* only count and record */
	INJECT_ACT_BEFORE, /* call `act` in the tracer before the kernel sees the call */
	INJECT_ACT_AFTER,  /* call `act` in the tracer after the kernel completed the call */
	INJECT_FAIL,	   /* the kernel does not see the call, which returns -error */
	INJECT_SHORT,	   /* the kernel sees a buffer of only `length` bytes */
};

struct inject_step {
	enum inject_kind kind;
	size_t at;   /* which system call, counted from 1; brk is not counted */
	long nr;     /* the expected call: at another one nothing is done; -1: any */
	bool onward; /* INJECT_FAIL: also every later call that can fail with `error` */
	int error;
	size_t length;
	void (*act)(void *arg);
	void *arg;
};

struct inject_call {
	long nr;
	unsigned long args[6];
	long ret;
	char path[48]; /* the end of its path argument, for reports */
};

struct inject_run {
	struct inject_call *calls; /* made between the markers */
	size_t count;
	size_t size;
	size_t hits;   /* how often the step was carried out */
	size_t misses; /* how often another call was found there */
	bool began;
	bool ended;
	int status; /* as from waitpid() */
};

/* 0, or -errno if this machine or process cannot trace. */
int inject_available(void);

/*
 * Runs child(arg) in a fork of the caller; the child ends with _exit(0) when it returns. 0 when the
 * child has ended, in any way; -errno if it could not be traced. Free *run with inject_run_clear().
 */
int inject_run(void (*child)(void *arg), void *arg, const struct inject_step *steps,
	       size_t num_steps, struct inject_run *run);
void inject_run_clear(struct inject_run *run);

/* The same without a tracer: the markers have no effect. Returns the status of waitpid(). */
int inject_run_alone(void (*child)(void *arg), void *arg);

/* Call in the child. From inject_end() on it is not traced any more. */
void inject_begin(void);
void inject_end(void);

/* Whether shortening the buffer of this call to `length` makes its result shorter. */
bool inject_can_shorten(const struct inject_call *call, size_t length);

#endif
