/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of this link share. */
#ifndef RTRS_LINK_STREAM_PRIVATE_H
#define RTRS_LINK_STREAM_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "rtrs/link/link.h"
#include "rtrs/link/stream/frame.h"
#include "shared/attr.h"

enum {
	STREAM_BUFFER_SIZE = 32768,
	STREAM_SOCKET_ROOM = 262144, /* on its way to the peer */
	STREAM_POSTS_OF_LINK = 1,    /* the greeting takes a place in the send queue */
	STREAM_STRANGERS_MAX = 256,  /* accepted sockets that have not said HELLO */
};

enum rtrs_stream_key_type { STREAM_KEY_LOCAL, STREAM_KEY_REMOTE, STREAM_KEY_WINDOW };

/* What a key stands for. */
struct rtrs_stream_key {
	char *address;
	size_t length;
	uint32_t key; /* the last one, where it is not valid */
	enum rtrs_stream_key_type type;
	bool is_valid;
	uint32_t next_free;
};

enum { STREAM_RANDOM_NUMBERS = 64 };

struct rtrs_stream_keys {
	struct rtrs_stream_key *table;
	uint32_t count, first_free;
	uint32_t random[STREAM_RANDOM_NUMBERS]; /* the kernel's, each for one key */
	uint32_t random_left;
};

/* Those that share keys. It is there as long as a connection or memory of it. */
struct rtrs_stream_domain {
	struct rtrs_stream *link;
	struct rtrs_stream_domain *next;
	const void *user; /* NULL: of connections that have no other */
	unsigned int users;
	struct rtrs_stream_keys keys;
};

struct rtrs_stream_memory {
	struct rtrs_memory base;
	struct rtrs_stream_domain *domain;
	enum rtrs_access access;
};

struct rtrs_stream_window {
	struct rtrs_window base;
	struct rtrs_stream_memory *memory;
};

/* What epoll hands out. */
enum rtrs_stream_source { STREAM_CONNECTION, STREAM_LISTENER, STREAM_WAKE };

struct rtrs_stream_segment {
	const char *address;
	uint32_t length;
	uint32_t key;
};

struct rtrs_stream_send {
	uint8_t header[RTRS_FRAME_SIZE];
	struct rtrs_stream_segment segments[RTRS_SEGMENTS_MAX];
	uint64_t id;
	uint32_t size; /* with the header */
	uint8_t segment_count;
	bool is_reported;
	bool is_greeting; /* the link's own, whose memory has no key */
};

/* Places from `done` on wait to be reported, from `sent` on to be sent. */
struct rtrs_stream_sends {
	struct rtrs_stream_send *places;
	uint32_t size, done, sent, end; /* the last three grow, and wrap around */
	uint32_t offset;		/* of what is sent of the place at `sent` */
};

struct rtrs_stream_receive {
	uint64_t id;
	char *address;
	uint32_t length;
	uint32_t key;
};

struct rtrs_stream_receives {
	struct rtrs_stream_receive *places;
	uint32_t size, first, end;
};

enum rtrs_stream_state {
	STREAM_CONNECTING, /* the socket is */
	STREAM_GREETING,   /* until the peer has answered */
	STREAM_STRANGER,   /* accepted; nobody knows of it before its HELLO */
	STREAM_REQUESTED,  /* reported; the user has not answered yet */
	STREAM_PREPARED,
	STREAM_UP,
	STREAM_DOWN,
};

struct rtrs_stream_connection {
	struct rtrs_connection base;
	enum rtrs_stream_source source;
	struct rtrs_stream_connection *next, **at; /* of the link's */
	unsigned long number;			   /* of one that was accepted */
	struct rtrs_stream_listener *listener; /* of one that was accepted, until it is reported */
	struct rtrs_stream_domain *domain;     /* from when it has queues on */
	int fd;
	enum rtrs_stream_state state;
	bool is_readable, is_writable; /* as far as is known */
	bool is_ended;		       /* the peer will send nothing more */
	bool is_stalled;	       /* until a receive is posted */
	bool is_to_flush;	       /* in the link's list of those */
	struct rtrs_stream_connection *next_flush;
	bool is_ready;
	struct rtrs_stream_connection *prev_ready, *next_ready;
	bool is_accepted; /* which is to be reported */
	bool has_end;	  /* the event of its end is to be given */
	enum rtrs_link_event_type end_type;
	int end_error;
	struct rtrs_stream_sends sends;
	struct rtrs_stream_receives receives;

	bool has_frame;
	struct rtrs_frame frame;
	uint32_t got; /* of its payload */
	char *buffer; /* STREAM_BUFFER_SIZE; what came and was not looked at yet */
	size_t start, end;
	size_t private_size;
	uint8_t private_data[RTRS_FRAME_PRIVATE_MAX];
};

