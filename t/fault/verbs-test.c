/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tests the verbs part of the tier: it finds each mistake of these providers, and nothing in
 * correct code.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/verbs/context.h"
#include "t/fault/verbs.h"
#include "t/lib/hang.h"

/* Short, since one of the mistakes is an endless wait. */
/* For the sequence that hangs on purpose, which must only be found to hang. */
enum { LIMIT_OF_HANGING_S = 5 };

static struct verbs_context_ops *ops(struct vrun *v)
{
	return &hfi_context_of(v->context)->priv->ops;
}

static void sound(struct vrun *v)
{
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));

	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static struct ibv_pd *leaking_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));
	int err = pd ? hf_provider_alloc_pd(context, pd, NULL) : ENOMEM;

	if (!err)
		return pd;
	errno = err;
	return NULL;
}

static struct ibv_pd *crashing_pd(struct ibv_context *context)
{
	struct ibv_pd *volatile pd = calloc(1, sizeof(*pd));

	pd->handle = 0;
	if (!hf_provider_alloc_pd(context, pd, NULL))
		return pd;
	free(pd);
	return NULL;
}

static struct ibv_pd *own_error_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));

	if (pd && !hf_provider_alloc_pd(context, pd, NULL))
		return pd;
	free(pd);
	errno = EDOM;
	return NULL;
}

/* Does not undo its first command when the second one fails. */
static struct ibv_pd *forgetful_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));
	struct ibv_pd second = {0};

	if (pd && !hf_provider_alloc_pd(context, pd, NULL)) {
		if (!hf_provider_alloc_pd(context, &second, NULL)) {
			hf_provider_dealloc_pd(&second);
			return pd;
		}
	}
	free(pd);
	return NULL;
}

static int freed(int err, struct ibv_pd *pd)
{
	if (!err)
		free(pd);
	return err;
}

static int stubborn_dealloc(struct ibv_pd *pd)
{
	struct ibv_context *context = pd->context;
	int err = freed(hf_provider_dealloc_pd(pd), pd);

	return kernel_is_gone() && hfi_uverbs_of(context) ? EIO : err;
}

static int careless_dealloc(struct ibv_pd *pd)
{
	freed(hf_provider_dealloc_pd(pd), pd);
	return 0;
}

static int twice_dealloc(struct ibv_pd *pd)
{
	int err = hf_provider_dealloc_pd(pd);

	if (err == ENOSPC)
		hf_provider_dealloc_pd(pd);
	return freed(err, pd);
}

static int waiting_dealloc(struct ibv_pd *pd)
{
	int err = freed(hf_provider_dealloc_pd(pd), pd);

	while (kernel_is_gone())
		pause();
	return err;
}

static int touching_query(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	attr->state = IBV_PORT_DOWN;
	return hf_provider_query_port(context, port, attr);
}

static void leaking(struct vrun *v)
{
	ops(v)->alloc_pd = leaking_pd;
	sound(v);
}

static void crashing(struct vrun *v)
{
	ops(v)->alloc_pd = crashing_pd;
	sound(v);
}

static void own_error(struct vrun *v)
{
	ops(v)->alloc_pd = own_error_pd;
	sound(v);
}

static void forgetful(struct vrun *v)
{
	ops(v)->alloc_pd = forgetful_pd;
	sound(v);
}

static void stubborn(struct vrun *v)
{
	ops(v)->dealloc_pd = stubborn_dealloc;
	sound(v);
}

static void careless(struct vrun *v)
{
	ops(v)->dealloc_pd = careless_dealloc;
	sound(v);
}

static void dealloc_twice(struct vrun *v)
{
	ops(v)->dealloc_pd = twice_dealloc;
	sound(v);
}

static void waiting(struct vrun *v)
{
	ops(v)->dealloc_pd = waiting_dealloc;
	sound(v);
}

