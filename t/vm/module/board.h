/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the files of hfboard. */
#ifndef HF_MODULE_BOARD_H
#define HF_MODULE_BOARD_H

#include <linux/device.h>
#include <linux/list.h>
#include <rdma/ib_verbs.h>

#define NAME	  "hfboard"
#define MAX_PORTS 4

enum kind { DRIVER, SF, NET, RDMA, KINDS };

struct thing {
	struct list_head list;
	enum kind kind;
	struct device *parent; /* a reference */
};

struct board {
	struct ib_device ib;
	struct thing thing;
	u32 caps[MAX_PORTS];
};

/* Makes the thing known by its name. */
void thing_add(struct thing *thing, enum kind kind);

/* A reference to a PCI function or a sub-function; NULL if there is none. */
struct device *parent_get(const char *name);

/* NULL, or the value if the word is KEY=VALUE. */
char *value_of(char *word, const char *key);

int board_add(const char *name, char *words);

#endif