/* Which file it is, should another one get its name. */
struct rtrs_stream_file {
	uint64_t device, inode;
};

struct rtrs_stream_listener {
	struct rtrs_listener base;
	enum rtrs_stream_source source;
	struct rtrs_stream_listener *next;
	int fd;
	bool is_readable;
	struct sockaddr_storage address;
	struct rtrs_stream_file file; /* of a Unix socket */
};

struct rtrs_stream {
	struct rtrs_link base;
	int epoll, wake;
	enum rtrs_stream_source wake_source;
	bool is_awake; /* the caller goes on until there is no event */
	bool is_woken;
	bool is_held;	 /* by a caller that posts, and takes no events */
	bool has_looked; /* at the sockets, since it woke up */
	pthread_t holder;
	bool has_strangers_left; /* more connect than are accepted at once */
	unsigned int
		work; /* that may be done without an event until the caller is told that there is none */
	struct rtrs_stream_connection *connections;
	struct rtrs_stream_connection *first_ready; /* utlist */
	struct rtrs_stream_connection *first_flush;
	unsigned int turn, calls;
	unsigned int given; /* events, since it woke up */
	struct rtrs_stream_listener *listeners;
	unsigned int strangers;
	unsigned long accepted; /* in its life */
	struct rtrs_stream_domain *domains;
	unsigned long not_ready;
};

static inline struct rtrs_stream *rtrsi_stream_of(const struct rtrs_stream_connection *connection)
{
	return hf_container_of(connection->base.link, struct rtrs_stream, base);
}

/* --- link.c */
/* To the end of the list, unless it is in it; wakes the user if it may be waiting. */
void rtrsi_stream_ready(struct rtrs_stream_connection *connection) HF_NONNULL;
/* Makes the user come, who may be waiting for the descriptor. */
void rtrsi_stream_wake(struct rtrs_stream *link) HF_NONNULL;

void rtrsi_stream_forget(struct rtrs_stream_connection *connection) HF_NONNULL;
/*
 * What a peer has done that is no event. Where this says no, the connection goes on with the caller's next round:
 * a peer that never stops does not keep the caller in one call.
 */
bool rtrsi_stream_may_go_on(struct rtrs_stream *link, size_t bytes) HF_NONNULL;

/* --- keys.c */
/* -ENOMEM, -errno of getrandom(). One of a window is not valid before it is bound. */
int rtrsi_stream_key_add(struct rtrs_stream_keys *keys, enum rtrs_stream_key_type type,
			 void *address, size_t length, uint32_t *ret) HF_MUST_CHECK
	HF_NONNULL_OF(1, 5);
void rtrsi_stream_key_remove(struct rtrs_stream_keys *keys, uint32_t key) HF_NONNULL;
/* The next key can be made. -errno of getrandom(). */
int rtrsi_stream_key_prepare(struct rtrs_stream_keys *keys) HF_MUST_CHECK HF_NONNULL;
/* Prepared. The former key is no longer valid. The new one is for nothing where length is 0. */
uint32_t rtrsi_stream_key_bind(struct rtrs_stream_keys *keys, uint32_t key, void *address,
			       size_t length) HF_MUST_CHECK HF_NONNULL_OF(1);
/* The memory, or NULL: the key is not valid there. */
char *rtrsi_stream_key_check(const struct rtrs_stream_keys *keys, uint32_t key, bool is_remote,
			     uint64_t address, uint64_t length) HF_MUST_CHECK HF_NONNULL;
/* By the peer. -EACCES: it is no valid key of a window. */
int rtrsi_stream_key_invalidate(struct rtrs_stream_keys *keys,
				uint32_t key) HF_MUST_CHECK HF_NONNULL;
void rtrsi_stream_keys_free(struct rtrs_stream_keys *keys) HF_NONNULL;

/* --- memory.c */
/* -ENOMEM. */
int rtrsi_stream_domain_get(struct rtrs_stream *link, const void *user,
			    struct rtrs_stream_domain **ret) HF_MUST_CHECK HF_NONNULL_OF(1, 3);
void rtrsi_stream_domain_put(struct rtrs_stream_domain *domain) HF_NONNULL;
int rtrsi_stream_grant(struct rtrs_connection *connection, void *address, size_t length,
		       enum rtrs_access access, struct rtrs_memory **ret);
void rtrsi_stream_withdraw(struct rtrs_memory *memory);
int rtrsi_stream_open_window(struct rtrs_memory *memory, struct rtrs_window **ret);
int rtrsi_stream_bind(struct rtrs_connection *connection, struct rtrs_window *window, void *address,
		      size_t length, bool reported, uint64_t id);
