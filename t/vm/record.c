/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records the events of a stream in a thread, and checks the record at the end. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/lib/hang.h"
#include "t/vm/record.h"

static void write_down(struct vm_recorder *recorder, const struct hf_event *event)
{
	struct ibv_device *device = hf_event_device(event);
	struct hf_device_info info;
	struct vm_record *record;

	pthread_mutex_lock(&recorder->lock);
	if (recorder->num == VM_MAX_EVENTS)
		vm_die("too many events");
	record = &recorder->records[recorder->num++];
	record->type = hf_event_type(event);
	record->changes = hf_event_changes(event);
	record->sequence = hf_event_sequence(event);
	record->generation = hf_event_generation(event);
	record->instance = -1;
	if (device) {
		vm_info(device, &info);
		record->instance = info.index - recorder->plan->base;
		snprintf(record->name, sizeof(record->name), "%s", hf_event_name(event));
		if (record->instance < 0 || record->instance >= VM_MAX_INSTANCES)
			vm_die("event of an instance with index %d", info.index);
		recorder->told[record->instance] |= (unsigned char)(1u << record->type);
		if (record->changes & HF_CHANGED_NAME)
			recorder->renames[record->instance]++;
	}
	pthread_mutex_unlock(&recorder->lock);
}

static void *read_stream(void *arg)
{
	struct vm_recorder *recorder = arg;
	struct pollfd poll_fd = {.fd = hf_stream_fd(recorder->stream), .events = POLLIN};
	struct hf_event *event;
	bool stop = false;
	int ret;

	while (!stop) {
		poll(&poll_fd, 1, 100);
		while ((ret = hf_stream_next(recorder->stream, &event)) == 1) {
			write_down(recorder, event);
			hf_event_unref(event);
		}
		if (ret < 0)
			vm_die("hf_stream_next: %s", strerror(-ret));
		pthread_mutex_lock(&recorder->lock);
		stop = recorder->stop;
		pthread_mutex_unlock(&recorder->lock);
	}
	return NULL;
}

void vm_recorder_start(struct vm_recorder *recorder, struct hf *hf, struct vm_plan *plan)
{
	int ret;

	memset(recorder, 0, sizeof(*recorder));
	recorder->plan = plan;
	recorder->records = calloc(VM_MAX_EVENTS, sizeof(*recorder->records));
	if (!recorder->records)
		vm_die("no memory");
	pthread_mutex_init(&recorder->lock, NULL);
	ret = hf_stream_new(hf, NULL, &recorder->stream);
	if (ret)
		vm_die("hf_stream_new: %s", strerror(-ret));
	if (pthread_create(&recorder->thread, NULL, read_stream, recorder))
		vm_die("pthread_create");
}

bool vm_recorder_wait(struct vm_recorder *recorder, unsigned int instance, enum hf_event_type type)
{
	uint64_t end = vm_now_us() + HF_TEST_HANG_SECONDS * UINT64_C(1000000);
	bool told;

	do {
		pthread_mutex_lock(&recorder->lock);
		if (type == HF_EVENT_CHANGED)
			told = recorder->renames[instance];
		else
			told = recorder->told[instance] & (1u << type);
		pthread_mutex_unlock(&recorder->lock);
		if (told)
			return true;
		usleep(2000);
	} while (vm_now_us() < end);
	return false;
}

void vm_recorder_drain(struct vm_recorder *recorder, unsigned int quiet_ms)
{
	unsigned int num, last = 0, quiet = 0;

	while (quiet < quiet_ms) {
		usleep(50000);
		pthread_mutex_lock(&recorder->lock);
		num = recorder->num;
		pthread_mutex_unlock(&recorder->lock);
		quiet = num == last ? quiet + 50 : 0;
		last = num;
	}
}

void vm_recorder_stop(struct vm_recorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
	recorder->stop = true;
	pthread_mutex_unlock(&recorder->lock);
	pthread_join(recorder->thread, NULL);
	recorder->stream = hf_stream_unref(recorder->stream);
}