/* A provider that replaces the descriptor which reports the removal by its own. */
static void deaf(struct vrun *v)
{
	sound(v);
	if (v_is_going())
		atomic_store(&hfi_context_of(v->context)->priv->fatal, HF_FATAL_BY_CORE);
}

static void touching(struct vrun *v)
{
	struct ibv_port_attr attr;

	v_output(v, &attr, sizeof(attr));
	USED(touching_query(v->context, 1, &attr));
}

/* A mistake of the program that only the descriptors show. */
static void open_handed(struct vrun *v)
{
	struct ibv_comp_channel *channel = MADE(ibv_create_comp_channel(v->context));

	if (channel && !kernel_hits())
		DESTROYED(ibv_destroy_comp_channel(channel));
	if (!channel && dup(v->context->cmd_fd) < 0)
		v_fault(v, V_WRONG, "no descriptor");
}

static const struct vseq sound_seq = {.name = "sound", .run = sound};

static const struct {
	struct vseq seq;
	enum vkind kind;
	enum vfault fault;
} expected[] = {
	{{.name = "leaking", .run = leaking}, V_FAIL, V_LEAK},
	{{.name = "crashing", .run = crashing}, V_ALLOC, V_CRASH},
	{{.name = "own-error", .run = own_error}, V_FAIL, V_UNDOCUMENTED},
	{{.name = "forgetful", .run = forgetful}, V_FAIL, V_LEAK},
	{{.name = "stubborn", .run = stubborn}, V_GONE, V_WRONG},
	{{.name = "careless", .run = careless}, V_FAIL, V_LEAK},
	{{.name = "careless", .run = careless}, V_FAIL, V_WRONG},
	{{.name = "twice", .run = dealloc_twice}, V_FAIL, V_KERNEL},
	{{.name = "waiting", .run = waiting}, V_GONE, V_HANG},
	{{.name = "deaf", .run = deaf}, V_REPORTED, V_WRONG},
	{{.name = "stubborn", .run = stubborn}, V_REVOKED, V_WRONG},
	{{.name = "touching", .run = touching}, V_FAIL, V_TOUCHED},
	{{.name = "open-handed", .run = open_handed}, V_FAIL, V_LEAK},
};

static int test_sound_verbs(void)
{
	struct vtally tally = {0};
	int bad = 0;

	for (enum vkind kind = 0; kind < V_KINDS; kind++)
		if (vdrive_applies(&sound_seq, kind))
			bad |= vdrive(V_FRAMES, &sound_seq, kind, false, 5, &tally) < 0;
	for (size_t i = 0; i < V_FAULTS; i++)
		bad |= tally.faults[i] != 0;
	printf("sound: %zu points%s\n", tally.points, bad ? ": FAULTS FOUND" : "");
	return bad || !tally.points;
}

int main(void)
{
	int bad;

	if (vdrive_init(HF_TEST_HANG_SECONDS) < 0)
		return 99;
	bad = test_sound_verbs();
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct vtally tally = {0};
		size_t found;

		/* Finding a leak on the heap needs the allocator. */
		if (!alloc_available() && !strcmp(expected[i].seq.name, "leaking"))
			continue;
		if (!vdrive_applies(&expected[i].seq, expected[i].kind)) {
			printf("%s: not in this build\n", expected[i].seq.name);
			continue;
		}
		vdrive_limit(expected[i].fault == V_HANG ? LIMIT_OF_HANGING_S
							 : HF_TEST_HANG_SECONDS);
		if (vdrive(V_FRAMES, &expected[i].seq, expected[i].kind, false, 0, &tally) < 0)
			bad = 1;
		found = tally.faults[expected[i].fault];
		printf("%s: %zu of %zu points %s%s\n", expected[i].seq.name, found, tally.points,
		       vfault_names[expected[i].fault],
		       found ? ", as it should be" : ": NOT FOUND");
		if (!found)
			bad = 1;
	}
	return bad;
}
