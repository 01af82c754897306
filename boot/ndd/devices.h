/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The devices there are, and what is still to be written to each of them. */
#ifndef NDD_DEVICES_H
#define NDD_DEVICES_H

#include <stddef.h>
#include <stdint.h>
#include <holdfast/holdfast.h>

/* The longest host name that Linux keeps (__NEW_UTS_LEN), and a NUL. */
enum { NDD_HOST_SIZE = 65 };

struct ndd_device {
	uint64_t generation;
	struct ibv_device *device; /* held */
	unsigned int tries;	   /* of the same description that have failed */
	int said;		   /* the error that a message told of last */
	_Bool current; /* was written: what it reads is ours unless somebody else changed it */
	_Bool wanted;  /* to be written still */
};

struct ndd_devices {
	struct ndd_device *v; /* by generation */
	size_t count, size;
	const char *template;	  /* borrowed */
	char host[NDD_HOST_SIZE]; /* empty: not known */
	unsigned int max_tries;	  /* of a write that may succeed later */
	size_t waiting;		  /* devices to be written to again */
};

/* Takes what an event tells, and describes the device that it is about. -ENOMEM. */
int ndd_devices_hear(struct ndd_devices *devices, struct hf_event *event);

/* Another host name. Describes every device anew if it is another one than before. */
void ndd_devices_set_host(struct ndd_devices *devices, const char *host);

/* Writes every description, also those that seem to be there. */
void ndd_devices_renew(struct ndd_devices *devices);

/* Tries again where writing has failed. */
void ndd_devices_retry(struct ndd_devices *devices);

void ndd_devices_clear(struct ndd_devices *devices);

#endif
