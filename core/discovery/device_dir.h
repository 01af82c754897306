/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The directories of an instance: opened once, and proven to be its own. */
#ifndef HF_DISCOVERY_DEVICE_DIR_H
#define HF_DISCOVERY_DEVICE_DIR_H

#include <sys/stat.h>

#include "shared/attr.h"
#include "core/discovery/entry.h"
#include "core/discovery/sysfs.h"

/*
 * Opens class/infiniband/NAME of the instance under whatever name it has now, and proves that the
 * directory belongs to it. Returns the descriptor, which the caller closes; what is read below it is
 * the instance's. -ENODEV as above, -EOPNOTSUPP when only netlink knows the device.
 * The current name goes to `name` unless NULL.
 */
int hfi_entry_open_dir(const struct hf_search_root *root, const struct hf_entry *entry,
		       char name[HF_NAME_SIZE]) HF_MUST_CHECK HF_NONNULL_OF(1, 2);

/* Opens class/infiniband_verbs/uverbsN of the instance; the same promises. */
int hfi_entry_open_uverbs(const struct hf_search_root *root,
			  const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL;

/* Finds the directory of the instance behind an open uverbsN. */
struct hf_binding {
	int uverbs; /* the held directory */
	int ibdev;  /* its attribute, held for being read again */
	struct hf_life life;
	struct timespec stamp;
	const char *wrong; /* the attribute that an error is about */
	char name[HF_NAME_SIZE];
};

void hfi_binding_close(struct hf_binding *binding) HF_NONNULL;
/* -ENOENT: there is no uverbsN. Other errors after which `uverbs` is open are of its attribute. */
int hfi_binding_open(const struct hf_classes *classes, const char *uverbs,
		     struct hf_binding *binding) HF_MUST_CHECK HF_NONNULL;
/*
 * 1 when uverbsN is still the instance of the binding and still has its name, 0 when not. If
 * device_inode is not 0, its directory must still be found under the name as well.
 */
int hfi_binding_holds(const struct hf_classes *classes, const char *uverbs,
		      const struct hf_binding *binding,
		      uint64_t device_inode) HF_MUST_CHECK HF_NONNULL;

#endif
