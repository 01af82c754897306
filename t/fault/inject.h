/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs a function in a traced child and does something at a chosen one of the system calls that it
 * makes between inject_begin() and inject_end(). x86-64 Linux only; elsewhere inject_available()
 * answers -EOPNOTSUPP.
 */
#ifndef HF_FAULT_INJECT_H
#define HF_FAULT_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum inject_kind {
	INJECT_NOTHING,	   /* only count and record */
	INJECT_ACT_BEFORE, /* call `act` in the tracer before the kernel sees the call */
	INJECT_ACT_AFTER,  /* call `act` in the tracer after the kernel answered */
	INJECT_FAIL,	   /* the kernel does not see the call; it answers -error */
	INJECT_SHORT,	   /* the call's buffer is said to be `length` bytes */
};

struct inject_step {
	enum inject_kind kind;
	size_t at;   /* which system call, counted from 1; growing the heap is not counted */
	long nr;     /* the call that is expected there: nothing is done at another one; -1: any */
	bool onward; /* INJECT_FAIL: at that call and every later one that can fail so */
	int error;
	size_t length;
	void (*act)(void *arg);
	void *arg;
};

struct inject_call {
	long nr;
	unsigned long args[6];
	long ret;
	char path[48]; /* the end of the path it was given, for people */
};

struct inject_run {
	struct inject_call *calls; /* made between the markers */
	size_t count;
	size_t size;
	size_t hits;   /* how often a step was carried out */
	size_t misses; /* how often another call stood there */
	bool began;
	bool ended;
	int status; /* as of waitpid() */
};

/* 0, or -errno when this machine or this process cannot trace. */
int inject_available(void);

/*
 * Runs child(arg) in a fork of the caller; the child ends with _exit(0) when it returns. 0 when the
 * child has ended, in whatever way; -errno when it could not be traced. *run is given back with
 * inject_run_clear().
 */
int inject_run(void (*child)(void *arg), void *arg, const struct inject_step *steps,
	       size_t num_steps, struct inject_run *run);
void inject_run_clear(struct inject_run *run);

/* The same without a tracer: the markers do nothing. Returns the status as of waitpid(). */
int inject_run_alone(void (*child)(void *arg), void *arg);

/* In the child. From inject_end() on it is not traced any more. */
void inject_begin(void);
void inject_end(void);

/* Whether the buffer of this call can be shortened to `length` with a shorter result. */
bool inject_can_shorten(const struct inject_call *call, size_t length);

#endif
