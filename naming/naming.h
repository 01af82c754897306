/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Decides which name an RDMA device gets. The decision depends only on a directory tree shaped like
 * /sys and on the answers of RDMA netlink; nothing here changes the system. rdma_rename and
 * `holdfast name` share it, and tests run it on generated trees. Functions return 0 or -errno and
 * leave outputs untouched on failure.
 */
#ifndef HF_NAMING_NAMING_H
#define HF_NAMING_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/nldev.h"

enum {
	HF_NAME_SIZE = 64,	      /* with the NUL: IB_DEVICE_NAME_MAX of the kernel */
	HF_NAME_WHY = 256,	      /* one sentence */
	HF_NAME_POLICIES = 16,	      /* policies in one list */
	HF_NAME_ASSIGNED_BY_USER = 1, /* RDMA_NAME_ASSIGN_TYPE_USER of Linux 6.11 */
	HF_NAME_ONBOARD_MAX = 16383   /* firmware that does not know an index reports bigger ones */
};

enum hf_name_policy {
	HF_NAME_BY_KERNEL,
	HF_NAME_BY_ONBOARD,
	HF_NAME_BY_SLOT,
	HF_NAME_BY_PCI,
	HF_NAME_BY_GUID,
	HF_NAME_BY_FIXED,
};

/* Tried in this order until one yields a name. */
struct hf_name_policies {
	enum hf_name_policy v[HF_NAME_POLICIES];
	size_t count;
};

struct hf_pci_address {
	uint32_t domain;
	uint32_t bus;
	uint32_t device;
	uint32_t function;
};

struct hf_name_number {
	bool there;
	uint32_t value;
	const char *from; /* the file it was read from */
};

enum hf_name_bus {
	HF_NAME_BUS_NONE, /* a virtual device */
	HF_NAME_BUS_PCI,  /* also a device below a PCI function through the auxiliary bus */
	HF_NAME_BUS_OTHER,
};

/* The hardware below a device, as read from the tree. */
struct hf_name_hardware {
	dev_t dev; /* of the directory that this was read from */
	ino_t ino;
	enum hf_name_bus bus;
	char bus_name[HF_NAME_SIZE];	/* HF_NAME_BUS_OTHER */
	char parent[HF_NAME_SIZE];	/* the name of the device's parent */
	struct hf_pci_address pci;	/* that the name is made from: a VF's PF */
	struct hf_pci_address pci_self; /* the function itself */
	struct hf_name_number vf;
	struct hf_name_number sf;
	bool multi_function;
	bool ari;
	struct hf_name_number onboard;
	struct hf_name_number slot;
	/* Why the PCI function could not be read (-errno); the PCI members above are unset then. */
	int pci_error;
	const char *pci_error_at;
	int onboard_error;
	const char *onboard_error_at;
	int slot_error;
	const char *slot_error_at;
};

/* Receives the explanation sentence by sentence; NULL: discards it. */
struct hf_name_trace {
	void (*say)(void *arg, enum hf_name_policy policy, const char *sentence);
	void *arg;
};

struct hf_name_answer {
	char name[HF_NAME_SIZE];
	enum hf_name_policy policy; /* the policy that yielded it */
	char why[HF_NAME_WHY];
};

/*
 * Parses "NAME_X,NAME_Y"; NAME_FALLBACK stands for NAME_ONBOARD,NAME_PCI. -EINVAL: syntax error or
 * unknown policy.
 */
int hfi_name_parse_policies(const char *text, struct hf_name_policies *ret);
const char *hfi_name_policy_word(enum hf_name_policy policy);
bool hfi_name_has_policy(const struct hf_name_policies *policies, enum hf_name_policy policy);

/* NULL if a device may have this name, otherwise the reason why not. */
const char *hfi_name_fault(const char *name);

/*
 * Decides; `facts` are RDMA netlink's. -ENOENT: no policy of the list yields a name; -EINVAL:
 * `fixed` is not a valid name; -ENAMETOOLONG; other errors: the tree could not be read, and falling
 * back to the next policy would give the device another name than at the next boot. On failure only
 * ret->why is set.
 */
int hfi_name_decide(const struct hf_name_policies *policies, const char *fixed,
		    const struct hf_nldev *facts, const struct hf_name_hardware *hardware,
		    const struct hf_name_trace *trace, struct hf_name_answer *ret);

#endif
