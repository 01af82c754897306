/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Decides which kinds of RDMA a device supports: by protocol, sysfs attributes or driver. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot/describe/describe.h"

enum { IB = HF_KIND_INFINIBAND, IWARP = HF_KIND_IWARP, OPA = HF_KIND_OPA, ROCE = HF_KIND_ROCE };

/* Values of the attribute node_type (the kernel's enum rdma_node_type). */
enum { NODE_CA = 1, NODE_ROUTER = 3, NODE_RNIC = 4, NODE_USNIC = 5, NODE_LAST = 7 };

/* 75-rdma-description.rules has the same table, for systems where this program cannot run. */
static const struct {
	const char *name;
	unsigned int kinds;
} drivers[] = {
	{"be2net", ROCE},
	{"bnxt_en", ROCE},
	{"cxgb3", IWARP},
	{"cxgb4", IWARP},
	{"efa", 0},
	{"enic", 0},
	{"erdma", IWARP},
	{"hfi1", OPA},
	{"hns", ROCE},
	{"hns3", ROCE},
	{"i40e", IWARP},
	{"ib_mthca", IB},
	{"ib_qib", IB},
	{"ice", ROCE | IWARP},
	{"ionic", ROCE},
	{"mana", ROCE},
	{"mlx4_core", IB | ROCE},
	{"mlx5_core", IB | ROCE},
	{"qede", ROCE},
	{"vmw_pvrdma", ROCE},
};

static const struct {
	const char *name;
	unsigned int kinds;
} protocols[] = {
	{"ib", IB}, {"roce", ROCE}, {"iw", IWARP}, {"opa", OPA}, {"usnic", 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *hfi_driver_table(size_t i, unsigned int *kinds)
{
	if (i >= COUNT(drivers))
		return NULL;
	*kinds = drivers[i].kinds;
	return drivers[i].name;
}

static unsigned int of_ports(const struct hf_tree_facts *tree)
{
	return (tree->infiniband_ports ? IB : 0U) | (tree->ethernet_ports ? ROCE : 0U);
}

/* The kernel reports the protocol of the first port. Other ports of a VPI card may use another. */
static unsigned int by_protocol(const char *protocol, const struct hf_tree_facts *tree)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		unsigned int kinds = protocols[i].kinds;

		if (strcmp(protocol, protocols[i].name) != 0)
			continue;
		return kinds & (IB | ROCE) ? kinds | of_ports(tree) : kinds;
	}
	return 0;
}

static bool decide_by_sysfs(const struct hf_tree_facts *tree, unsigned int *kinds)
{
	if (tree->node_type >= NODE_CA && tree->node_type <= NODE_ROUTER) {
		*kinds = of_ports(tree);
		return *kinds != 0;
	}
	/* usNIC and later node types are known, but are none of the four kinds. */
	*kinds = tree->node_type == NODE_RNIC ? IWARP : 0U;
	return tree->node_type >= NODE_RNIC && tree->node_type <= NODE_LAST;
}

static bool by_driver(const struct hf_tree_facts *tree, unsigned int *kinds)
{
	for (size_t i = 0; i < tree->num_drivers; i++)
		for (size_t k = 0; k < COUNT(drivers); k++)
			if (!strcmp(tree->drivers[i], drivers[k].name)) {
				*kinds = drivers[k].kinds;
				return true;
			}
	return false;
}

int hfi_describe(const struct hf_tree_facts *tree, const struct hf_nldev *nl,
		 struct hf_description *ret)
{
	struct hf_description answer = {.source = "netlink"};
	unsigned int shown;

	if (nl && nl->tells_protocol) {
		answer.kinds = by_protocol(nl->protocol, tree);
		strcpy(answer.protocol, nl->protocol);
	} else if (tree->has_parent) {
		/* rxe: until Linux 5.10 it was below its Ethernet card, whose driver says nothing about it. */
		answer.kinds = ROCE;
		answer.source = "sysfs";
	} else if (by_driver(tree, &answer.kinds)) {
		answer.source = "driver";
		/* Narrow the driver's kinds down to those that sysfs shows. */
		if (decide_by_sysfs(tree, &shown) && answer.kinds & shown)
			answer.kinds &= shown;
	} else if (decide_by_sysfs(tree, &answer.kinds)) {
		answer.source = "sysfs";
	} else {
		return -ENODATA;
	}
	*ret = answer;
	return 0;
}
