/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a service share. All but the public functions are called with its lock held. */
#ifndef RTRS_LIB_SERVER_INTERNAL_H
#define RTRS_LIB_SERVER_INTERNAL_H

#include <pthread.h>
#include <rtrs/server.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/driver/server.h"
#include "rtrs/lib/devices.h"
#include "rtrs/lib/links.h"
#include "rtrs/lib/spare.h"
#include "rtrs/lib/wait.h"
#include "shared/attr.h"

/* Of a session that has been up. */
struct service_session {
	struct rtrs_service *service;
	uint64_t number;
	bool is_refused;
	char name[RTRS_NAME_SIZE];
};

struct service_event {
	struct service_event *next;
	struct rtrs_service_event event;
	char name[RTRS_NAME_SIZE];
	char address[RTRS_ADDRESS_SIZE];
};

struct service_listener {
	struct service_listener *next;
	struct rtrs_listener *base; /* NULL: its device is gone */
	struct rtrs_address address;
};

/* Requests that the user has not been given yet. */
struct service_jobs {
	struct rtrs_server_request **ring;
	uint32_t size, first, end; /* a power of two; the other two grow */
};

struct rtrs_service {
	pthread_mutex_t lock;
	struct rtrs_wait wait;
	struct rtrs_links links;
	struct rtrs_devices devices;
	unsigned int deaf; /* listeners whose device is gone */
	int64_t listen_ns; /* when they are tried again, where devices cannot be watched */
	struct rtrs_server_driver *driver;
	rtrs_job_fn job;
	rtrs_service_event_fn event;
	rtrs_admit_fn admit;
	void *user;
	uint64_t last_session;
	bool has_new_deadline;
	struct rtrs_control *control; /* NULL: there is none */
	int64_t control_ns;	      /* when it was looked at */
	struct service_listener *listeners;
	struct service_event *events, **last_event;
	struct rtrs_spare spare; /* of events */
	struct service_jobs jobs;
};

/* --- control_server.c */
extern const struct rtrs_control_ops rtrsi_service_control;

/* --- server_jobs.c */
/* -ENOMEM. */
int rtrsi_service_add_job(struct rtrs_service *service,
			  struct rtrs_server_request *request) HF_MUST_CHECK HF_NONNULL;

#endif
