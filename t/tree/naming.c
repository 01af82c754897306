/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names on seeded random machines: cards with functions, virtual functions and sub-functions, on
 * several buses and domains, on board and in slots. Invariants: two devices never get the same
 * name; a name does not change when other devices come, go or are renamed; and it equals the name
 * from a second implementation of the rules, which does not read the tree. Counts how often
 * rdma-core's tool gives the same name, and why not. Environment: NAMING_TREES (how many),
 * NAMING_SEED (the first seed), thin=1 (a quarter of the usual number).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "naming/hardware.h"
#include "t/lib/pci_tree.h"
#include "soft/files.h"
#include "t/lib/tree.h"

enum { TREES = 600, TREES_THIN = 150, TREES_VALGRIND = 30, ITEMS = 160, ROUNDS = 2 };

enum kind { FUNCTION, VF, SF, VIRTUAL };

/* A function or sub-function that may have an RDMA device. */
struct item {
	enum kind kind;
	struct pci_tree_function function;
	struct item *above; /* a VF's PF, a sub-function's function */
	uint32_t number;    /* of the VF or sub-function */
	uint32_t id;	    /* of the sub-function's device */
	uint32_t slot;	    /* 0: none */
	uint64_t guid;
	const char *protocol;
	bool has_ib, present;
	char ib[HF_NAME_SIZE];
	char parent[PCI_TREE_PATH];
	char names[5][HF_NAME_SIZE]; /* by policy list; empty: none */
};

static const char *const lists[] = {"NAME_FALLBACK", "NAME_PCI", "NAME_ONBOARD,NAME_SLOT,NAME_PCI",
				    "NAME_GUID", "NAME_SLOT"};

enum { NUM_LISTS = sizeof(lists) / sizeof(lists[0]) };

struct machine {
	struct tree *tree;
	int root;
	uint64_t random;
	struct item items[ITEMS];
	size_t count;
	unsigned int kernel_number;
	uint32_t next_index, next_slot;
};

static struct {
	unsigned long trees, devices, names, kept, like_older, vf_suffix, sub_function;
} figures;

static uint64_t current_seed;

#define fail_seed(...)                                                                 \
	do {                                                                           \
		print_error("NAMING_SEED=%" PRIu64 " NAMING_TREES=1: ", current_seed); \
		fail_msg(__VA_ARGS__);                                                 \
	} while (0)

static uint32_t pick(struct machine *machine, uint32_t below)
{
	machine->random ^= machine->random << 13;
	machine->random ^= machine->random >> 7;
	machine->random ^= machine->random << 17;
	return (uint32_t)((machine->random >> 11) % below);
}

static struct item *add_item(struct machine *machine, enum kind kind)
{
	static const char *const protocols[] = {"ib", "roce", "iw", "opa", "usnic", ""};
	struct item *item;

	if (machine->count == ITEMS)
		return NULL;
	item = &machine->items[machine->count++];
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	item->function.acpi_index = PCI_TREE_NONE;
	item->function.smbios_index = PCI_TREE_NONE;
	item->function.ari = pick(machine, 4) ? 0 : PCI_TREE_NONE;
	item->protocol = protocols[pick(machine, 6)];
	item->has_ib = true;
	item->guid = (uint64_t)pick(machine, UINT32_MAX) << 32 | machine->count;
	return item;
}

static bool bus_is_taken(const struct machine *machine, uint32_t domain, uint32_t bus)
{
	for (size_t i = 0; i < machine->count; i++)
		if (machine->items[i].function.at.domain == domain &&
		    machine->items[i].function.at.bus == bus)
			return true;
	return false;
}

static void add_sfs(struct machine *machine, struct item *above)
{
	uint32_t count = pick(machine, 3);

	for (uint32_t i = 0; i < count; i++) {
		struct item *item = add_item(machine, SF);

		if (!item)
			return;
		item->above = above;
		item->number = i * (1 + pick(machine, 40)) + (i ? 40 * i : 0);
		item->id = (uint32_t)machine->count;
	}
}

/* VFs get the routing numbers after the PFs', as the card's SR-IOV capability says. */
static void add_vfs(struct machine *machine, struct item *pf, uint32_t offset, uint32_t stride,
		    uint32_t count)
{
	uint32_t base = pf->function.at.device * 8 + pf->function.at.function;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t routing = base + offset + i * stride;
		struct item *item = add_item(machine, VF);

		if (!item)
			return;
		item->above = pf;
		item->number = i;
		item->function.ari = pf->function.ari;
		item->function.at = (struct hf_pci_address){pf->function.at.domain,
							    pf->function.at.bus + (routing >> 8),
							    routing >> 3 & 31, routing & 7};
		if (!pick(machine, 5))
			add_sfs(machine, item);
	}
}

