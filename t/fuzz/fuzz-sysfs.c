/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attribute files of a device in a made-up tree. The input is a list of records, each a byte that
 * picks a file, a byte that says what becomes of it, and then, for contents, a length byte and that
 * many bytes. What a record changed is put back before the next input.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/text.h"
#include "core/device/root_kind.h"
#include "core/discovery/attrs.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/discover.h"
#include "core/discovery/entry.h"
#include "core/discovery/port_tables.h"
#include "core/discovery/read_brief.h"
#include "core/discovery/sysfs.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "sysfs";

#define VERBS "class/infiniband_verbs/"
#define IB    "class/infiniband/hf0/"

static struct attribute {
	const char *path;
	const char *value;
	int changed;
} attributes[] = {
	{VERBS "uverbs0/ibdev", "hf0\n", 0},
	{VERBS "uverbs0/dev", "231:192\n", 0},
	{VERBS "uverbs0/abi_version", "1\n", 0},
	{VERBS "abi_version", "6\n", 0},
	{VERBS "uverbs0/device/modalias", "pci:v000015B3d00001017\n", 0},
	{IB "node_type", "1: CA\n", 0},
	{IB "node_guid", "5054:00ff:fe12:3456\n", 0},
	{IB "sys_image_guid", "5054:00ff:fe12:3456\n", 0},
	{IB "fw_ver", "1.2.3\n", 0},
	{IB "ports/1/state", "4: ACTIVE\n", 0},
	{IB "ports/1/phys_state", "5: LinkUp\n", 0},
	{IB "ports/1/rate", "2.5 Gb/sec (1X SDR)\n", 0},
	{IB "ports/1/link_layer", "Ethernet\n", 0},
	{IB "ports/1/lid", "0x0\n", 0},
	{IB "ports/1/gids/0", "fe80:0000:0000:0000:5054:00ff:fe12:3456\n", 0},
	{IB "ports/1/gids/1", "0000:0000:0000:0000:0000:ffff:0a00:0001\n", 0},
	{IB "ports/1/gids/2", "0000:0000:0000:0000:0000:0000:0000:0000\n", 0},
	{IB "ports/1/gid_attrs/types/0", "IB/RoCE v1\n", 0},
	{IB "ports/1/gid_attrs/types/1", "RoCE v2\n", 0},
	{IB "ports/1/gid_attrs/ndevs/0", "eth0\n", 0},
	{IB "ports/1/gid_attrs/ndevs/1", "eth0\n", 0},
	{IB "ports/1/pkeys/0", "0xffff\n", 0},
};

enum { NUM_ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]) };

/* What becomes of a file. */
enum { CONTENTS, MISSING, DIRECTORY, LOOP, NUM_ACTIONS };

