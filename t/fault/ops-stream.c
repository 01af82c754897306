/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Streams: their events must add up to the existing devices, whatever failed. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "t/fault/ops.h"
#include "t/lib/hang.h"

enum { EVENTS_AT_ONCE = 64, PATIENCE_MS = HF_TEST_HANG_MS };

static const int stream_errors[] = {EIO, EMFILE, ENFILE, 0};

static struct stream_model *model_of(struct run *run)
{
	return &run->model;
}

static int find_seen(const struct stream_model *model, uint64_t generation)
{
	for (size_t i = 0; i < model->num_seen; i++)
		if (model->seen[i] == generation)
			return (int)i;
	return -1;
}

static void take_device_event(struct run *run, struct hf_event *event)
{
	struct stream_model *model = model_of(run);
	uint64_t generation = hf_event_generation(event);
	struct ibv_device *device = hf_event_device(event);
	enum hf_event_type type = hf_event_type(event);
	int at = find_seen(model, generation);

	if (!device || hf_device_generation(device) != generation) {
		run_fault(run, FAULT_WRONG_DEVICE,
			  "an event about one generation has the device "
			  "of another");
		return;
	}
	run_check_device(run, device);
	if (type == HF_EVENT_ADDED) {
		if (at >= 0)
			run_fault(run, FAULT_WRONG_ANSWER, "generation %lu is added twice",
				  (unsigned long)generation);
		else if (model->num_seen < RUN_GENERATIONS)
			model->seen[model->num_seen++] = generation;
		return;
	}
	if (at < 0) {
		run_fault(run, FAULT_WRONG_ANSWER, "generation %lu is %s and was never added",
			  (unsigned long)generation, hf_event_type_name(type));
		return;
	}
	if (type == HF_EVENT_REMOVED)
		model->seen[at] = model->seen[--model->num_seen];
}

static void take_model_event(struct run *run, struct hf_event *event)
{
	struct stream_model *model = model_of(run);

	if (hf_event_sequence(event) != ++model->sequence)
		run_fault(run, FAULT_WRONG_ANSWER, "event %lu has the number %lu",
			  (unsigned long)model->sequence, (unsigned long)hf_event_sequence(event));
	switch (hf_event_type(event)) {
	case HF_EVENT_SYNCED:
		model->synced = true;
		break;
	case HF_EVENT_RESYNC:
		model->synced = false;
		break;
	default:
		take_device_event(run, event);
	}
	hf_event_unref(event);
}

/* Takes all available events. 0, or the error that ended it. */
static int take_all(struct run *run, struct hf_stream *stream)
{
	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		struct hf_event *event = UNTOUCHED;
		int ret = hf_stream_next(stream, &event);

		if (ret <= 0 && event != UNTOUCHED)
			run_fault(run, FAULT_TOUCHED, "hf_stream_next gave nothing and wrote");
		if (ret <= 0)
			return ret;
		take_model_event(run, event);
	}
	run_fault(run, FAULT_WRONG_ANSWER, "the events do not end");
	return 0;
}

static bool adds_up(struct run *run)
{
	const struct stream_model *model = model_of(run);
	size_t there = 0;

	if (!model->synced)
		return false;
	for (int i = 0; i < WORLD_DEVICES; i++) {
		bool seen = false;

		if (run->world->now[i] < 0)
			continue;
		there++;
		for (size_t j = 0; j < run->num_known; j++)
			if (run->known[j].instance == run->world->now[i] &&
			    find_seen(model, run->known[j].generation) >= 0)
				seen = true;
		if (!seen)
			return false;
	}
	return there == model->num_seen;
}

/* Without faults: the descriptor must be readable as long as there is an event. */
static void settle(struct run *run, struct hf_stream *stream)
{
	struct pollfd poller = {.fd = hf_stream_fd(stream), .events = POLLIN};

	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		int ret = take_all(run, stream);

		if (ret < 0) {
			run_fault(run, FAULT_POISONED, "hf_stream_next fails with %s",
				  strerror(-ret));
			return;
		}
		if (adds_up(run) || run_was_lied_to(run))
			return;
		if (poll(&poller, 1, PATIENCE_MS) <= 0)
			break;
	}
	run_fault(run, FAULT_POISONED, "the events do not add up to what is there%s: %zu devices",
		  model_of(run)->synced ? "" : ", nor is it synced", model_of(run)->num_seen);
}

static bool allowed(struct run *run, int error)
{
	if (error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM)
		return run->kind == RUN_FAIL || run->kind == RUN_ALLOC || run->kind == RUN_SHORT;
	return false;
}

static void take_disturbed(struct run *run, struct hf_stream *stream)
{
	int ret = take_all(run, stream);

	if (ret < 0 && !allowed(run, -ret))
		run_fault(run, FAULT_UNDOCUMENTED, "hf_stream_next failed with %s", strerror(-ret));
}

static void prepare_stream(struct run *run)
{
	run_settle_stamps();
	run->hf = run_context(run);
}

static int call_stream_new(struct run *run)
{
	int ret;

	memset(model_of(run), 0, sizeof(struct stream_model));
	ret = hf_stream_new(run->hf, NULL, &run->stream);
	if (ret == 0)
		take_disturbed(run, run->stream);
	return ret;
}

static void check_new(struct run *run, int answer)
{
	(void)answer;
	settle(run, run->stream);
}

static void drop_new_stream(struct run *run, int answer)
{
	(void)answer;
	hf_stream_unref(run->stream);
}

/* A stream that is up to date, followed by a change. */
static void prepare_live(struct run *run)
{
	int ret;

	run->hf = run_context(run);
	run_find_devices(run);
	ret = hf_stream_new(run->hf, NULL, &run->live);
	if (ret < 0) {
		run_fault(run, FAULT_POISONED, "hf_stream_new fails with %s", strerror(-ret));
		run->live = NULL;
		return;
	}
	settle(run, run->live);
}

static void prepare_add(struct run *run)
{
	prepare_live(run);
	world_change(run->world, WORLD_ADD);
}

static void prepare_remove(struct run *run)
{
	world_change(run->world, WORLD_ADD);
	prepare_live(run);
	world_change(run->world, WORLD_REMOVE_ADDED);
}

static int call_live(struct run *run)
{
	if (run->live)
		take_disturbed(run, run->live);
	return 0;
}

static void check_live(struct run *run, int answer)
{
	(void)answer;
	if (run->live)
		settle(run, run->live);
}

static void finish_live(struct run *run)
{
	run->live = hf_stream_unref(run->live);
}

const struct op ops_stream[] = {
	{.name = "stream",
	 .prepare = prepare_stream,
	 .call = call_stream_new,
	 .check = check_new,
	 .drop = drop_new_stream,
	 .errors = stream_errors},
	{.name = "stream-add",
	 .prepare = prepare_add,
	 .call = call_live,
	 .check = check_live,
	 .finish = finish_live,
	 .errors = stream_errors},
	{.name = "stream-remove",
	 .prepare = prepare_remove,
	 .call = call_live,
	 .check = check_live,
	 .finish = finish_live,
	 .errors = stream_errors},
	{.name = NULL},
};
