/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A thread that records every event of a stream, and the check of the record at the end. */
#ifndef VM_RECORD_H
#define VM_RECORD_H

#include <pthread.h>
#include <stdatomic.h>

#include "t/vm/vm.h"

#define VM_MAX_INSTANCES 4096
#define VM_MAX_EVENTS	 32768

/* What was done to instance number i, from which follows what a stream may report about it. */
struct vm_truth {
	atomic_bool made; /* set last */
	bool waited;	  /* both streams had reported ADDED before anything else was done to it */
	bool renamed;
	uint64_t guid;
};

/* Instance numbers are the kernel's own: RDMA netlink's index, counted from the first one here. */
struct vm_plan {
	struct vm_truth truth[VM_MAX_INSTANCES];
	unsigned int num; /* instances made */
	int base;	  /* index of instance 0 */
	const char *name, *new_name;
};

struct vm_record {
	enum hf_event_type type;
	uint32_t changes;
	uint64_t sequence, generation;
	int instance; /* -1: none */
	char name[64];
};

struct vm_recorder {
	pthread_t thread;
	struct hf_stream *stream;
	struct vm_plan *plan;
	pthread_mutex_t lock;
	bool stop;
	unsigned int num;
	struct vm_record *records;		 /* VM_MAX_EVENTS */
	unsigned char told[VM_MAX_INSTANCES];	 /* bit per event type */
	unsigned char renames[VM_MAX_INSTANCES]; /* CHANGED with NAME */
};

void vm_recorder_start(struct vm_recorder *recorder, struct hf *hf, struct vm_plan *plan);
/* Waits until the stream has reported this event of the instance. False after ten seconds. */
bool vm_recorder_wait(struct vm_recorder *recorder, unsigned int instance, enum hf_event_type type);
/* Waits until no event has come for `quiet_ms`. */
void vm_recorder_drain(struct vm_recorder *recorder, unsigned int quiet_ms);
/* Ends the thread and its stream. */
void vm_recorder_stop(struct vm_recorder *recorder);

struct vm_verdict {
	unsigned int events, added, renamed, removed, other_changes, unseen, resyncs;
};

/* Compares what was reported with what was done. Reports errors through vm_error(). */
void vm_recorder_judge(const struct vm_recorder *recorder, struct vm_verdict *verdict);

#endif
