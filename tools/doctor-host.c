/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: checks the machine: modules, nodes, limits. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include "tools/doctor.h"
#include "tools/names.h"

/* With less, registering the buffers of ordinary benchmarks and storage targets fails. */
enum { MEMLOCK_NEEDED = 64 << 20 };

/* The number of entries that begin with `prefix`; 0 if the directory does not exist. */
static size_t count_entries(const char *dir, const char *path, const char *prefix)
{
	char *full = hfi_tool_print("%s/%s", dir, path);
	DIR *stream = opendir(full);
	struct dirent *entry;
	size_t count = 0;

	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix)))
			count++;
	if (stream)
		closedir(stream);
	free(full);
	return count;
}

enum module_files { MODULE_FILE, NO_MODULE_FILE, NO_MODULE_DIRECTORY };

static enum module_files find_uverbs_module(void)
{
	static const char *const endings[] = {"", ".xz", ".zst", ".gz"};
	enum module_files found = NO_MODULE_FILE;
	struct utsname name;
	char *dir;

	if (uname(&name))
		return NO_MODULE_DIRECTORY;
	dir = hfi_tool_print("/lib/modules/%s", name.release);
	if (!hfi_exists(dir, "modules.dep"))
		found = NO_MODULE_DIRECTORY;
	for (size_t i = 0; found == NO_MODULE_FILE && i < sizeof(endings) / sizeof(endings[0]);
	     i++) {
		char *path =
			hfi_tool_print("kernel/drivers/infiniband/core/ib_uverbs.ko%s", endings[i]);

		if (hfi_exists(dir, path))
			found = MODULE_FILE;
		free(path);
	}
	free(dir);
	return found;
}

static void no_uverbs(struct hf_findings *findings, const struct hf_root *root)
{
	size_t hidden = count_entries(root->sysfs, "class/infiniband", "");
	char *problem, *remedy;

	if (!hfi_is_kernel_root(root->sysfs)) {
		hfi_found(findings, HF_PROBLEM, "no-uverbs-class", NULL,
			  hfi_tool_print("The tree %s has no directory class/infiniband_verbs.",
					 root->sysfs),
			  hfi_tool_print(
				  "Give another tree with --root or SYSFS_PATH, or none to use "
				  "/sys."));
		return;
	}
	if (hidden)
		problem = hfi_tool_print(
			"The kernel has %zu RDMA device%s, but the module ib_uverbs is "
			"not loaded: no program can use them.",
			hidden, hidden == 1 ? "" : "s");
	else
		problem = hfi_tool_print("The kernel has no RDMA interface for programs: %s/class/"
					 "infiniband_verbs does not exist.",
					 root->sysfs);
	switch (find_uverbs_module()) {
	case NO_MODULE_FILE:
		remedy = hfi_tool_print("This kernel comes without RDMA modules, as in many cloud "
					"images: install the full kernel package, such as "
					"linux-image-amd64 or linux-modules-extra, and boot it.");
		break;
	case NO_MODULE_DIRECTORY:
		remedy = hfi_tool_print(
			"This kernel's modules are not installed here; load them on the host: "
			"modprobe ib_uverbs; for soft-RoCE: modprobe rdma_rxe.");
		break;
	default:
		remedy = hfi_tool_print("Load the module: modprobe ib_uverbs%s",
					hidden ? "."
					       : "; then your hardware's driver, or for soft-RoCE: "
						 "modprobe rdma_rxe && rdma link add rxe0 type rxe "
						 "netdev INTERFACE.");
		break;
	}
	hfi_found(findings, HF_PROBLEM, hidden ? "uverbs-not-loaded" : "no-uverbs-class", NULL,
		  problem, remedy);
}

static void no_devices(struct hf_findings *findings, const struct hf_root *root)
{
	bool rxe = hfi_exists(root->sysfs, "module/rdma_rxe");

	hfi_found(findings, HF_PROBLEM, "no-devices", NULL,
		  hfi_tool_print("There is no RDMA device."),
		  hfi_tool_print(
			  "Load your hardware's driver, or create a soft-RoCE device: %srdma link "
			  "add rxe0 type rxe netdev INTERFACE.",
			  rxe ? "" : "modprobe rdma_rxe && "));
}

static void examine_nodes(struct hf_findings *findings, const struct hf_root *root, size_t entries)
{
	char *dir = hfi_tool_print("%s/infiniband", root->dev);
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream && entries) {
		bool missing = errno == ENOENT;
		char *quoted = hfi_quote(dir);

		hfi_found(findings, HF_PROBLEM, "no-node-directory", NULL,
			  hfi_tool_print("%s cannot be read: %s.", dir, strerror(errno)),
			  !missing ? hfi_tool_print("Let users enter it: chmod 755 %s", quoted)
			  : hfi_in_container()
				  ? hfi_tool_print("Give the devices to this container: docker run "
						   "--device=/dev/infiniband (podman the same), in "
						   "Kubernetes an RDMA device plug-in.")
				  : hfi_tool_print(
					    "Let udev create the nodes: udevadm trigger "
					    "--action=add --subsystem-match=infiniband_verbs"));
		free(quoted);
	}
	while (stream && (entry = readdir(stream))) {
		char *path;

		/* A test tree may use the machine's /dev: its other nodes are not stale. */
		if (strncmp(entry->d_name, "uverbs", 6) != 0 ||
		    (!strcmp(root->dev, "/dev") && !hfi_is_kernel_root(root->sysfs)))
			continue;
		path = hfi_tool_print("class/infiniband_verbs/%s", entry->d_name);
		if (hfi_absent(root->sysfs, path)) {
			char *node = hfi_tool_print("%s/%s", dir, entry->d_name);
			char *quoted = hfi_quote(node);

			hfi_found(findings, HF_WARNING, "stale-node", NULL,
				  hfi_tool_print("The node %s belongs to no device.", node),
				  hfi_tool_print(
					  "Remove it, or programs may open it for a later device: "
					  "rm %s",
					  quoted));
			free(quoted);
			free(node);
		}
		free(path);
	}
	if (stream)
		closedir(stream);
	free(dir);
}