/* What a stream has reported about an instance so far. */
struct life {
	bool added, removed;
	unsigned int renames;
	uint64_t generation;
	char name[64];
};

static void judge_one(const struct vm_plan *plan, const struct vm_record *record, struct life *life)
{
	const char *type = hf_event_type_name(record->type);
	bool renamed = record->changes & HF_CHANGED_NAME;
	bool other_name = strcmp(record->name, life->name) != 0;
	int i = record->instance;

	if (!plan->truth[i].made)
		vm_error("%s of instance %d that was never made", type, i);
	if (life->removed)
		vm_error("instance %d: %s after removed", i, type);
	if (record->type == HF_EVENT_ADDED && life->added)
		vm_error("instance %d: added twice", i);
	if (record->type != HF_EVENT_ADDED && !life->added)
		vm_error("instance %d: %s before added", i, type);
	if (life->added && record->generation != life->generation)
		vm_error("instance %d: generation %" PRIu64 " became %" PRIu64, i, life->generation,
			 record->generation);
	if (strcmp(record->name, plan->name) != 0 &&
	    (!plan->truth[i].renamed || strcmp(record->name, plan->new_name) != 0))
		vm_error("instance %d: %s under the name %s", i, type, record->name);
	/* The name differs from the last reported one if and only if the event says so. */
	if (life->added && renamed != other_name)
		vm_error("instance %d: %s says %s after %s", i, type, record->name, life->name);

	switch (record->type) {
	case HF_EVENT_ADDED:
		life->added = true;
		life->generation = record->generation;
		break;
	case HF_EVENT_REMOVED:
		life->removed = true;
		break;
	default:
		if (!record->changes)
			vm_error("instance %d: nothing changed", i);
		life->renames += renamed;
		break;
	}
	memcpy(life->name, record->name, sizeof(life->name));
}

static void judge_lives(const struct vm_plan *plan, const struct life *lives,
			struct vm_verdict *verdict)
{
	uint64_t last = 0;
	unsigned int i;

	for (i = 0; i < plan->num; i++) {
		const struct vm_truth *truth = &plan->truth[i];
		const struct life *life = &lives[i];

		if (!life->added) {
			/* Not reported is allowed only if it was removed before the stream read it. */
			verdict->unseen++;
			if (truth->waited)
				vm_error("instance %u was never reported", i);
			continue;
		}
		verdict->added++;
		verdict->removed += life->removed;
		verdict->renamed += life->renames;
		if (!life->removed)
			vm_error("instance %u: no removed", i);
		if (truth->waited && life->renames != truth->renamed)
			vm_error("instance %u: renamed %u times, reported %u times", i,
				 truth->renamed, life->renames);
		if (life->renames > truth->renamed)
			vm_error("instance %u: a rename too many", i);
		if (life->generation <= last)
			vm_error("instance %u: generation %" PRIu64 " after %" PRIu64, i,
				 life->generation, last);
		last = life->generation;
	}
}

void vm_recorder_judge(const struct vm_recorder *recorder, struct vm_verdict *verdict)
{
	struct life *lives = calloc(VM_MAX_INSTANCES, sizeof(*lives));
	unsigned int i, synced = 0;

	if (!lives)
		vm_die("no memory");
	memset(verdict, 0, sizeof(*verdict));
	verdict->events = recorder->num;
	for (i = 0; i < recorder->num; i++) {
		const struct vm_record *record = &recorder->records[i];

		if (record->sequence != i + 1)
			vm_error("event %u has sequence %" PRIu64, i + 1, record->sequence);
		if (record->type == HF_EVENT_RESYNC)
			verdict->resyncs++;
		else if (record->type == HF_EVENT_SYNCED)
			synced++;
		else
			judge_one(recorder->plan, record, &lives[record->instance]);
		if (record->type == HF_EVENT_CHANGED && record->changes & ~HF_CHANGED_NAME)
			verdict->other_changes++;
	}
	if (synced != 1 + verdict->resyncs)
		vm_error("%u synced events, %u resyncs", synced, verdict->resyncs);
	judge_lives(recorder->plan, lives, verdict);
	free(lives);
}
