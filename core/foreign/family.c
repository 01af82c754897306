/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of supported private ABIs, and how the object layout of a library is found. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "shared/attr.h"
#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/family.h"
#include "core/provider/elf.h"
#include "core/provider/manifest.h"

/*
 * libibverbs/verbs.h of each release: each pointer added at the end of struct ibv_qp_ex moves the
 * mask.
 */
static const struct hf_profile profiles_34[] = {
	{36, 43, 344, false},
	{44, 44, 352, false},
	{45, 53, 360, false},
	{54, 56, 360, true},
};

static const struct hf_profile profiles_57[] = {{57, 58, 360, true}};
static const struct hf_profile profiles_59[] = {{59, 61, 360, true, 24}, {62, 63, 360, true, 32}};
static const struct hf_profile profiles_64[] = {{64, 64, 360, true, 48}};
static const struct hf_profile profiles_65[] = {{65, 65, 360, true, 48}};

static const struct hf_landmark landmarks_34[] = {
	{"__verbs_log", 37},
	{"ibv_cmd_create_cq_ex2", 53},
};

/* Vendors' builds have features of later releases under the number of an older one. */
static const struct hf_landmark landmarks_57[] = {
	{"ibv_cmd_alloc_dmah", 59},
	{"ibv_cmd_query_port_speed", 62},
	{"ibv_dmabuf_heap_alloc", 64},
	{"ibv_create_comp_cntr", 65},
};

#define SINCE_57(number)                                                                       \
	{                                                                                      \
		.name = "rdmav" #number, .abi = (number), .suffix = "-rdmav" #number ".so",    \
		.node = "IBVERBS_PRIVATE_" #number, .entry = "verbs_register_driver_" #number, \
		.soname = "libibverbs.so.1", .profiles = profiles_##number,                    \
		.num_profiles = HF_ARRAY_SIZE(profiles_##number), .landmarks = landmarks_57,   \
		.num_landmarks = HF_ARRAY_SIZE(landmarks_57),                                  \
	}

const struct hf_family hfi_families[] = {
	{
		.name = "rdmav34",
		.abi = 34,
		.suffix = "-rdmav34.so",
		.node = "IBVERBS_PRIVATE_34",
		.entry = "verbs_register_driver_34",
		.soname = "libibverbs.so.1",
		.profiles = profiles_34,
		.num_profiles = HF_ARRAY_SIZE(profiles_34),
		.landmarks = landmarks_34,
		.num_landmarks = HF_ARRAY_SIZE(landmarks_34),
	},
	SINCE_57(57),
	SINCE_57(59),
	SINCE_57(64),
	SINCE_57(65),
};
const size_t hfi_num_families = HF_ARRAY_SIZE(hfi_families);
static_assert(HF_ARRAY_SIZE(hfi_families) <= HF_FAMILIES_MAX, "foreign.c has room for each");

void hfi_family_numbers(char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < hfi_num_families && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%u",
					   i == 0		       ? ""
					   : i + 1 == hfi_num_families ? " and "
								       : ", ",
					   hfi_families[i].abi);
}

const struct hf_family *hfi_family_of(uint32_t abi)
{
	for (size_t i = 0; i < hfi_num_families; i++)
		if (hfi_families[i].abi == abi)
			return &hfi_families[i];
	return NULL;
}

uint32_t hfi_driver_id_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t id;
	} known[] = {
		{"bnxt_re", RDMA_DRIVER_BNXT_RE}, {"cxgb4", RDMA_DRIVER_CXGB4},
		{"efa", RDMA_DRIVER_EFA},	  {"erdma", RDMA_DRIVER_ERDMA},
		{"hfi1verbs", RDMA_DRIVER_HFI1},  {"hns", RDMA_DRIVER_HNS},
		{"ionic", RDMA_DRIVER_ERDMA + 2}, {"ipathverbs", RDMA_DRIVER_QIB},
		{"irdma", RDMA_DRIVER_IRDMA},	  {"mana", RDMA_DRIVER_ERDMA + 1},
		{"mlx4", RDMA_DRIVER_MLX4},	  {"mlx5", RDMA_DRIVER_MLX5},
		{"mthca", RDMA_DRIVER_MTHCA},	  {"ocrdma", RDMA_DRIVER_OCRDMA},
		{"qedr", RDMA_DRIVER_QEDR},	  {"rxe", RDMA_DRIVER_RXE},
		{"siw", RDMA_DRIVER_SIW},	  {"vmw_pvrdma", RDMA_DRIVER_VMW_PVRDMA},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].id;
	return 0;
}

static const struct hf_profile *profile_of(const struct hf_family *family, unsigned int version)
{
	for (size_t i = 0; i < family->num_profiles; i++)
		if (version >= family->profiles[i].first && version <= family->profiles[i].last)
			return &family->profiles[i];
	return NULL;
}

static void refuse_version(const struct hf_family *family, struct hf_evidence *e, const char *found,
			   const char *why)
{
	const unsigned int first = family->profiles[0].first;
	const unsigned int last = family->profiles[family->num_profiles - 1].last;
	char wanted[64];

	if (first == last)
		snprintf(wanted, sizeof(wanted), "rdma-core %u", first);
	else
		snprintf(wanted, sizeof(wanted), "rdma-core %u to %u", first, last);
	hfi_reason_set(&e->reason, HF_REASON_ABI, wanted, found,
		       "it cannot be told which layout the %s libraries expect: %s", family->name,
		       why);
	e->profile = NULL;
}