void rtrsi_stream_close_window(struct rtrs_window *window);

/* --- listen.c */
int rtrsi_stream_listen(struct rtrs_link *link, const struct sockaddr *address, void *user,
			struct rtrs_listener **ret);
void rtrsi_stream_unlisten(struct rtrs_listener *listener);
/* Takes the sockets that wait. */
void rtrsi_stream_listen_again(struct rtrs_stream *link) HF_NONNULL;
/* A listener may have run out of them. */
void rtrsi_stream_descriptor_is_free(struct rtrs_stream *link) HF_NONNULL;
int rtrsi_stream_prepare(struct rtrs_connection *connection, const struct rtrs_link_queues *queues);
int rtrsi_stream_accept(struct rtrs_connection *connection, const uint8_t *private_data,
			size_t private_size);
void rtrsi_stream_reject(struct rtrs_connection *connection, const uint8_t *private_data,
			 size_t private_size);
void rtrsi_stream_addresses(const struct rtrs_connection *connection, struct sockaddr_storage *own,
			    struct sockaddr_storage *peer);
/* 0: no address of this link. */
socklen_t rtrsi_stream_address_size(const struct sockaddr *address) HF_MUST_CHECK HF_NONNULL;

/* --- socket_file.c */
/* -EADDRINUSE; what a process left behind that has ended is replaced. */
int rtrsi_stream_bind_file(int fd, const char *path,
			   struct rtrs_stream_file *ret) HF_MUST_CHECK HF_NONNULL;
/* Unless the name is another's by now. */
void rtrsi_stream_remove_file(const char *path, const struct rtrs_stream_file *file) HF_NONNULL;

/* --- connection.c */
int rtrsi_stream_connect(struct rtrs_link *link, const struct rtrs_link_connect *how,
			 struct rtrs_connection **ret);
void rtrsi_stream_disconnect(struct rtrs_connection *connection);
void rtrsi_stream_free(struct rtrs_connection *connection);
/* The socket is the connection's from then on, also on failure. */
int rtrsi_stream_new_connection(struct rtrs_stream *link, int fd, enum rtrs_stream_state state,
				struct rtrs_stream_connection **ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_stream_make_queues(struct rtrs_stream_connection *connection,
			     const struct rtrs_link_queues *queues) HF_MUST_CHECK HF_NONNULL;
int rtrsi_stream_set_private(struct rtrs_stream_connection *connection, const uint8_t *data,
			     size_t size) HF_MUST_CHECK HF_NONNULL_OF(1);
/* Ends it, and has the event given unless it was down. */
void rtrsi_stream_break(struct rtrs_stream_connection *connection, enum rtrs_link_event_type type,
			int error) HF_NONNULL;
/* The next event of a connection that is ready. 1: *ret is it; 0: none now. */
int rtrsi_stream_connection_event(struct rtrs_stream_connection *connection,
				  struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;

/* --- send.c */
int rtrsi_stream_sends_init(struct rtrs_stream_sends *sends,
			    uint32_t depth) HF_MUST_CHECK HF_NONNULL;
/* The greeting: the connection's private data. */
void rtrsi_stream_greet(struct rtrs_stream_connection *connection,
			enum rtrs_frame_type type) HF_NONNULL;
/* As much as the socket takes. */
void rtrsi_stream_flush(struct rtrs_stream_connection *connection) HF_NONNULL;
int rtrsi_stream_post(struct rtrs_connection *connection, const struct rtrs_post *posts,
		      size_t count);
/* Something that is done as soon as what was posted before is sent. */
int rtrsi_stream_post_nothing(struct rtrs_stream_connection *connection, bool is_reported,
			      uint64_t id) HF_MUST_CHECK HF_NONNULL;
/* 1: something that was sent, or flushed, is to be reported. */
int rtrsi_stream_sent(struct rtrs_stream_connection *connection,
		      struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;

/* --- receive.c */
int rtrsi_stream_receives_init(struct rtrs_stream_receives *receives,
			       uint32_t depth) HF_MUST_CHECK HF_NONNULL;
int rtrsi_stream_receive(struct rtrs_connection *connection, uint64_t id,
			 const struct rtrs_segment *segment);
/*
 * Reads and carries out frames up to one that is an event. 1: *ret is it; 0: nothing more has come, or it waits
 * for a receive; -errno: the connection cannot go on.
 */
int rtrsi_stream_received(struct rtrs_stream_connection *connection,
			  struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;
/* Of one that is down: 1: a receive that is given back. */
int rtrsi_stream_unreceived(struct rtrs_stream_connection *connection,
			    struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;

#endif
