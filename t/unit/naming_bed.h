/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A hand-made tree and the checks of names on it. */
#ifndef T_UNIT_NAMING_BED_H
#define T_UNIT_NAMING_BED_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "t/lib/pci_tree.h"
#include "soft/files.h"
#include "t/lib/tree.h"

#define GUID	 UINT64_C(0x525400c0fe123455)
#define AT(...)	 ((struct hf_pci_address){__VA_ARGS__})
#define FALLBACK "NAME_FALLBACK"
#define SLOTS	 "NAME_ONBOARD,NAME_SLOT,NAME_PCI"

struct bed {
	struct tree *tree;
	int root;
};

int naming_setup(void **state);
int naming_teardown(void **state);

/* Adds a PCI function, an attribute of an existing function, and an RDMA device below it. */
void function(struct bed *bed, struct hf_pci_address at, bool multi_function);
void attribute(struct bed *bed, struct hf_pci_address at, const char *file, const char *value);
void device(struct bed *bed, struct hf_pci_address at, const char *name);

/* Decides a name; without `facts`, for an InfiniBand device of that name. */
int decide(struct bed *bed, const char *name, const char *words, const struct hf_nldev *facts,
	   const char *fixed, struct hf_name_answer *answer);
/* Checks that the policies yield this name; NULL: none. */
void wants(struct bed *bed, const char *protocol, const char *name, const char *words,
	   const char *wanted);

#endif
