/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A kernel that keeps account: it makes objects and descriptors, takes them away again, and knows at
 * each moment what a program has. One command can be made to fail, or the device to be gone from one
 * on. A program links it before libhf-core.la, with the linker's options of t/fault/verbs.mk.
 */
#ifndef HF_FAULT_KERNEL_H
#define HF_FAULT_KERNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is done at the command or system call numbered `at`, counted from 1. */
struct kernel_plan {
	size_t at;
	int err;	   /* 0: only count */
	bool gone;	   /* at that one and at every later one */
	atomic_bool *dead; /* set at that one, which fails with `err`; there must be no later one */
	void (*notice)(void); /* called at that one, before it is answered */
	bool call;	      /* counts what queues and channels are made of: mmap(), epoll_*() */
	bool old;	      /* a kernel that lacks the newer methods */
	bool lenient;	      /* destroys whatever it is told to */
};

/* The descriptor of a new file without objects. It belongs to the program. */
int kernel_open(void);
/* Whose driver data it answers: those of siw, or those of rdma_rxe. */
void kernel_be_siw(bool siw);
/* Gives back the kernel's own ends. */
void kernel_end(void);

/* From now on; counting begins anew. */
void kernel_begin(const struct kernel_plan *plan);
/* Nothing fails any more, unless the device is gone. */
void kernel_calm(void);
void kernel_stop(void);

size_t kernel_commands(void); /* that were sent */
size_t kernel_calls(void);
size_t kernel_hits(void);    /* how often something was made to fail */
size_t kernel_objects(void); /* that the program has */
size_t kernel_mappings(void);
bool kernel_is_gone(void);
/* What no kernel would have been asked; NULL for nothing. */
const char *kernel_complaint(void);

/* An event for the last completion channel, about the CQ with this user handle. */
void kernel_complete(uint64_t cq);
/* An event about a QP. */
void kernel_report(uint32_t type, uint64_t qp);

/*
 * Another record on the descriptor for events, or on that of the last completion channel. `counts`: as
 * one that the object's end has to wait for.
 */
void kernel_write_record(bool completion, const void *record, size_t size, bool counts);

/*
 * For fuzzing: is given each part of each answer, to change it: the numbers and tables, handles, and the
 * rings as a program maps them. Not descriptors, nor what the kernel counts.
 */
extern void (*kernel_noise)(void *data, size_t size);

#endif
