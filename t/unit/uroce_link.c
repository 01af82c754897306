/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: two QPs over a link that loses, repeats and reorders packets by a seed; all data is right. */
#include <stdlib.h>
#include <string.h>

#include "t/unit/uroce_bed.h"

enum {
	OPERATIONS = 400,
	SHORT_OPERATIONS = 30,
	SCHEDULES = 1000, /* short ones; each a link of its own */
	LENGTH_MAX = 6000,
	LINK_MAX = 4096,
};

struct link_load {
	unsigned int lost, repeated, late; /* of 1000 */
};

struct carried {
	struct bed_side *to;
	struct bed_frame *frame;
};

struct link_bed {
	struct bed_side *sides[2];
	struct carried carried[LINK_MAX];
	uint32_t count;
	struct link_load load;
	uint32_t random;
	uint64_t value; /* of the peer's atomic, once all that was posted is done */
};

/* The one that is running, and the one that failed. */
static struct {
	struct link_load load;
	uint32_t seed, operations;
} schedule;

static uint32_t link_random(struct link_bed *bed, uint32_t below)
{
	bed->random = bed->random * 1664525 + 1013904223;
	return (bed->random >> 8) % below;
}

static void carry(struct link_bed *bed, struct bed_side *to, const struct bed_frame *frame)
{
	struct carried carried = {to, malloc(sizeof(*frame))};
	uint32_t at = bed->count;

	assert_non_null(carried.frame);
	assert_true(bed->count < LINK_MAX);
	*carried.frame = *frame;
	if (link_random(bed, 1000) < bed->load.late)
		at -= link_random(bed, at < 8 ? at + 1 : 8);
	memmove(&bed->carried[at + 1], &bed->carried[at], (bed->count - at) * sizeof(carried));
	bed->carried[at] = carried;
	bed->count++;
}

static void collect(struct link_bed *bed, unsigned int from)
{
	struct bed_side *side = bed->sides[from];

	for (uint32_t i = 0; i < side->frame_count; i++) {
		if (link_random(bed, 1000) < bed->load.lost)
			continue;
		carry(bed, bed->sides[!from], &side->frames[i]);
		if (link_random(bed, 1000) < bed->load.repeated)
			carry(bed, bed->sides[!from], &side->frames[i]);
	}
	bed_forget(side);
}

static void deliver_some(struct link_bed *bed)
{
	uint32_t some = 1 + link_random(bed, 16);

	for (uint32_t i = 0; i < some && bed->count; i++) {
		struct carried first = bed->carried[0];
		struct uroce_packet packet;

		memmove(bed->carried, bed->carried + 1, --bed->count * sizeof(first));
		assert_int_equal(uroce_headers_parse(first.frame->bytes, first.frame->size,
						     &packet),
				 UROCE_HEADER_OK);
		bed_give(first.to, &packet);
		free(first.frame);
	}
}

/* Runs both sides until neither has anything to do but to wait, and then goes to when one of them wakes. */
static void run_link(struct link_bed *bed)
{
	uint64_t next = UROCE_WIRE_NEVER;

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t deadline = bed_run(bed->sides[i]);

		collect(bed, i);
		next = deadline < next ? deadline : next;
	}
	if (bed->count) {
		deliver_some(bed);
	} else if (next != UROCE_WIRE_NEVER) {
		for (unsigned int i = 0; i < 2; i++)
			bed->sides[i]->now = next > bed->sides[i]->now ? next : bed->sides[i]->now;
	}
}

static struct link_bed *new_link(enum uroce_service service, struct link_load load, uint32_t seed)
{
	struct link_bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->load = load;
	bed->random = seed;
	/* PSNs wrap on the way. */
	bed->sides[0] = bed_new(service, 1, 2, 0xffff80);
	bed->sides[1] = bed_new(service, 2, 1, 0xffff80);
	/* The worst of many links loses more often in a row than a QP can be told to try. */
	bed->sides[0]->qp.req.retry_max = 100;
	return bed;
}

static void free_link(struct link_bed *bed)
{
	while (bed->count)
		free(bed->carried[--bed->count].frame);
	bed_free(bed->sides[0]);
	bed_free(bed->sides[1]);
	free(bed);
}

/* What each operation is to lead to; SENDs and immediates in order, the rest by itself. */
struct operation {
	enum uroce_request_kind kind;
	bool has_imm;
	uint32_t length;
	uint8_t *data, *expected;
	uint64_t before; /* of an atomic */
};

static struct operation operations[OPERATIONS];

static void fill_link(struct link_bed *bed, uint8_t *data, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		data[i] = (uint8_t)link_random(bed, 256);
}

