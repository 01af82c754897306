/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A fake kernel that keeps track: it creates and destroys objects and descriptors, and knows at
 * each moment what a program has. One command can be made to fail, or the device to be gone from
 * one command on. A program links it before libhf-core.la, with the linker options of
 * t/fault/verbs.mk.
 */
#ifndef HF_FAULT_KERNEL_H
#define HF_FAULT_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happens at the command or system call numbered `at`, counted from 1. */
struct kernel_plan {
	size_t at;
	int err;	      /* 0: only count */
	bool gone;	      /* at that one and at every later one */
	atomic_bool *dead;    /* set at that one, which fails with `err`; no later one may follow */
	void (*notice)(void); /* called at that one, before the response */
	bool call;	      /* count system calls for queues and channels: mmap(), epoll_*() */
	bool old;	      /* a kernel that lacks the newer methods */
	bool lenient;	      /* a destroy succeeds even without the object */
};

/* The descriptor of a new file without objects. The program owns it. */
int kernel_open(void);
/* Which driver data it uses: siw's, or rdma_rxe's. */
void kernel_be_siw(bool siw);
/* Frees the kernel's own resources. */
void kernel_end(void);

/* Applies the plan from now on, and starts counting anew. */
void kernel_begin(const struct kernel_plan *plan);
/* Nothing fails any more, unless the device is gone. */
void kernel_stop_failing(void);
void kernel_stop(void);

size_t kernel_commands(void); /* number of commands sent */
size_t kernel_calls(void);
size_t kernel_hits(void);    /* number of failures injected */
size_t kernel_objects(void); /* that the program has */
size_t kernel_mappings(void);
bool kernel_is_gone(void);
/* A command that makes no sense to a kernel; NULL: none. */
const char *kernel_complaint(void);

/* Sends an event to the last completion channel, about the CQ with this user handle. */
void kernel_complete(uint64_t cq);
/* Sends an event about a QP. */
void kernel_report(uint32_t type, uint64_t qp);

/*
 * Writes another record to the descriptor for events, or to the last completion channel. `counts`:
 * the object's destroy must wait for it.
 */
void kernel_write_record(bool completion, const void *record, size_t size, bool counts);

/*
 * For fuzzing: called with each part of each response, to change it: numbers and tables, handles,
 * and the mapped rings. Not with descriptors or event counts.
 */
extern void (*kernel_noise)(void *data, size_t size);

#endif
