/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Discovery while another thread swaps and renames devices: every entry must describe one instance
 * in all its parts.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/root_kind.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/parse.h"
#include "core/discovery/sysfs.h"
#include "t/lib/tree.h"

enum { DEVICES = 3, ROUNDS = 3000, HISTORY = ROUNDS + DEVICES };

struct instance {
	uint64_t inode, guid;
	int32_t index;
};

static struct instance history[HISTORY];
static size_t history_count;
static atomic_bool done;

static void record_instance(const struct tree *tree, unsigned int n)
{
	history[history_count++] =
		(struct instance){tree_inode(tree, n), tree_guid(tree, n), tree_index(tree, n)};
}

static void *disturb_tree(void *arg)
{
	struct tree *tree = arg;
	unsigned int seed = 1;

	/* Under valgrind a round takes fifty times as long. */
	const unsigned int rounds = getenv("HF_VALGRIND") ? ROUNDS / 10 : ROUNDS;

	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int n = (unsigned int)rand_r(&seed) % DEVICES;

		if (rand_r(&seed) % 4) {
			char name[32];

			snprintf(name, sizeof(name), "dev%u_%u", n, i % 5);
			if (strcmp(name, tree_name(tree, n)) != 0 && tree_rename(tree, n, name))
				abort();
			continue;
		}
		if (tree_swap(tree, n))
			abort();
		record_instance(tree, n);
		usleep(20);
	}
	done = true;
	return NULL;
}

struct sightings {
	struct hf_entry *v;
	size_t count, size;
};

static void note_sighting(struct sightings *sightings, const struct hf_entry *entry)
{
	if (sightings->count == sightings->size) {
		sightings->size = sightings->size ? sightings->size * 2 : 1024;
		sightings->v = realloc(sightings->v, sightings->size * sizeof(*entry));
		assert_non_null(sightings->v);
	}
	sightings->v[sightings->count++] = *entry;
}

/* The GUID below the directory that is opened for an entry; 0 if it cannot be read. */
static uint64_t guid_by_directory(const struct hf_search_root *root, const struct hf_entry *entry)
{
	int fd = hfi_entry_open_dir(root, entry, NULL);
	uint64_t guid = 0;
	char text[64];

	if (fd < 0) {
		if (fd != -ENODEV && fd != -EIO)
			fail_msg("open_dir: %s", strerror(-fd));
		return 0;
	}
	if (hfi_attr_read(fd, "node_guid", text, sizeof(text), NULL) > 0)
		assert_int_equal(hfi_parse_guid(text, &guid), 0);
	close(fd);
	return guid;
}

static void check_sighting(const struct hf_entry *entry)
{
	for (size_t i = 0; i < history_count; i++) {
		if (history[i].inode != entry->life.inode)
			continue;
		assert_int_equal(be64toh(entry->node_guid), history[i].guid);
		if (entry->index >= 0)
			assert_int_equal(entry->index, history[i].index);
		return;
	}
	fail_msg("%s: no instance has inode %ju", entry->uverbs, (uintmax_t)entry->life.inode);
}

static void run_race(unsigned int sources)
{
	struct sightings sightings = {.v = NULL};
	unsigned int opened = 0, with_reason = 0, lists = 0, indexed = 0;
	struct hf_search_root root;
	struct hf_nl *nl = NULL;
	struct tree *tree;
	pthread_t thread;

	history_count = 0;
	done = false;
	assert_int_equal(tree_new(&tree, NULL), 0);
	assert_int_equal(hfi_search_root_init(&root, tree_sysfs(tree), tree_dev(tree)), 0);
	for (unsigned int n = 0; n < DEVICES; n++) {
		char name[32];

		snprintf(name, sizeof(name), "dev%u", n);
		assert_int_equal(tree_add(tree, n, name, NULL), 0);
		record_instance(tree, n);
	}
	if (sources & HF_SOURCE_NETLINK) {
		setenv("HF_FAKE_RDMA_TREE", tree_sysfs(tree), 1);
		root.kind = &hfi_root_kernel;
		assert_int_equal(hfi_nl_open(&nl), 0);
	}
	assert_int_equal(pthread_create(&thread, NULL, disturb_tree, tree), 0);
	while (!done) {
		struct hf_entries entries = {.v = NULL};

		assert_int_equal(hfi_discover(&root, 0, sources, nl, &entries), 0);
		assert_true(entries.count <= DEVICES);
		lists++;
		for (size_t i = 0; i < entries.count; i++) {
			struct hf_entry *entry = &entries.v[i];
			uint64_t guid;

			if (entry->reason.code != HF_REASON_NONE) {
				with_reason++;
				continue;
			}
			/* A brief entry is completed from the same instance, or not at all. */
			if (entry->brief && hfi_entry_complete(&root, nl, entry) != 0)
				continue;
			indexed += entry->index >= 0;
			note_sighting(&sightings, entry);
			guid = guid_by_directory(&root, entry);
			if (guid) {
				opened++;
				assert_int_equal(guid, entry->node_guid);
			}
		}
		hfi_entries_free(&entries);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (size_t i = 0; i < sightings.count; i++)
		check_sighting(&sightings.v[i]);
	print_message("%zu instances; %u lists, %zu entries (%u with an index, %u directories "
		      "opened), %u with a reason\n",
		      history_count, lists, sightings.count, indexed, opened, with_reason);
	assert_true(sightings.count > 0 && opened > 0);
	free(sightings.v);
	hfi_nl_close(nl);
	tree_free(tree);
}

static void by_sysfs(void **state)
{
	(void)state;
	run_race(HF_SOURCE_SYSFS);
}

static void by_sysfs_brief(void **state)
{
	(void)state;
	run_race(HF_SOURCE_SYSFS | HF_READ_BRIEF);
}

static void by_both(void **state)
{
	(void)state;
	run_race(HF_SOURCE_SYSFS | HF_SOURCE_NETLINK);
}

static void by_both_brief(void **state)
{
	(void)state;
	run_race(HF_SOURCE_SYSFS | HF_SOURCE_NETLINK | HF_READ_BRIEF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_sysfs),
		cmocka_unit_test(by_sysfs_brief),
		cmocka_unit_test(by_both),
		cmocka_unit_test(by_both_brief),
	};

	return cmocka_run_group_tests_name("discovery under change", tests, NULL, NULL);
}
