/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server of librtrs: it listens, and gives its program the requests of clients. See rtrs-server(3).
 *
 * A program polls the service's descriptor and calls rtrs_service_dispatch(), or has a thread do so with
 * rtrs_service_run(). Callbacks come from there alone. Those but `admit` have no lock held: they may call every
 * function for the service but rtrs_service_dispatch() and rtrs_service_close(). Functions of jobs may be called
 * from any thread.
 */
#ifndef RTRS_SERVER_H
#define RTRS_SERVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rtrs_service;
struct rtrs_job;

enum rtrs_service_event_type {
	RTRS_SERVICE_SESSION_UP = 1,   /* it has its first path */
	RTRS_SERVICE_SESSION_DOWN = 2, /* its last path has gone, and its last job has ended */
	RTRS_SERVICE_PATH_UP = 3,
	RTRS_SERVICE_PATH_DOWN = 4, /* for the reason in `error` */
};

/* The strings are valid during the call. */
struct rtrs_service_event {
	size_t size; /* of this struct, in the library that runs */
	enum rtrs_service_event_type type;
	uint64_t session;    /* its number, never used again */
	const char *name;    /* of the session, as the client says */
	const char *address; /* of the client, for events of a path; empty where it has none */
	const char *reason;  /* in words, for RTRS_SERVICE_PATH_DOWN; else NULL */
	int error;
};

typedef void (*rtrs_service_event_fn)(struct rtrs_service *service,
				      const struct rtrs_service_event *event, void *user);

/*
 * Who may have a session: 0, or a negative errno. The name is what the client says, and proves nothing. It is called
 * with a lock held: it must not call functions of the library.
 */
typedef int (*rtrs_admit_fn)(const char *name, void *user);

/* A request. It is the program's until rtrs_job_answer(). */
typedef void (*rtrs_job_fn)(struct rtrs_job *job, void *user);

/* A member that is 0 has its default value. Set size to sizeof(struct rtrs_service_options). */
struct rtrs_service_options {
	size_t size;
	rtrs_job_fn job;	     /* required */
	rtrs_service_event_fn event; /* may be NULL */
	rtrs_admit_fn admit;	     /* default: everybody */
	void *user;		     /* for all of them */
	uint32_t queue_depth; /* requests at a time of each session; default 512, at most 65535 */
	/* Data of one request; default 126976. With the 4096 bytes for headers it must be a power of two. */
	uint32_t max_io;
	uint32_t paths_max; /* of all sessions together; default 1024 */
	/*
	 * Not 0: each chunk's key is valid for one request, so that a client cannot write where the program works.
	 * At most 1024 requests at a time then; RDMA devices need memory windows for it.
	 */
	int invalidate;
};

/*
 * Makes a service, which does not listen yet. The caller owns *ret and gives it back with rtrs_service_close().
 * Errors: -EINVAL (options), -ENOMEM, -EMFILE, -ENFILE. Since 0.1.
 */
int rtrs_service_open(const struct rtrs_service_options *options, struct rtrs_service **ret);

/*
 * Ends the service: paths are closed, a thread of rtrs_service_run() is ended. All jobs have been answered, no other
 * thread is in a call for the service, and it is not called from a callback. NULL is allowed. Since 0.1.
 */
void rtrs_service_close(struct rtrs_service *service);

/*
 * Listens at an address as in <rtrs/rtrs.h>, besides those it listens at already. A Unix socket's file is made, and
 * removed at the end; who may connect is decided by its directory and mode.
 * Errors: -EINVAL (address), -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EOPNOTSUPP (no support for RDMA is installed),
 * -ENOENT (the kernel has no RDMA connection manager), -ENOMEM, -EMFILE. Since 0.1.
 */
int rtrs_service_listen(struct rtrs_service *service, const char *address);

/* As rtrs_session_fd(). Since 0.1. */
int rtrs_service_fd(const struct rtrs_service *service);
/* As rtrs_session_dispatch(). Since 0.1. */
int rtrs_service_dispatch(struct rtrs_service *service);
/* As rtrs_session_run(). Since 0.1. */
int rtrs_service_run(struct rtrs_service *service);

/* Closes all paths of a session, by its number. -ENOENT: there is none. Since 0.1. */
int rtrs_service_disconnect(struct rtrs_service *service, uint64_t session);

/* Not 0: the client wants data. Since 0.1. */
int rtrs_job_is_read(const struct rtrs_job *job);
/* The session that it came from. Since 0.1. */
uint64_t rtrs_job_session(const struct rtrs_job *job);
/*
 * What the client has written, or where what it reads is to be put: *length bytes, until rtrs_job_answer(). Without
 * rtrs_service_options.invalidate a hostile client can change the data meanwhile: copy what is checked before it is
 * used. Since 0.1.
 */
void *rtrs_job_data(const struct rtrs_job *job, size_t *length);
/* The user header, the same way. Since 0.1. */
const void *rtrs_job_header(const struct rtrs_job *job, size_t *length);
/*
 * Ends a job, from any thread: `error` is 0 or a negative errno of at most 511; the data of a read goes to the client
 * with 0. The job must not be used any more. Since 0.1.
 */
void rtrs_job_answer(struct rtrs_job *job, int error);

#ifdef __cplusplus
}
#endif

#endif
