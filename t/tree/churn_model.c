/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The plan and the model: the changes to the tree, and the devices that should exist. */
#include <string.h>

#include "t/tree/churn.h"

/* The last name of the pool is used for exchanges only. */
enum { SPARE_NAME = NAMES - 1 };

/* The names that the rxe provider serves. */
void model_name(int name, char text[NAME_SIZE])
{
	snprintf(text, NAME_SIZE, name % 3 ? "rxe%d" : "rxe_a_longer_name_than_most_%d", name);
}

/* splitmix64: the same plan on every machine. */
uint64_t model_random(struct model *model, uint64_t below)
{
	uint64_t z = (model->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % below;
}

static void done(int err, const char *what)
{
	if (err)
		churn_fail("the tree cannot %s: %s", what, strerror(-err));
}

static int free_name(struct model *model)
{
	int name = (int)model_random(model, SPARE_NAME);

	while (model->name_used[name])
		name = (name + 1) % SPARE_NAME;
	return name;
}

static unsigned int pick_slot(struct model *model, bool taken)
{
	unsigned int slot = (unsigned int)model_random(model, SLOTS);

	while ((model->slot[slot] != NULL) != taken)
		slot = (slot + 1) % SLOTS;
	return slot;
}

static void born(struct model *model, unsigned int slot, int name)
{
	struct instance *instance = calloc(1, sizeof(*instance)), *other;

	if (!instance)
		abort();
	instance->inode = tree_inode(model->tree, slot);
	instance->guid = tree_guid(model->tree, slot);
	instance->slot = slot;
	instance->name = name;
	instance->had_names = 1ull << name;
	instance->live = true;
	HASH_FIND(hh, model->by_inode, &instance->inode, sizeof(instance->inode), other);
	churn_check(!other, "the tree gave inode %llu twice", (unsigned long long)instance->inode);
	HASH_ADD(hh, model->by_inode, inode, sizeof(instance->inode), instance);
	model->slot[slot] = instance;
	model->name_used[name] = true;
	model->live++;
}

static int died(struct model *model, unsigned int slot)
{
	struct instance *instance = model->slot[slot];

	instance->live = false;
	model->slot[slot] = NULL;
	model->name_used[instance->name] = false;
	model->live--;
	return instance->name;
}

static void model_add(struct model *model, unsigned int slot, int name)
{
	char text[NAME_SIZE];

	model_name(name, text);
	done(tree_add(model->tree, slot, text, NULL), "add");
	born(model, slot, name);
}

static int take_out(struct model *model, unsigned int slot)
{
	done(tree_remove(model->tree, slot), "remove");
	return died(model, slot);
}

static void give_name(struct model *model, unsigned int slot, int name)
{
	struct instance *instance = model->slot[slot];
	char text[NAME_SIZE];

	model_name(name, text);
	done(tree_rename(model->tree, slot, text), "rename");
	model->name_used[instance->name] = false;
	model->name_used[name] = true;
	instance->name = name;
	instance->had_names |= 1ull << name;
}

/* Replaces a device by another one with the same name and number, without a pause. */
static void model_replace(struct model *model)
{
	unsigned int slot = pick_slot(model, true);
	int name;

	if (model_random(model, 2)) {
		done(tree_swap(model->tree, slot), "swap");
		name = died(model, slot);
		born(model, slot, name);
	} else {
		model_add(model, slot, take_out(model, slot));
	}
	model->replaces++;
}

/* Two devices exchange their names. */
static void exchange(struct model *model)
{
	unsigned int a = pick_slot(model, true), b = pick_slot(model, true);
	int name_a = model->slot[a]->name, name_b = model->slot[b]->name;

	if (a != b) {
		give_name(model, a, SPARE_NAME);
		give_name(model, b, name_a);
		give_name(model, a, name_b);
	}
	model->exchanges++;
}

/* The name moves to a device in another directory as soon as it is free. */
static void model_move(struct model *model)
{
	int name = take_out(model, pick_slot(model, true));

	model_add(model, pick_slot(model, false), name);
	model->replaces++;
}

static void one_step(struct model *model)
{
	uint64_t what = model_random(model, 100);

	if (model->live < 2 || (what < 30 && model->live < SLOTS)) {
		model_add(model, pick_slot(model, false), free_name(model));
		model->adds++;
	} else if (what < 55) {
		take_out(model, pick_slot(model, true));
		model->removes++;
	} else if (what < 75) {
		give_name(model, pick_slot(model, true), free_name(model));
		model->renames++;
	} else if (what < 87) {
		model_replace(model);
	} else if (what < 94) {
		exchange(model);
	} else if (what < 99) {
		model_move(model);
	} else {
		done(tree_drop_caches(model->tree), "change the stamps");
		model->stamps++;
	}
}

void model_step(struct model *model)
{
	pthread_mutex_lock(&model->lock);
	one_step(model);
	pthread_mutex_unlock(&model->lock);
}

struct instance *model_identify(struct model *model, struct ibv_device *device, uint64_t generation,
				const char *name)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct instance *instance, *other;
	char text[NAME_SIZE];
	int i;

	churn_check(hf_device_get_info(device, &info) == 0, "no information on %s", name);
	churn_check(generation > 0 && info.generation == generation &&
			    hf_device_generation(device) == generation,
		    "%s: generations %llu, %llu", name, (unsigned long long)generation,
		    (unsigned long long)info.generation);
	HASH_FIND(hh, model->by_inode, &info.inode, sizeof(info.inode), instance);
	churn_check(instance, "%s: inode %llu was never there", name,
		    (unsigned long long)info.inode);
	/* If the device is gone by now, the GUID may not have been read. */
	churn_check(info.node_guid == instance->guid || (!info.node_guid && !instance->live),
		    "%s has GUID %#llx", name, (unsigned long long)info.node_guid);
	if (!instance->generation) {
		HASH_FIND(by_generation, model->by_generation, &generation, sizeof(generation),
			  other);
		churn_check(!other, "%s: generation %llu was another instance's", name,
			    (unsigned long long)generation);
		instance->generation = generation;
		HASH_ADD(by_generation, model->by_generation, generation, sizeof(generation),
			 instance);
	}
	churn_check(instance->generation == generation,
		    "%s: generation %llu is now %llu in the same life", name,
		    (unsigned long long)instance->generation, (unsigned long long)generation);
	for (i = 0; i < NAMES; i++) {
		model_name(i, text);
		if (strcmp(text, name) == 0)
			break;
	}
	churn_check(i < NAMES && (instance->had_names & 1ull << i),
		    "generation %llu was never called %s", (unsigned long long)generation, name);
	snprintf(text, sizeof(text), "uverbs%u", instance->slot);
	churn_check(strcmp(info.uverbs, text) == 0, "%s is %s, not %s", name, text, info.uverbs);
	return instance;
}

void model_init(struct model *model, struct tree *tree, uint64_t seed)
{
	memset(model, 0, sizeof(*model));
	pthread_mutex_init(&model->lock, NULL);
	model->tree = tree;
	model->random = seed;
	for (int i = 0; i < SLOTS / 2; i++)
		model_add(model, pick_slot(model, false), free_name(model));
}

void model_destroy(struct model *model)
{
	struct instance *instance, *next;

	HASH_CLEAR(by_generation, model->by_generation);
	HASH_ITER (hh, model->by_inode, instance, next) {
		HASH_DEL(model->by_inode, instance);
		free(instance);
	}
	pthread_mutex_destroy(&model->lock);
}