static bool is_atomic_kind(enum uroce_request_kind kind)
{
	return kind == UROCE_REQUEST_FETCH_ADD || kind == UROCE_REQUEST_COMPARE_SWAP;
}

/* Every other comparison finds another value than its own. */
static void make_atomic(struct link_bed *bed, struct operation *operation,
			struct uroce_request *request)
{
	request->va += BED_MEMORY - 8;
	operation->before = bed->value;
	request->swap_add = 3;
	if (operation->kind == UROCE_REQUEST_FETCH_ADD) {
		bed->value += request->swap_add;
		return;
	}
	request->swap_add = link_random(bed, 1 << 24) * UINT64_C(0x100000001);
	request->compare = bed->value + link_random(bed, 2);
	if (request->compare == bed->value)
		bed->value = request->swap_add;
}

static void make_operation(struct link_bed *bed, struct operation *operation, uint32_t index)
{
	static const enum uroce_request_kind kinds[] = {
		UROCE_REQUEST_SEND,	   UROCE_REQUEST_SEND,	UROCE_REQUEST_WRITE,
		UROCE_REQUEST_READ,	   UROCE_REQUEST_WRITE, UROCE_REQUEST_FETCH_ADD,
		UROCE_REQUEST_COMPARE_SWAP};
	struct bed_side *side = bed->sides[0], *peer = bed->sides[1];
	struct uroce_request *request;
	uint32_t length;

	operation->kind = kinds[link_random(bed, side->qp.service == UROCE_SERVICE_RC ? 7 : 3)];
	operation->has_imm = link_random(bed, 3) == 0 && operation->kind < UROCE_REQUEST_READ;
	length = is_atomic_kind(operation->kind) ? 8 : link_random(bed, LENGTH_MAX);
	if (!is_atomic_kind(operation->kind) && link_random(bed, 3) == 0)
		length = link_random(bed, 9) * BED_MTU;
	operation->length = length;
	operation->data = calloc(1, LENGTH_MAX);
	operation->expected = calloc(1, LENGTH_MAX);
	assert_true(operation->data && operation->expected);
	request = bed_post(side, operation->kind, operation->data, length);
	request->has_imm = operation->has_imm;
	request->imm = index;
	request->fence = link_random(bed, 10) == 0;
	/* WRITEs have the upper half, one place for each that can be in flight; READs the lower. */
	if (operation->kind == UROCE_REQUEST_READ) {
		request->va += link_random(bed, BED_MEMORY / 2 - LENGTH_MAX);
		memcpy(operation->expected, peer->memory + (request->va - BED_VA), length);
	} else if (operation->kind == UROCE_REQUEST_WRITE) {
		request->va += BED_MEMORY / 2 + (size_t)(index % 16) * (LENGTH_MAX + 100);
		fill_link(bed, operation->data, length);
	} else if (operation->kind == UROCE_REQUEST_SEND) {
		fill_link(bed, operation->data, length);
	} else {
		make_atomic(bed, operation, request);
	}
}

static void check_operation(struct link_bed *bed, const struct operation *operation, uint32_t index)
{
	struct bed_side *peer = bed->sides[1];
	const uint8_t *to =
		peer->memory + BED_MEMORY / 2 + (size_t)(index % 16) * (LENGTH_MAX + 100);
	uint64_t before;

	switch (operation->kind) {
	case UROCE_REQUEST_READ:
		assert_memory_equal(operation->data, operation->expected, operation->length);
		break;
	case UROCE_REQUEST_WRITE:
		assert_memory_equal(to, operation->data, operation->length);
		break;
	case UROCE_REQUEST_FETCH_ADD:
	case UROCE_REQUEST_COMPARE_SWAP:
		memcpy(&before, operation->data, 8);
		assert_int_equal(before, operation->before);
		break;
	default:
		break;
	}
}

static void check_link_counters(const struct link_bed *bed, struct link_load load)
{
	const uint64_t *ours = bed->sides[0]->counters, *theirs = bed->sides[1]->counters;

	assert_true(!load.lost || ours[UROCE_COUNT_RETRY]);
	assert_true(!load.repeated || theirs[UROCE_COUNT_DUPLICATE_REQUEST]);
	assert_true(!load.late || theirs[UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST]);
}