static void add_card(struct machine *machine)
{
	static const uint32_t domains[] = {0, 0, 0, 1, 0xe3a4, 0x10000};
	uint32_t domain = domains[pick(machine, 6)], bus = pick(machine, 250);
	uint32_t functions = pick(machine, 3) ? 1 + pick(machine, 2) : 1 + pick(machine, 8);
	uint32_t vfs = pick(machine, 2) ? 0 : 1 + pick(machine, 12),
		 first = (uint32_t)machine->count;
	uint32_t slot = pick(machine, 3) ? 0 : machine->next_slot++;
	bool ari = pick(machine, 2), wide = ari && functions > 2 && !pick(machine, 3);
	/*
	 * Firmware numbers the card or not; the multi-function bit is set if there are several
	 * functions.
	 */
	bool onboard = !pick(machine, 4);

	/* The VFs of one card may extend to the next bus. */
	if (bus_is_taken(machine, domain, bus) || bus_is_taken(machine, domain, bus + 1) ||
	    (bus && bus_is_taken(machine, domain, bus - 1)))
		return;
	for (uint32_t i = 0; i < functions; i++) {
		struct item *item = add_item(machine, FUNCTION);
		uint32_t number = wide ? i * 3 : i;

		if (!item)
			return;
		item->function.at = (struct hf_pci_address){domain, bus, number >> 3, number & 7};
		item->function.multi_function = functions > 1 || !pick(machine, 4);
		item->slot = slot;
		if (ari)
			item->function.ari = 1;
		if (onboard && pick(machine, 2))
			item->function.acpi_index = machine->next_index++;
		else if (onboard)
			item->function.smbios_index = machine->next_index++;
		else if (!pick(machine, 6))
			item->function.acpi_index = 16384 + pick(machine, 100000);
		/* A card with several functions may offer RDMA on only some. */
		item->has_ib = functions == 1 || pick(machine, 5);
	}
	for (uint32_t i = 0; i < functions && first + i < machine->count; i++) {
		struct item *item = &machine->items[first + i];

		if (vfs && i < 2)
			add_vfs(machine, item, 32, 2 + pick(machine, 6) * 2, vfs);
		if (!pick(machine, 4))
			add_sfs(machine, item);
	}
}

static void make_model(struct machine *machine)
{
	uint32_t cards = 1 + pick(machine, 6), soft = pick(machine, 3);

	machine->next_index = pick(machine, 3);
	machine->next_slot = 1 + pick(machine, 30);
	for (uint32_t i = 0; i < cards; i++)
		add_card(machine);
	for (uint32_t i = 0; i < soft; i++)
		add_item(machine, VIRTUAL);
}

/* The rules again, applied to the model. `older`: as rdma-core's tool applies them. */
static void body_of(const struct item *item, bool use_slot, bool older, char *body)
{
	const struct item *named = item->kind == SF ? item->above : item;
	const struct item *pf = named->kind == VF ? named->above : named;
	const struct hf_pci_address *at = &pf->function.at;
	uint32_t function = at->function + (pf->function.ari == 1 ? at->device * 8 : 0);
	bool shown = function || pf->function.multi_function;

	*body = '\0';
	if (at->domain)
		body += sprintf(body, "P%" PRIu32, at->domain);
	if (use_slot)
		body += sprintf(body, "s%" PRIu32, pf->slot);
	else
		body += sprintf(body, "p%" PRIu32 "s%" PRIu32, at->bus, at->device);
	if (shown)
		body += sprintf(body, "f%" PRIu32, function);
	if (named->kind == VF && (shown || !older))
		body += sprintf(body, "v%" PRIu32, named->number);
	if (item->kind == SF)
		sprintf(body, "S%" PRIu32, item->number);
}

static const struct item *card_of(const struct item *item)
{
	const struct item *named = item->kind == SF ? item->above : item;

	return named->kind == VF ? named->above : named;
}

static void expected_name(const struct item *item, int list, bool older, char name[HF_NAME_SIZE])
{
	const char *prefix = *item->protocol ? item->protocol : "rdma";
	int64_t index = item->function.acpi_index;
	char body[HF_NAME_SIZE] = "";
	bool slot;

	*name = '\0';
	if (list == 3) {
		snprintf(name, HF_NAME_SIZE, "%sx%016" PRIx64, prefix, item->guid);
		return;
	}
	if (item->kind == VIRTUAL || (older && item->kind == SF))
		return;
	if (index == PCI_TREE_NONE)
		index = item->function.smbios_index;
	slot = card_of(item)->slot != 0;
	if ((list == 0 || list == 2) && item->kind == FUNCTION && index >= 0 && index <= 16383)
		snprintf(body, sizeof(body), "o%" PRId64, index);
	else if (list == 4 && !slot)
		return;
	else
		body_of(item, slot && (list == 2 || list == 4), older, body);
	snprintf(name, HF_NAME_SIZE, "%.8s%.50s", prefix, body);
}

