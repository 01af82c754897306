/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens the directories of an instance and verifies that they belong to it. */
#ifndef HF_DISCOVERY_DEVICE_DIR_H
#define HF_DISCOVERY_DEVICE_DIR_H

#include <sys/stat.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/sysfs.h"

/*
 * Opens class/infiniband/NAME of the instance, whatever its name is now, and verifies that the
 * directory is its own. Returns the descriptor, which the caller closes; everything read below it
 * belongs to the instance. -ENODEV: the instance is gone; -EOPNOTSUPP: only netlink knows the
 * device. The current name is stored in `name` unless that is NULL.
 */
int hfi_entry_open_dir(const struct hf_search_root *root, const struct hf_entry *entry,
		       char name[HF_NAME_SIZE]) HF_MUST_CHECK HF_NONNULL_OF(1, 2);

/* Opens class/infiniband_verbs/uverbsN of the instance, likewise. */
int hfi_entry_open_uverbs(const struct hf_search_root *root,
			  const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL;

/* Links an open uverbsN to the directory of its instance. */
struct hf_binding {
	int uverbs; /* the held directory */
	int ibdev;  /* its attribute, kept open to be read again */
	struct hf_life life;
	struct timespec stamp;
	const char *wrong; /* the attribute that an error is about */
	char name[HF_NAME_SIZE];
};

void hfi_binding_close(struct hf_binding *binding) HF_NONNULL;
/* -ENOENT: there is no uverbsN. If `uverbs` is open after another error, the attribute failed. */
int hfi_binding_open(const struct hf_classes *classes, const char *uverbs,
		     struct hf_binding *binding) HF_MUST_CHECK HF_NONNULL;
/*
 * 1: uverbsN is still the instance of the binding and has the same name; 0: it is not. If
 * device_inode is not 0, the directory must still be found under the name as well.
 */
int hfi_binding_holds(const struct hf_classes *classes, const char *uverbs,
		      const struct hf_binding *binding,
		      uint64_t device_inode) HF_MUST_CHECK HF_NONNULL;

#endif