/* RC: whatever the link does, everything completes, once and in order. */
static void check_reliable(struct link_load load, uint32_t seed, uint32_t operation_count)
{
	struct link_bed *bed = new_link(UROCE_SERVICE_RC, load, seed);
	struct bed_side *side = bed->sides[0], *peer = bed->sides[1];
	uint32_t posted = 0, checked = 0, received = 0, turns = 0;
	uint64_t value;

	schedule.load = load;
	schedule.seed = seed;
	schedule.operations = operation_count;
	memset(operations, 0, sizeof(operations));
	fill_link(bed, peer->memory, BED_MEMORY / 2);
	while (checked < operation_count) {
		/* Ten at a time; WRITEs would overwrite each other's place. */
		if (posted < operation_count && posted - checked < 10 && link_random(bed, 4) == 0) {
			make_operation(bed, &operations[posted], posted);
			posted++;
		}
		/* Receive requests come late: RNR. */
		if (peer->posted - peer->taken < 4 && link_random(bed, 4) == 0) {
			uint8_t *to = calloc(1, LENGTH_MAX);

			assert_non_null(to);
			bed_post_receive(peer, to, LENGTH_MAX);
		}
		run_link(bed);
		assert_true(++turns < 1000000);
		while (checked < side->done_count) {
			const struct operation *operation = &operations[checked];

			assert_int_equal(side->done[checked].position, checked);
			assert_int_equal(side->done[checked].status, IBV_WC_SUCCESS);
			check_operation(bed, operation, checked);
			if (operation->kind == UROCE_REQUEST_SEND || operation->has_imm) {
				const struct uroce_received *log = &peer->received[received];

				assert_true(received < peer->received_count);
				assert_int_equal(log->status, IBV_WC_SUCCESS);
				assert_int_equal(log->length, operation->length);
				assert_int_equal(log->has_imm, operation->has_imm);
				assert_true(!log->has_imm || log->imm == checked);
				if (operation->kind == UROCE_REQUEST_SEND)
					assert_memory_equal(
						peer->receives[received % BED_RECEIVES].to,
						operation->data, operation->length);
				received++;
			}
			checked++;
		}
	}
	assert_int_equal(peer->received_count, received);
	assert_int_equal(peer->faults + side->faults, 0);
	memcpy(&value, peer->memory + BED_MEMORY - 8, 8);
	assert_int_equal(value, bed->value);
	/* What never arrives late or twice is not told apart in a short one. */
	if (operation_count == OPERATIONS)
		check_link_counters(bed, load);
	for (uint32_t i = 0; i < operation_count; i++) {
		free(operations[i].data);
		free(operations[i].expected);
	}
	for (uint32_t i = 0; i < peer->posted; i++)
		free(peer->receives[i].to);
	free_link(bed);
}

static void rc_over_a_good_link(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++)
		check_reliable((struct link_load){0}, seed, OPERATIONS);
}

static void rc_over_a_link_that_loses(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++)
		check_reliable((struct link_load){.lost = 10 * seed}, seed, OPERATIONS);
}

static void rc_over_a_link_that_repeats(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++)
		check_reliable((struct link_load){.repeated = 100 * seed}, seed, OPERATIONS);
}

static void rc_over_a_link_that_reorders(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4; seed++)
		check_reliable((struct link_load){.late = 20 * seed}, seed, OPERATIONS);
}

static void rc_over_a_link_that_does_all(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++)
		check_reliable((struct link_load){.lost = 20, .repeated = 20, .late = 20}, seed,
			       OPERATIONS);
}

/* Each seed makes a link and what is sent; with long=1 there are a hundred times as many. */
static void rc_over_many_links(void **state)
{
	const char *wanted = getenv("long");
	uint32_t count = getenv("HF_VALGRIND") ? SCHEDULES / 30 : SCHEDULES;

	if (wanted && strcmp(wanted, "1") == 0)
		count *= 100;
	(void)state;
	for (uint32_t seed = 1; seed <= count; seed++) {
		struct link_bed bed = {.random = seed * 2654435761u};
		const struct link_load load = {
			.lost = link_random(&bed, 3) * link_random(&bed, 80),
			.repeated = link_random(&bed, 3) * link_random(&bed, 80),
			.late = link_random(&bed, 3) * link_random(&bed, 80)};

		check_reliable(load, seed, SHORT_OPERATIONS);
	}
}

static int tell_schedule(void **state)
{
	(void)state;
	print_message("the last schedule: seed %u, %u operations; of 1000 packets %u lost, %u "
		      "repeated, %u late\n",
		      schedule.seed, schedule.operations, schedule.load.lost,
		      schedule.load.repeated, schedule.load.late);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(rc_over_a_good_link, tell_schedule),
		cmocka_unit_test_teardown(rc_over_a_link_that_loses, tell_schedule),
		cmocka_unit_test_teardown(rc_over_a_link_that_repeats, tell_schedule),
		cmocka_unit_test_teardown(rc_over_a_link_that_reorders, tell_schedule),
		cmocka_unit_test_teardown(rc_over_a_link_that_does_all, tell_schedule),
		cmocka_unit_test_teardown(rc_over_many_links, tell_schedule),
	};

	return cmocka_run_group_tests_name("uroce over a bad link", tests, NULL, NULL);
}