static void examine_namespaces(struct hf_findings *findings, const struct hf_root *root)
{
	char mode[8];

	if (hfi_tool_read(root->sysfs, "module/ib_core/parameters/netns_mode", mode,
			  sizeof(mode)) &&
	    *mode == 'N')
		hfi_found(findings, HF_NOTE, "netns-exclusive", NULL,
			  hfi_tool_print(
				  "RDMA devices belong to one network namespace each (netns mode "
				  "exclusive)."),
			  hfi_tool_print(
				  "To move one here: rdma dev set NAME netns NAMESPACE; to share "
				  "all: rdma system set netns shared."));
}

/* Do not treat an unreadable directory as empty: every node would then seem stale. */
static bool may_read_class(struct hf_findings *findings, const struct hf_root *root)
{
	char *dir = hfi_tool_print("%s/class/infiniband_verbs", root->sysfs);
	char *quoted = hfi_quote(dir);
	DIR *stream = opendir(dir);
	int error = errno;

	if (stream)
		closedir(stream);
	else
		hfi_found(findings, HF_PROBLEM, "class-unreadable", NULL,
			  hfi_tool_print("%s cannot be read: %s.", dir, strerror(error)),
			  hfi_tool_print("Run this as a user who may read it, or see what it is: "
					 "ls -ld %s",
					 quoted));
	free(quoted);
	free(dir);
	return stream != NULL;
}

void hfi_doctor_root(struct hf_findings *findings, const struct hf_root *root, size_t devices)
{
	size_t entries = count_entries(root->sysfs, "class/infiniband_verbs", "uverbs");

	if (!hfi_exists(root->sysfs, "class")) {
		char *quoted = hfi_quote(root->sysfs);

		hfi_found(findings, HF_PROBLEM, "no-sysfs", NULL,
			  hfi_tool_print("%s is not a sysfs tree, or cannot be read.", root->sysfs),
			  hfi_is_kernel_root(root->sysfs)
				  ? hfi_tool_print("Mount it: mount -t sysfs sysfs %s", quoted)
				  : hfi_tool_print("Give another tree with --root or SYSFS_PATH."));
		free(quoted);
		return;
	}
	if (hfi_absent(root->sysfs, "class/infiniband_verbs")) {
		if (!devices || count_entries(root->sysfs, "class/infiniband", ""))
			no_uverbs(findings, root);
		return;
	}
	if (!may_read_class(findings, root))
		return;
	if (!entries && !devices)
		no_devices(findings, root);
	examine_nodes(findings, root, entries);
	if (!hfi_is_kernel_root(root->sysfs))
		return;
	examine_namespaces(findings, root);
}

void hfi_doctor_cm(struct hf_findings *findings, const struct hf_root *root,
		   struct ibv_device **devices, size_t count)
{
	bool useful = false;

	/* librdmacm does not support EFA and usNIC. */
	for (size_t i = 0; i < count; i++) {
		struct hf_device_info info = {.size = sizeof(info)};

		useful |= !hf_device_get_info(devices[i], &info) && hfi_has_fabric(&info) &&
			  !strcmp(info.root, root->sysfs);
	}
	if (useful && hfi_is_kernel_root(root->sysfs) &&
	    hfi_absent(root->sysfs, "class/misc/rdma_cm"))
		hfi_found(findings, HF_NOTE, "no-rdma-cm", NULL,
			  hfi_tool_print(
				  "The module rdma_ucm is not loaded: programs that connect by "
				  "address (librdmacm) will not work."),
			  hfi_tool_print("Load the module: modprobe rdma_ucm"));
}

void hfi_doctor_limits(struct hf_findings *findings)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= MEMLOCK_NEEDED || hfi_tool_capable(CAP_IPC_LOCK))
		return;
	hfi_found(findings, HF_WARNING, "memlock", NULL,
		  hfi_tool_print("This process may lock only %ju KiB of memory (RLIMIT_MEMLOCK): "
				 "registering larger buffers will fail.",
				 (uintmax_t)limit.rlim_cur / 1024),
		  hfi_tool_print(
			  "Put \"* - memlock unlimited\" into /etc/security/limits.d/rdma.conf and "
			  "log in again; in a systemd unit: LimitMEMLOCK=infinity; for a "
			  "container: --ulimit memlock=-1."));
}
