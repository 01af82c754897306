/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The client of librtrs: a session with a server, its paths, reads and writes. See rtrs-client(3).
 *
 * A program polls the session's descriptor and calls rtrs_session_dispatch(), or has a thread do so with
 * rtrs_session_run(). Callbacks come from there alone, without any lock held: they may call every function for
 * the session but rtrs_session_dispatch() and rtrs_session_close(). All other functions may be called from any
 * thread at any time, until rtrs_session_close() is called.
 */
#ifndef RTRS_CLIENT_H
#define RTRS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rtrs_session;
struct rtrs_permit;

enum rtrs_session_event_type {
	RTRS_SESSION_PATH_UP = 1,   /* a path is connected, for the first time or again */
	RTRS_SESSION_PATH_DOWN = 2, /* it is no longer, for the reason in `error` */
	RTRS_SESSION_PATH_FAILED =
		3, /* an attempt that was asked for failed: adding, reconnecting */
	RTRS_SESSION_PATH_REMOVED = 4,
	RTRS_SESSION_UP = 5,   /* a path is connected again after there was none */
	RTRS_SESSION_DOWN = 6, /* no path is connected any more */
};

struct rtrs_session_event {
	size_t size; /* of this struct, in the library that runs */
	enum rtrs_session_event_type type;
	unsigned int path; /* of the events of a path */
	int error;	   /* 0 or a negative errno */
};

/* `event` is valid during the call. */
typedef void (*rtrs_session_event_fn)(struct rtrs_session *session,
				      const struct rtrs_session_event *event, void *user);

/* A member that is 0 has its default value. Set size to sizeof(struct rtrs_session_options). */
struct rtrs_session_options {
	size_t size;
	/* Of the session, for the server; required: 1 to 254 bytes without '/' and '.'. */
	const char *name;
	rtrs_session_event_fn event; /* may be NULL */
	void *user;		     /* for `event` */
	uint32_t connections;	     /* of each path, for reads and writes; default 1, at most 64 */
	uint32_t permits;	     /* at most so many requests at a time; default 128 */
	uint32_t max_io; /* no request has more data than this; default: what the server takes */
	uint32_t reconnect_delay_ms;	/* default 30000 */
	int32_t max_reconnect_attempts; /* of a path, in sequence; default: no limit */
};

/*
 * Makes a session, still without paths. `options` is not needed afterwards. The caller owns *ret and gives it
 * back with rtrs_session_close().
 * Errors: -EINVAL (options), -ENOMEM, -EMFILE, -ENFILE. Since 0.1.
 */
int rtrs_session_open(const struct rtrs_session_options *options, struct rtrs_session **ret);

/*
 * Ends the session: paths are closed, requests end with -ECONNABORTED, and their callbacks are called before it
 * returns. Not from a callback, and while no other thread is in a call for the session; a thread of
 * rtrs_session_run() is ended first. NULL is allowed. Since 0.1.
 */
void rtrs_session_close(struct rtrs_session *session);

/*
 * The descriptor to poll for reading or to add to an epoll set: readable when rtrs_session_dispatch() has
 * something to do, also when that is a matter of time. It belongs to the session. Since 0.1.
 */
int rtrs_session_fd(const struct rtrs_session *session);

/*
 * Processes what has arrived and calls the callbacks; never waits. One thread at a time. Errors:
 * -EIO and others of the system; the session cannot be used any more then. Since 0.1.
 */
int rtrs_session_dispatch(struct rtrs_session *session);

/*
 * Starts a thread that dispatches until the session is closed.
 * Errors: -EALREADY, -EAGAIN (no thread). Since 0.1.
 */
int rtrs_session_run(struct rtrs_session *session);

/*
 * Begins to connect a path to `address`, "[SOURCE,]DESTINATION" with addresses as in <rtrs/rtrs.h>, and returns
 * its number. RTRS_SESSION_PATH_UP or RTRS_SESSION_PATH_FAILED follows; in the latter case it is not connected by
 * itself, but can be asked to.
 * Errors: -EINVAL (address), -ENOSPC (128 paths), -EOPNOTSUPP (no support for RDMA is installed), -ENOENT (the
 * kernel has no RDMA connection manager), -ENOMEM, -EMFILE. Since 0.1.
 */
int rtrs_session_add_path(struct rtrs_session *session, const char *address);