static void put_ib(struct machine *machine, struct item *item)
{
	snprintf(item->ib, sizeof(item->ib), "mlx5_%u", machine->kernel_number++);
	assert_int_equal(pci_tree_add_ib(machine->root, item->kind == VIRTUAL ? NULL : item->parent,
					 item->ib, item->guid),
			 0);
}

static void plug_item(struct machine *machine, struct item *item)
{
	int err = 0;

	if (item->present || (item->above && !item->above->present))
		return;
	if (item->kind == FUNCTION || item->kind == VF) {
		err = pci_tree_add(machine->root, &item->function);
		pci_tree_path(&item->function.at, item->parent);
	}
	if (!err && item->kind == VF)
		err = pci_tree_make_vf(machine->root, &item->function.at, &item->above->function.at,
				       item->number);
	if (!err && item->kind == SF)
		err = pci_tree_add_sf(machine->root, &item->above->function.at, item->id,
				      item->number, item->parent);
	assert_int_equal(err, 0);
	item->present = true;
	if (item->has_ib)
		put_ib(machine, item);
}

static void unplug_item(struct machine *machine, struct item *item)
{
	int err = 0;

	if (!item->present)
		return;
	for (size_t i = 0; i < machine->count; i++)
		if (machine->items[i].above == item)
			unplug_item(machine, &machine->items[i]);
	if (item->has_ib)
		assert_int_equal(pci_tree_remove_ib(machine->root,
						    item->kind == VIRTUAL ? NULL : item->parent,
						    item->ib),
				 0);
	if (item->kind == FUNCTION)
		err = pci_tree_remove(machine->root, &item->function.at);
	else if (item->kind == VF)
		err = pci_tree_remove_vf(machine->root, &item->function.at,
					 &item->above->function.at, item->number);
	else if (item->kind == SF)
		err = pci_tree_remove_sf(machine->root, &item->above->function.at, item->id);
	assert_int_equal(err, 0);
	item->present = false;
}

static void decide(const struct item *item, const struct hf_name_hardware *hardware, int list,
		   char name[HF_NAME_SIZE])
{
	struct hf_nldev facts = {.node_guid = item->guid};
	struct hf_name_policies policies;
	struct hf_name_answer answer;
	int ret;

	snprintf(facts.name, sizeof(facts.name), "%s", item->ib);
	snprintf(facts.protocol, sizeof(facts.protocol), "%s", item->protocol);
	assert_int_equal(hfi_name_parse_policies(lists[list], &policies), 0);
	ret = hfi_name_decide(&policies, NULL, &facts, hardware, NULL, &answer);
	if (ret && ret != -ENOENT)
		fail_seed("%s %s: %s", item->parent, lists[list], answer.why);
	strcpy(name, ret ? "" : answer.name);
	if (!ret && hfi_name_fault(name))
		fail_seed("%s: %s", name, hfi_name_fault(name));
}

