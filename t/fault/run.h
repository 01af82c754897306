/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One run of one operation in a child: made ready, called between the markers with something
 * injected, judged, called once more undisturbed, judged again, and everything given back.
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

/* What was found wrong, by what it means. */
enum fault {
	FAULT_WRONG_DEVICE, /* data, node or context of another instance than the one asked for */
	FAULT_WRONG_ANSWER, /* success that is not, or an error that says what is not so */
	FAULT_UNDOCUMENTED, /* an error outside the function's set */
	FAULT_TOUCHED,	    /* an output written although the call failed */
	FAULT_POISONED,	    /* the next, undisturbed call does not work */
	FAULT_LEAK,	    /* memory, descriptors or references not given back */
	FAULT_CRASH,	    /* died or hung */
	FAULTS,
};

extern const char *const fault_names[FAULTS];

enum { RUN_TEXT = 400, RUN_GENERATIONS = 64 };

/* Written by the child, read by the parent. */
struct run_result {
	unsigned int faults[FAULTS];
	char text[RUN_TEXT]; /* of the first fault */
	int answer;	     /* of the disturbed call */
	bool missing;	     /* a device that exists was not listed, which is allowed but noted */
	size_t allocations;
	const void *failed_site;
	struct alloc_left left;
	int fds;
	int libraries;
	/* Devices that providers were asked to make and to forget, contexts made and freed. */
	long made, forgotten, opened, closed;
	bool finished;
};

struct run {
	/* What the parent decided. */
	const struct op *op;
	enum run_kind kind;
	int error; /* RUN_FAIL: the one injected */
	size_t fail_at;
	bool onward;
	/* What all share. */
	struct world *world;
	struct run_result *result;
	const char *provider_dir;
	/* The child's. */
	bool again; /* the undisturbed call after the disturbed one */
	struct hf *hf;
	struct ibv_device *target, *bystander;
	uint64_t target_generation;
	int asked; /* the instance that `target` stands for */
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
	/* A stream's. */
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
	/* Looks at a success; failures are judged by run.c. */
	void (*check)(struct run *run, int answer);
	void (*drop)(struct run *run, int answer);
	void (*finish)(struct run *run); /* gives back what prepare() took */
	const int *errors;		 /* positive, ended by 0; ENOMEM is always one */
	bool about_target;		 /* it asks for one device, so a swap ends in -ENODEV */
	bool by_name;			 /* it asks for a name, and names go with a rename */
	bool netlink; /* the tree is taken for the kernel's, with netlink answered by t/lib/fakenl.c */
	bool keeps; /* works on the default context, which lives as long as the process */
};

/* The child's main function; `arg` is a struct run. */
void run_child(void *arg);

void run_fault(struct run *run, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A fresh context on the world's tree. Ends the child when that cannot be had. */
struct hf *run_context(struct run *run);
/* Lists and finds target and bystander; they hold references. */
void run_find_devices(struct run *run);
/* The same without asking them anything: what is read when first asked for is not read yet. */
void run_find_briefly(struct run *run);
/* Until stamps can be trusted, see core/notify/change_check.c. */
void run_calm_down(void);
/* Gives them a moment during which they cannot. */
void run_stir(struct run *run);

/* The kernel was made to say that something is not there which is. */
bool run_was_lied_to(const struct run *run);

/* Whether the target is another instance now than the one asked for. */
bool run_replaced(const struct run *run);

/*
 * Is this handle, with everything it tells, one instance and the same as before? Returns the
 * instance, -1 after a fault.
 */
int run_check_device(struct run *run, struct ibv_device *device);
/* The whole list: every entry right, none twice; and complete, where nothing was made to fail. */
void run_check_list(struct run *run, struct ibv_device **list, int num);
/* The descriptor's node must be the instance's. */
void run_check_node(struct run *run, int fd, int instance);

/* A pointer no function of the library returns, to see whether an output was written. */
#define UNTOUCHED ((void *)0x5a5a5a5a5a5a5a5aUL)

#endif