/* Disconnects the path; it stays so until it is asked to reconnect. -ENOENT: no such path. Since 0.1. */
int rtrs_session_disconnect_path(struct rtrs_session *session, unsigned int path);

/*
 * Connects the path anew. RTRS_SESSION_PATH_UP or RTRS_SESSION_PATH_FAILED follows.
 * Errors: -ENOENT (no such path), -EBUSY (it is being connected or removed). Since 0.1.
 */
int rtrs_session_reconnect_path(struct rtrs_session *session, unsigned int path);

/* RTRS_SESSION_PATH_REMOVED follows; the number may be given anew then. -ENOENT: no such path. Since 0.1. */
int rtrs_session_remove_path(struct rtrs_session *session, unsigned int path);

/*
 * How a path is chosen for each request: "round-robin", "min-inflight" (the default) or "min-latency", or their
 * abbreviations or numbers as the kernel's files accept them. -EINVAL. Since 0.1.
 */
int rtrs_session_set_policy(struct rtrs_session *session, const char *policy);

/* Set size to sizeof(struct rtrs_path_info) before the call. */
struct rtrs_path_info {
	size_t size;
	int is_connected;
	uint32_t inflight;  /* requests on it now */
	uint64_t failovers; /* requests it took over from other paths */
	uint64_t reconnects;
	uint64_t failures;  /* attempts that failed */
	int64_t latency_ns; /* of the last heartbeat; 0: none yet */
	char address[256];  /* as it was given to rtrs_session_add_path() */
};

/* -ENOENT: no such path; -EINVAL: size. Since 0.1. */
int rtrs_session_path_info(struct rtrs_session *session, unsigned int path,
			   struct rtrs_path_info *ret);

/* Set size to sizeof(struct rtrs_limits) before the call. */
struct rtrs_limits {
	size_t size;
	uint32_t permits;    /* how many requests there can be at a time */
	uint32_t max_io;     /* data of one request */
	uint32_t max_header; /* user header of one request */
};

/* -ENOTCONN: no path was connected yet, so the server has not said them; -EINVAL: size. Since 0.1. */
int rtrs_session_limits(struct rtrs_session *session, struct rtrs_limits *ret);

/*
 * The right to one request. It is the caller's until it goes into rtrs_read() or rtrs_write(), or back with
 * rtrs_permit_put().
 * Errors: -EAGAIN (all are in use), -ENOTCONN (no path was connected yet). Since 0.1.
 */
int rtrs_permit_get(struct rtrs_session *session, struct rtrs_permit **ret);
void rtrs_permit_put(struct rtrs_permit *permit);

/*
 * The outcome of a request: 0; the server's negative errno; -ECONNABORTED: no path could carry it; -ETIMEDOUT:
 * its deadline has passed. After the last two a write may have been carried out, or may be yet.
 */
typedef void (*rtrs_done_fn)(int error, void *user);

/* Set size to sizeof(struct rtrs_transfer). */
struct rtrs_transfer {
	size_t size;
	const void *header; /* for the server's program; may be NULL */
	size_t header_length;
	const struct iovec *data; /* to be written, or where what is read goes; may be NULL */
	unsigned int data_count;
	uint32_t deadline_ms; /* from now, for this end alone; 0: none */
	rtrs_done_fn done;    /* NULL: the outcome is fetched with rtrs_session_completion() */
	void *user;
};

/*
 * Reads or writes. The header and the data of a write are copied and not needed afterwards; memory to read into
 * must stay until the outcome, and is touched no more after it, whatever that is. On success the permit is the
 * library's, and is free again with the outcome. A request stays when its path fails: it goes over another one.
 * Errors, with the permit still the caller's: -EMSGSIZE (more than rtrs_session_limits() says), -ECONNABORTED (no
 * path is connected), -EINVAL. Since 0.1.
 */
int rtrs_read(struct rtrs_permit *permit, const struct rtrs_transfer *transfer);
int rtrs_write(struct rtrs_permit *permit, const struct rtrs_transfer *transfer);

struct rtrs_completion {
	int error; /* as for rtrs_done_fn */
	void *user;
};

/*
 * The outcome of a request without `done`, in the order in which they ended. 1: *ret is one; 0:
 * none now. rtrs_session_dispatch() makes them available. Since 0.1.
 */
int rtrs_session_completion(struct rtrs_session *session, struct rtrs_completion *ret);

#ifdef __cplusplus
}
#endif

#endif