static char top[64];
static int top_fd;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_sysfs_dir(void)
{
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_dirs(const char *path)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		fuzz_check(!mkdirat(top_fd, copy, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static void put_sysfs_file(const char *path, const void *value, size_t size)
{
	int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	fuzz_check(fd >= 0);
	fuzz_check(write(fd, value, size) == (ssize_t)size);
	close(fd);
}

static void make_sysfs_dir(void)
{
	static const char *const odd[] = {
		VERBS "uverbs/",      VERBS "uverbs01/", VERBS "uverbs18446744073709551616/",
		VERBS "uverbs0\xff/", VERBS "uverbs3/",	 "class/infiniband/other/ports/",
	};

	snprintf(top, sizeof(top), "/dev/shm/hf-fuzz-XXXXXX");
	if (!mkdtemp(top)) {
		snprintf(top, sizeof(top), "/tmp/hf-fuzz-XXXXXX");
		fuzz_check(mkdtemp(top) != NULL);
	}
	atexit(remove_sysfs_dir);
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fuzz_check(top_fd >= 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		make_dirs(odd[i]);
	for (int i = 0; i < NUM_ATTRIBUTES; i++) {
		make_dirs(attributes[i].path);
		put_sysfs_file(attributes[i].path, attributes[i].value,
			       strlen(attributes[i].value));
	}
}

static void restore_attribute(struct attribute *attribute)
{
	/* A directory first, since unlink() of it and rmdir() of anything else fail. */
	if (unlinkat(top_fd, attribute->path, AT_REMOVEDIR))
		unlinkat(top_fd, attribute->path, 0);
	attribute->changed = 0;
}

static void apply_input(const uint8_t *data, size_t size)
{
	while (size >= 2) {
		struct attribute *attribute = &attributes[data[0] % NUM_ATTRIBUTES];
		int action = data[1] < 0xf0 ? CONTENTS : data[1] % NUM_ACTIONS;
		size_t length = 0;

		data += 2;
		size -= 2;
		restore_attribute(attribute);
		attribute->changed = 1;
		switch (action) {
		case CONTENTS:
			if (size) {
				length = data[0];
				data++;
				size--;
			}
			if (length > size)
				length = size;
			put_sysfs_file(attribute->path, data, length);
			data += length;
			size -= length;
			break;
		case DIRECTORY:
			fuzz_check(!mkdirat(top_fd, attribute->path, 0755));
			break;
		case LOOP:
			fuzz_check(!symlinkat("../uverbs0/ibdev", top_fd, attribute->path));
			break;
		default:
			break;
		}
	}
}

static void put_back(void)
{
	for (int i = 0; i < NUM_ATTRIBUTES; i++) {
		struct attribute *attribute = &attributes[i];

		if (!attribute->changed)
			continue;
		restore_attribute(attribute);
		put_sysfs_file(attribute->path, attribute->value, strlen(attribute->value));
	}
}

static void check_fuzzed_gids(int dir, const struct hf_entry *entry, uint32_t port)
{
	struct hf_gid *gids = NULL;
	uint16_t pkey;
	union ibv_gid gid;
	int count;

	count = hfi_read_gids(dir, entry, port, &gids);
	if (count < 0)
		fuzz_check(!gids);
	for (int i = 0; i < count; i++) {
		fuzz_check(fuzz_is_string(gids[i].netdev));
		fuzz_check(gids[i].type <= HF_GID_TYPE_UNKNOWN);
		fuzz_check(!i || gids[i].index > gids[i - 1].index);
	}
	free(gids);
	for (uint32_t i = 0; i < 4; i++) {
		fuzz_check(hfi_read_gid(dir, entry, port, i, &gid) <= 0);
		fuzz_check(hfi_read_pkey(dir, port, i, &pkey) <= 0);
	}
	fuzz_check(hfi_find_pkey(dir, port, 0xffff) <= UINT16_MAX);
}

static void check_entry(const struct hf_search_root *root, const struct hf_entry *entry)
{
	struct hf_entry again;
	char name[HF_NAME_SIZE], modalias[HF_MODALIAS_SIZE];
	struct hf_reason reason;
	int dir, ret;

	fuzz_check(hfi_is_uverbs_name(entry->uverbs));
	fuzz_check(fuzz_is_string(entry->name));
	hfi_entry_format_reason(entry, &reason);
	fuzz_check(fuzz_is_string(reason.text));
	fuzz_fill(modalias, sizeof(modalias));
	if (hfi_entry_read_modalias(root, entry, modalias))
		fuzz_check(fuzz_untouched(modalias, sizeof(modalias)));
	else
		fuzz_check(fuzz_is_string(modalias));
	fuzz_check(hfi_entry_same(entry, entry) == 1);

	fuzz_fill(&again, sizeof(again));
	ret = hfi_discover_one(root, 0, HF_SOURCE_SYSFS, NULL, entry->uverbs, &again);
	fuzz_check(ret <= 0);
	if (ret)
		fuzz_check(fuzz_untouched(&again, sizeof(again)));
	else
		fuzz_check(hfi_entry_same(entry, &again) == 1);

	if (entry->reason.code != HF_REASON_NONE)
		return;
	/* Nothing changed since it was found. */
	fuzz_check(hfi_entry_verify(root, NULL, entry) == 0);
	dir = hfi_entry_open_uverbs(root, entry);
	if (dir >= 0)
		close(dir);
	dir = hfi_entry_open_dir(root, entry, name);
	if (dir < 0)
		return;
	fuzz_check(hfi_is_component(name, HF_NAME_SIZE - 1));
	for (uint32_t port = 0; port < 3; port++) {
		struct hf_port_info info;

		fuzz_fill(&info, sizeof(info));
		info.size = sizeof(info);
		if (!hfi_read_port(dir, NULL, entry, port, &info, NULL)) {
			fuzz_check(fuzz_is_string(info.netdev));
			fuzz_check(fuzz_is_string(info.rate));
		}
		check_fuzzed_gids(dir, entry, port);
	}
	close(dir);
}

/* What was read briefly and then completed is what is read at once. */
static void check_brief(const struct hf_search_root *root, const struct hf_entry *entry,
			const struct hf_entry *whole)
{
	struct hf_entry brief = *entry;
	int ret;

	fuzz_check(!strcmp(brief.uverbs, whole->uverbs) && !strcmp(brief.name, whole->name));
	ret = hfi_entry_read_number(root, &brief);
	fuzz_check(ret || !brief.node_number || brief.node_number == whole->node_number);
	ret = hfi_entry_complete(root, NULL, &brief);
	fuzz_check(ret == 0 || (ret < 0 && brief.brief && whole->reason.code != HF_REASON_NONE));
	if (ret)
		return;
	fuzz_check(brief.brief == whole->brief && (!brief.brief || !brief.node_guid));
	fuzz_check(brief.life.inode == whole->life.inode &&
		   brief.device_inode == whole->device_inode);
	fuzz_check(brief.node_number == whole->node_number && brief.node_guid == whole->node_guid);
	fuzz_check(brief.kernel_abi == whole->kernel_abi && brief.node_type == whole->node_type);
	fuzz_check(brief.protocol == whole->protocol);
	fuzz_check(brief.reason.code == whole->reason.code);
}

static void check_all_brief(const struct hf_search_root *root, const struct hf_entries *whole)
{
	struct hf_entries brief = {0};

	fuzz_check(hfi_discover(root, 0, HF_SOURCE_SYSFS | HF_READ_BRIEF, NULL, &brief) >= 0);
	fuzz_check(brief.count == whole->count);
	for (size_t i = 0; i < brief.count; i++)
		check_brief(root, &brief.v[i], &whole->v[i]);
	hfi_entries_free(&brief);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_entries entries = {0};
	struct hf_search_root root;
	char dev[80];
	int before, after;

	if (!top[0])
		make_sysfs_dir();
	snprintf(dev, sizeof(dev), "%s/dev", top);
	before = dup(top_fd);
	close(before);

	apply_input(data, size);
	fuzz_check(!hfi_search_root_init(&root, top, dev));
	if (hfi_discover(&root, 0, HF_SOURCE_SYSFS, NULL, &entries) >= 0) {
		for (size_t i = 0; i < entries.count; i++)
			check_entry(&root, &entries.v[i]);
		check_all_brief(&root, &entries);
	}
	hfi_entries_free(&entries);
	put_back();

	after = dup(top_fd);
	close(after);
	fuzz_check(before == after);
	return 0;
}
