/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The known devices, and what is still to be written to each. */
#ifndef NDD_DEVICES_H
#define NDD_DEVICES_H

#include <stddef.h>
#include <stdint.h>
#include <holdfast/holdfast.h>

/* The longest host name that Linux accepts (__NEW_UTS_LEN), and a NUL. */
enum { NDD_HOST_SIZE = 65 };

struct ndd_device {
	uint64_t generation;
	struct ibv_device *device; /* a reference */
	unsigned int tries;	   /* failed writes of the present description */
	int logged_error;	   /* the error that was logged last; 0: none */
	_Bool current;		   /* we wrote the description at least once */
	_Bool pending;		   /* the write is to be tried again */
};

struct ndd_devices {
	struct ndd_device *v; /* sorted by generation */
	size_t count, size;
	const char *template;	  /* borrowed */
	char host[NDD_HOST_SIZE]; /* empty: not known */
	unsigned int max_tries;	  /* for a write that may succeed later */
	size_t num_pending;	  /* devices with a pending write */
};

/* Updates the devices by an event, and describes the event's device. 0 or -ENOMEM. */
int ndd_devices_handle_event(struct ndd_devices *devices, struct hf_event *event);

/* Sets the host name. Describes every device again if the name is a new one. */
void ndd_devices_set_host(struct ndd_devices *devices, const char *host);

/* Writes every description, even if the device seems to have it. */
void ndd_devices_renew(struct ndd_devices *devices);

/* Tries the pending writes again. */
void ndd_devices_retry(struct ndd_devices *devices);

void ndd_devices_clear(struct ndd_devices *devices);

#endif
