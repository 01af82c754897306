/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One run of one operation in a child: prepared, called between the markers with a fault injected,
 * checked, called again without a fault, checked again, and everything freed.
 */
#ifndef HF_FAULT_RUN_H
#define HF_FAULT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/holdfast.h>

#include "t/fault/alloc.h"
#include "t/fault/world.h"

enum run_kind {
	RUN_UNDISTURBED,
	RUN_SWAP,
	RUN_REPLUG,
	RUN_REMOVE,
	RUN_RENAME,
	RUN_DROP_CACHES,
	RUN_FAIL,
	RUN_SHORT,
	RUN_ALLOC,
	RUN_KINDS,
};

extern const char *const run_kind_names[RUN_KINDS];

/* The findings, by their meaning. */
enum fault {
	FAULT_WRONG_DEVICE, /* data, node or context of another instance than the requested one */
	FAULT_WRONG_ANSWER, /* false success, or an error that states something false */
	FAULT_UNDOCUMENTED, /* an error that is not documented for the function */
	FAULT_TOUCHED,	    /* an output written although the call failed */
	FAULT_POISONED,	    /* the next call, without a fault, does not work */
	FAULT_LEAK,	    /* memory, descriptors or references not released */
	FAULT_CRASH,	    /* crashed or hung */
	FAULTS,
};

extern const char *const fault_names[FAULTS];

enum { RUN_TEXT = 400, RUN_GENERATIONS = 64 };

/* Written by the child, read by the parent. */
struct run_result {
	unsigned int faults[FAULTS];
	char text[RUN_TEXT]; /* of the first finding */
	int answer;	     /* of the call with the fault */
	bool missing;	     /* an existing device was not listed, which is allowed but counted */
	size_t allocations;
	const void *failed_site;
	struct alloc_left left;
	int fds;
	int libraries;
	/* Devices that providers created and freed, contexts opened and closed. */
	long made, forgotten, opened, closed;
	bool finished;
};

struct run {
	/* Set by the parent. */
	const struct op *op;
	enum run_kind kind;
	int error; /* RUN_FAIL: the one injected */
	size_t fail_at;
	bool onward;
	/* Shared by all. */
	struct world *world;
	struct run_result *result;
	const char *provider_dir;
	/* Used by the child. */
	bool again; /* the second call, without a fault */
	struct hf *hf;
	struct ibv_device *target, *bystander;
	uint64_t target_generation;
	int asked; /* the instance that `target` refers to */
	struct {
		uint64_t generation;
		int instance;
	} known[RUN_GENERATIONS];
	size_t num_known;
	/* Outputs of the operation. */
	struct hf *new_hf;
	struct ibv_device **list;
	int num;
	struct ibv_device *device;
	struct ibv_context *context, *second;
	struct ibv_context *kept; /* not an output */
	struct hf_stream *stream;
	struct hf_gid *gids;
	struct hf_provider_info *providers;
	struct hf_device_info info;
	struct hf_port_info port;
	char value[64];
	uint64_t guid;
	/* Of a stream. */
	struct hf_stream *live; /* not an output */
	struct stream_model {
		uint64_t seen[RUN_GENERATIONS]; /* generations added and not removed */
		size_t num_seen;
		uint64_t sequence;
		bool synced;
	} model;
};

struct op {
	const char *name;
	void (*prepare)(struct run *run);
	int (*call)(struct run *run);
	/* Checks a successful result; run.c judges failures. */
	void (*check)(struct run *run, int answer);
	void (*drop)(struct run *run, int answer);
	void (*finish)(struct run *run); /* releases what prepare() took */
	const int *errors;		 /* positive, ended by 0; ENOMEM is always one */
	bool about_target;		 /* concerns one device, so a swap ends in -ENODEV */
	bool by_name;			 /* looks up a name, which a rename removes */
	bool netlink; /* the tree counts as the kernel's, and t/lib/fakenl.c answers netlink */
	bool keeps;   /* works on the default context, which lives as long as the process */
};

/* The child's main function; `arg` is a struct run. */
void run_child(void *arg);

void run_fault(struct run *run, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A new context on the world's tree. Ends the child if that fails. */
struct hf *run_context(struct run *run);
/* Lists and finds target and bystander; holds references. */
void run_find_devices(struct run *run);
/* The same without reading attributes: what is read on first use has not been read yet. */
void run_find_briefly(struct run *run);
/* Waits until time stamps are reliable, see core/notify/change_check.c. */
void run_settle_stamps(void);
/* Makes time stamps unreliable for a moment. */
void run_stir(struct run *run);

/* The kernel was made to report that something existing is missing. */
bool run_was_lied_to(const struct run *run);

/* Whether the target is another instance now than the requested one. */
bool run_replaced(const struct run *run);

/*
 * Checks that this handle, with all its attributes, is one instance, and the same as before.
 * Returns the instance, -1 after a fault.
 */
int run_check_device(struct run *run, struct ibv_device *device);
/*
 * Checks the whole list: every entry correct, none twice; and complete if nothing was made to fail.
 */
void run_check_list(struct run *run, struct ibv_device **list, int num);
/* The descriptor's node must belong to the instance. */
void run_check_node(struct run *run, int fd, int instance);

/* A pointer that no function of the library returns, to detect whether an output was written. */
#define UNTOUCHED ((void *)0x5a5a5a5a5a5a5a5aUL)

#endif