/* "libibverbs.so.1.14.44.0": the third number behind ".so" is rdma-core's version. 0: it has none. */
static unsigned int version_in_name(const char *path, const char *soname)
{
	const char *at = hfi_last_component(path);
	unsigned long numbers[3];

	if (strncmp(at, soname, strlen(soname)) != 0)
		return 0;
	at += strlen(soname);
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++) {
		const size_t digits = at[0] == '.' ? strspn(at + 1, "0123456789") : 0;

		if (!digits || digits > 4)
			return 0;
		numbers[i] = strtoul(at + 1, NULL, 10);
		at += 1 + digits;
	}
	return at[0] ? 0 : (unsigned int)numbers[1];
}

static void check_landmarks(const struct hf_family *family, const struct hf_elf *elf,
			    struct hf_evidence *e)
{
	char found[64], why[200];

	if (!hfi_elf_names(elf, family->node)) {
		snprintf(why, sizeof(why), "%s has no symbol node %s", family->soname,
			 family->node);
		refuse_version(family, e, "another private ABI", why);
		return;
	}
	/* A provider is bound to one node; a library with two is no release's. */
	for (size_t i = 1; i < hfi_num_families; i++) {
		if (&hfi_families[i] == family || !hfi_elf_names(elf, hfi_families[i].node))
			continue;
		snprintf(found, sizeof(found), "%s as well", hfi_families[i].node);
		snprintf(why, sizeof(why), "%s has two symbol nodes, %s and %s", family->soname,
			 family->node, hfi_families[i].node);
		refuse_version(family, e, found, why);
		return;
	}
	for (size_t i = 0; i < family->num_landmarks; i++) {
		const struct hf_landmark *mark = &family->landmarks[i];
		bool has = hfi_elf_names(elf, mark->name);

		if (has == (e->version >= mark->since))
			continue;
		snprintf(found, sizeof(found), "%u by name, %s %s", e->version,
			 has ? "but" : "without", mark->name);
		snprintf(why, sizeof(why), "%s says it is of rdma-core %u, yet it %s %s, %s %u",
			 family->soname, e->version, has ? "exports" : "lacks", mark->name,
			 has ? "new in" : "there since", mark->since);
		refuse_version(family, e, found, why);
		return;
	}
}

static char *resolve(const char *dir, const char *name)
{
	char *path, *real;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	real = realpath(path, NULL);
	free(path);
	return real;
}

/*
 * The loader's own file, whole path, resolved: the name behind the links has the version. It is never
 * asked for with "..": the C library would call faccessat2() for that, which old filters of containers
 * refuse. 0 and the path, which the caller frees, -ENOENT or -ENOMEM.
 */
static int find_family_library(const struct hf_family *family, const char *dir, char **ret)
{
	char *place = realpath(dir, NULL), *found = NULL, *last = NULL;
	int err;

	if (place)
		found = resolve(place, family->soname);
	if (place && !found && errno != ENOMEM)
		last = strrchr(place, '/');
	if (last) {
		*last = '\0';
		found = resolve(place, family->soname);
	}
	err = errno == ENOMEM ? -ENOMEM : -ENOENT;
	free(place);
	if (!found)
		return err;
	*ret = found;
	return 0;
}

/* Reads the exports of the library, unless the file is a known one. -ENOMEM. */
static int look_into(const struct hf_family *family, const char *real, const struct hf_cache *known,
		     struct hf_evidence *e)
{
	struct hf_elf elf = {0};
	struct stat st;
	int err;

	if (stat(real, &st) == 0) {
		e->library = hfi_file_identity(&st);
		if (hfi_cache_find(known, &e->library))
			return 0;
	}
	err = hfi_elf_read(real, &elf, &e->reason);
	if (!err)
		check_landmarks(family, &elf, e);
	else
		e->profile = NULL;
	hfi_elf_clear(&elf);
	e->looked_into = e->profile;
	return err == -ENOMEM ? err : 0;
}

int hfi_family_evidence(const struct hf_family *family, const char *dir, unsigned int stated,
			const struct hf_cache *known, struct hf_evidence *ret)
{
	struct hf_evidence e = {.version = stated};
	char *real = NULL, found[64];
	int err;

	if (stated) {
		e.profile = profile_of(family, stated);
		snprintf(found, sizeof(found), "rdma-core %u as stated", stated);
		if (!e.profile)
			refuse_version(family, &e, found,
				       "no layout is known for the version stated");
		*ret = e;
		return 0;
	}
	err = find_family_library(family, dir, &real);
	if (err == -ENOMEM)
		return err;
	if (err) {
		refuse_version(family, &e, "no libibverbs.so.1",
			       "there is no libibverbs.so.1 beside them to tell it by");
		*ret = e;
		return 0;
	}
	e.version = version_in_name(real, family->soname);
	e.profile = profile_of(family, e.version);
	if (!e.version)
		snprintf(found, sizeof(found), "no version in %.40s", strrchr(real, '/') + 1);
	else
		snprintf(found, sizeof(found), "rdma-core %u", e.version);
	if (!e.profile) {
		refuse_version(family, &e, found,
			       e.version ? "no layout is known for the version of libibverbs.so.1"
					 : "the name of libibverbs.so.1 has no version");
		goto free_path;
	}
	err = look_into(family, real, known, &e);
free_path:
	free(real);
	if (err)
		return err;
	*ret = e;
	return 0;
}
