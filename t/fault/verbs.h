/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sequences of public verbs on a context of t/fault/kernel.c, each run once for every command, system
 * call and allocation that can fail. A sequence goes on after a failure as a careful program would,
 * and gives everything back; what each call answered is judged here.
 */
#ifndef HF_FAULT_VERBS_H
#define HF_FAULT_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <infiniband/verbs.h>

#include "t/fault/alloc.h"
#include "t/fault/kernel.h"

/*
 * One command fails; the device is gone from one on; a context is marked as dead; a system call or an
 * allocation fails. And before one command the device's removal is announced: either the kernel goes on
 * answering until the context is closed, or revocation takes the device away meanwhile.
 */
enum vkind { V_FAIL, V_GONE, V_DEAD, V_CALL, V_ALLOC, V_TOLD, V_REVOKED, V_KINDS };

extern const char *const vkind_names[V_KINDS];

enum vfault {
	V_WRONG,	/* success that is not, or a failure that is none */
	V_UNDOCUMENTED, /* another error than the one there was */
	V_TOUCHED,	/* an output written although the call failed */
	V_LEAK,		/* memory, descriptors, mappings or the kernel's objects */
	V_KERNEL,	/* a command that makes no sense */
	V_CRASH,
	V_HANG,
	V_FAULTS,
};

extern const char *const vfault_names[V_FAULTS];

/* Written by the child, read by the parent. */
struct vresult {
	unsigned int faults[V_FAULTS];
	char text[300]; /* of the first */
	size_t commands, calls, allocations;
	struct alloc_left left;
	bool finished;
};

struct vrun {
	const struct vseq *seq;
	enum vkind kind;
	struct kernel_plan plan;
	size_t fail_at; /* V_ALLOC */
	bool onward;
	struct vresult *result;
	struct ibv_context *context;
	/* Of the call that is being judged. */
	const char *what;
	size_t hits, objects, mappings;
	void *output;
	size_t output_size;
	bool repeated;
};

/* Is the device known to be going, or gone? */
bool v_is_going(void);

struct vseq {
	const char *name;
	void (*run)(struct vrun *v);
	unsigned int without; /* bits: the providers that do not have it */
	bool opens;	      /* run() opens the context itself */
};

extern const struct vseq vseqs[];

enum vprovider { V_RXE, V_FRAMES, V_SIW, V_PROVIDERS };

extern const char *const vprovider_names[V_PROVIDERS];

struct vtally {
	size_t points;
	size_t faults[V_FAULTS];
};

/* Before all others; what runs longer than the limit hangs. 0 or -errno. */
int vdrive_init(unsigned int limit_s);
/* Another limit from now on. */
void vdrive_limit(unsigned int limit_s);
/*
 * Tries every point of the sequence, on a kernel without the newer methods where `old`. Tells of the
 * first `reports` faults. 0, or -EINVAL when it does not work even undisturbed.
 */
int vdrive(enum vprovider provider, const struct vseq *seq, enum vkind kind, bool old,
	   size_t reports, struct vtally *tally);

/* Can this be done to that sequence, in this build? */
bool vdrive_applies(const struct vseq *seq, enum vkind kind);

/* For what is no sequence: the provider of the contexts that follow. */
void vbed_choose(enum vprovider provider);
/* On the descriptor of kernel_open(), which it takes over. NULL with errno. */
struct ibv_context *vbed_open(int fd);
enum vprovider vbed_provider(void);

void v_fault(struct vrun *v, enum vfault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void v_begin(struct vrun *v, const char *what);
/* The next call leaves this alone if it fails. */
void v_output(struct vrun *v, void *object, size_t size);
void *v_made(struct vrun *v, void *object);
/* 0, or what the call answered; -1 with errno, or a positive errno value. */
int v_used(struct vrun *v, int ret);
/* Whether to call it once more, as after an error from which the object survives. */
bool v_again(struct vrun *v, int ret);

/* Each with a struct vrun *v in sight. */
#define MADE(call) (v_begin(v, #call), v_made(v, (call)))
#define USED(call) (v_begin(v, #call), v_used(v, (call)))
#define DESTROYED(call)                              \
	for (v_begin(v, #call); v_again(v, (call));) \
		;

#endif