/* Computes all names: the first time they are stored, later they must be the same. */
static void check_names(struct machine *machine, bool first)
{
	char name[HF_NAME_SIZE], wanted[HF_NAME_SIZE];
	struct hf_name_hardware hardware;

	for (size_t i = 0; i < machine->count; i++) {
		struct item *item = &machine->items[i];

		if (!item->present || !item->has_ib)
			continue;
		assert_int_equal(hfi_name_look(machine->root, item->ib, &hardware), 0);
		for (int list = 0; list < NUM_LISTS; list++) {
			decide(item, &hardware, list, name);
			expected_name(item, list, false, wanted);
			if (strcmp(name, wanted) != 0)
				fail_seed("%s %s: \"%s\", the rules say \"%s\"", item->parent,
					  lists[list], name, wanted);
			if (first) {
				strcpy(item->names[list], name);
				figures.names += *name != '\0';
				continue;
			}
			figures.kept++;
			if (strcmp(name, item->names[list]) != 0)
				fail_seed("%s %s: \"%s\" became \"%s\"", item->parent, lists[list],
					  item->names[list], name);
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct for any combination of these policy lists. */
static void check_distinct(const struct machine *machine)
{
	const char *all[ITEMS] = {NULL};
	size_t count;

	for (int list = 0; list < NUM_LISTS; list++) {
		count = 0;
		for (size_t i = 0; i < machine->count; i++)
			if (*machine->items[i].names[list])
				all[count++] = machine->items[i].names[list];
		qsort(all, count, sizeof(*all), by_text);
		for (size_t i = 1; i < count; i++)
			if (!strcmp(all[i - 1], all[i]))
				fail_seed("%s: two devices are called %s", lists[list], all[i]);
	}
}

static void compare_older(const struct machine *machine)
{
	char name[HF_NAME_SIZE];

	for (size_t i = 0; i < machine->count; i++) {
		const struct item *item = &machine->items[i];

		figures.devices += item->has_ib;
		for (int list = 0; list < 2 && item->has_ib; list++) {
			expected_name(item, list, true, name);
			if (!strcmp(name, item->names[list]))
				figures.like_older++;
			else if (item->kind == SF)
				figures.sub_function++;
			else if (item->kind == VF && !item->above->function.multi_function)
				figures.vf_suffix++;
			else
				fail_seed("%s: \"%s\", the older tool said \"%s\"", item->parent,
					  item->names[list], name);
		}
	}
}

static void put_slots(struct machine *machine)
{
	char slot[16], address[32], name[32];

	for (size_t i = 0; i < machine->count; i++) {
		const struct item *item = &machine->items[i];

		if (!item->slot || item->kind != FUNCTION || item->function.at.function ||
		    item->function.at.device)
			continue;
		pci_tree_name(&item->function.at, name);
		snprintf(slot, sizeof(slot), "%" PRIu32, item->slot);
		snprintf(address, sizeof(address), "%.*s", (int)(strrchr(name, '.') - name), name);
		assert_int_equal(pci_tree_slot(machine->root, slot, address), 0);
	}
}

static void one_machine(uint64_t seed)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	char slot[16];

	assert_non_null(machine);
	machine->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	assert_int_equal(tree_new(&machine->tree, NULL), 0);
	machine->root = open(tree_sysfs(machine->tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(machine->root >= 0);
	make_model(machine);
	put_slots(machine);
	for (size_t i = 0; i < machine->count; i++)
		plug_item(machine, &machine->items[i]);
	check_names(machine, true);
	check_distinct(machine);
	compare_older(machine);
	for (int round = 0; round < ROUNDS; round++) {
		/* Unplugs cards, VFs and sub-functions; the remaining devices keep their names. */
		for (size_t i = 0; i < machine->count; i++)
			if (!pick(machine, 3))
				unplug_item(machine, &machine->items[i]);
		check_names(machine, false);
		/* A new card has a slot of its own. */
		snprintf(slot, sizeof(slot), "%d", 1000 + round);
		assert_int_equal(pci_tree_slot(machine->root, slot, "00ff:00:00"), 0);
		/* They return in another order, so the kernel gives them other names. */
		for (size_t i = machine->count * 2; i--;)
			plug_item(machine,
				  &machine->items[(i * 7 + (size_t)round) % machine->count]);
		for (size_t i = 0; i < machine->count; i++)
			plug_item(machine, &machine->items[i]);
		check_names(machine, false);
	}
	figures.trees++;
	close(machine->root);
	tree_free(machine->tree);
	free(machine);
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
	const char *value = getenv(variable);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void machines(void **state)
{
	const uint64_t all = number_of("thin", 0) ? TREES_THIN : TREES;
	const uint64_t usual = getenv("HF_VALGRIND") ? TREES_VALGRIND : all;
	uint64_t seed = number_of("NAMING_SEED", 1), trees = number_of("NAMING_TREES", usual);

	(void)state;
	for (uint64_t i = 0; i < trees; i++) {
		current_seed = seed + i;
		one_machine(current_seed);
	}
	printf("machines: %lu, devices: %lu, names: %lu, asked for again after something came or "
	       "went: "
	       "%lu\n",
	       figures.trees, figures.devices, figures.names, figures.kept);
	printf("NAME_FALLBACK and NAME_PCI: %lu as the older tool's; not: %lu VFs of a PF without "
	       "the bit for several functions, %lu sub-functions\n",
	       figures.like_older, figures.vf_suffix, figures.sub_function);
	/* A generator that makes none of the hard cases proves nothing. */
	if (trees >= TREES_THIN)
		assert_true(figures.vf_suffix * TREES > 500 * trees &&
			    figures.sub_function * TREES > 500 * trees &&
			    figures.names * TREES > 20000 * trees);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
