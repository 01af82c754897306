/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of a service of blocks share. */
#ifndef RTRS_EXPORT_SERVICE_INTERNAL_H
#define RTRS_EXPORT_SERVICE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <uthash.h>

#include "rtrs/control/thread.h"
#include "rtrs/export/backing.h"
#include "rtrs/export/service.h"
#include "rtrs/rnbd/server.h"

enum { NAME_SIZE = 256 };

struct export_session {
	UT_hash_handle hh;
	uint64_t number;
	char name[NAME_SIZE];
	struct rtrs_export_service *service;
	struct rtrs_rnbd_session rnbd;
};

struct export_named;
struct export_held;

enum export_state { EXPORT_SERVES, EXPORT_HOLDS, EXPORT_REFUSES };

struct rtrs_export_service {
	struct rtrs_service *service;
	struct rtrs_pool *pool;
	struct rtrs_export_options options;
	struct export_named *named;
	int directory;
	_Atomic bool is_closed; /* for new sessions */
	pthread_mutex_t lock;	/* for what follows */
	pthread_cond_t idle;
	struct rtrs_rnbd_server rnbd;
	struct export_session *sessions;
	struct rtrs_backing *ready; /* for a device that is opened now */
	enum export_state state;
	unsigned int running;
	struct export_held *held;
	struct rtrs_control_thread *control;
};

/* --- service_control.c */
void rtrsi_export_visit(void *user, struct rtrs_visit *visit) HF_NONNULL;

#endif
