/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sequences of public verbs on a context of t/fault/kernel.c, each run once for every command,
 * system call and allocation that can fail. After a failure a sequence goes on as a careful program
 * would, and frees everything; the result of each call is judged here.
 */
#ifndef HF_FAULT_VERBS_H
#define HF_FAULT_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <infiniband/verbs.h>

#include "t/fault/alloc.h"
#include "t/fault/kernel.h"

/*
 * One command fails; the device is gone from one command on; a context is marked dead; a system
 * call or an allocation fails. Or the device's removal is reported before one command: then either
 * the kernel keeps answering until the context is closed, or the context is revoked meanwhile.
 */
enum vkind { V_FAIL, V_GONE, V_DEAD, V_CALL, V_ALLOC, V_REPORTED, V_REVOKED, V_KINDS };

extern const char *const vkind_names[V_KINDS];

enum vfault {
	V_WRONG,	/* false success or failure */
	V_UNDOCUMENTED, /* another error than the injected one */
	V_TOUCHED,	/* an output written although the call failed */
	V_LEAK,		/* memory, descriptors, mappings or the kernel's objects */
	V_KERNEL,	/* an invalid command */
	V_CRASH,
	V_HANG,
	V_FAULTS,
};

extern const char *const vfault_names[V_FAULTS];

/* Written by the child, read by the parent. */
struct vresult {
	unsigned int faults[V_FAULTS];
	char text[300]; /* of the first finding */
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

/* True if the device is known to be gone or about to go. */
bool v_is_going(void);

struct vseq {
	const char *name;
	void (*run)(struct vrun *v);
	unsigned int without; /* bits: providers that do not support it */
	bool opens;	      /* run() opens the context itself */
};

extern const struct vseq vseqs[];

enum vprovider { V_RXE, V_FRAMES, V_SIW, V_PROVIDERS };

extern const char *const vprovider_names[V_PROVIDERS];

struct vtally {
	size_t points;
	size_t faults[V_FAULTS];
};

/* Call first; a run that exceeds the limit counts as hanging. 0 or -errno. */
int vdrive_init(unsigned int limit_s);
/* Sets another limit. */
void vdrive_limit(unsigned int limit_s);
/*
 * Tries every point of the sequence; with `old` on a kernel without the newer methods. Prints the
 * first `reports` findings. 0, or -EINVAL if the sequence does not even work without a fault.
 */
int vdrive(enum vprovider provider, const struct vseq *seq, enum vkind kind, bool old,
	   size_t reports, struct vtally *tally);

/* Whether this fault applies to that sequence in this build. */
bool vdrive_applies(const struct vseq *seq, enum vkind kind);

/* For other tests: chooses the provider of the following contexts. */
void vbed_choose(enum vprovider provider);
/* Opens on the descriptor of kernel_open(), which it takes over. NULL and errno on failure. */
struct ibv_context *vbed_open(int fd);
enum vprovider vbed_provider(void);

void v_fault(struct vrun *v, enum vfault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void v_begin(struct vrun *v, const char *what);
/* The next call must not change this if it fails. */
void v_output(struct vrun *v, void *object, size_t size);
void *v_made(struct vrun *v, void *object);
/* Judges a call that returns 0, -1 with errno, or a positive errno value; returns that. */
int v_used(struct vrun *v, int ret);
/* Whether to call it again, as after an error that the object survives. */
bool v_again(struct vrun *v, int ret);

/* Each needs a `struct vrun *v` in scope. */
#define MADE(call) (v_begin(v, #call), v_made(v, (call)))
#define USED(call) (v_begin(v, #call), v_used(v, (call)))
#define DESTROYED(call)                              \
	for (v_begin(v, #call); v_again(v, (call));) \
		;

#endif
