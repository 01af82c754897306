/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The messages of a control socket. It is of type SOCK_SEQPACKET: each request and each answer is
 * one packet. A process shows its sessions as a tree of small files, as the kernel's modules do: a
 * request lists the tree, reads a file or writes one. Numbers have the machine's byte order, since
 * both ends are on one machine.
 */
#ifndef RTRS_CONTROL_WIRE_H
#define RTRS_CONTROL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

enum {
	RTRS_CONTROL_PATH_MAX = 1024, /* of a file, with its NUL */
	RTRS_CONTROL_VALUE_MAX = 4096,
	RTRS_CONTROL_PAGE = 32768, /* of an answer, without its head */
};

enum rtrs_control_request_type {
	RTRS_CONTROL_LIST = 1,	      /* entries from the cursor on, as many as fit into a page */
	RTRS_CONTROL_LIST_VALUES = 2, /* the same, with what the files hold */
	RTRS_CONTROL_READ = 3,
	RTRS_CONTROL_WRITE = 4, /* answered when it is done, which may take long */
};

/* Where a list goes on. All 0: at the beginning; and in an answer: there is no more. */
struct rtrs_control_cursor {
	uint64_t session, path;
};

/* A request as it was decoded; path and value point into the packet, which ends both with a NUL. */
struct rtrs_control_request {
	enum rtrs_control_request_type type;
	struct rtrs_control_cursor cursor;
	const char *path, *value;
	size_t value_length;
};

/* The head of an answer; a page follows. */
struct rtrs_control_answer {
	uint32_t magic;
	int32_t error; /* negative errno */
	struct rtrs_control_cursor next;
	uint32_t length;
	uint32_t reserved;
};

enum { RTRS_CONTROL_REQUEST_SIZE = 32 + RTRS_CONTROL_PATH_MAX + RTRS_CONTROL_VALUE_MAX + 1 };

/* How large the packet is. -ENAMETOOLONG, -EMSGSIZE. */
int rtrsi_control_encode(const struct rtrs_control_request *request,
			 uint8_t to[RTRS_CONTROL_REQUEST_SIZE]) HF_MUST_CHECK HF_NONNULL;
/* -EBADMSG: it is none. */
int rtrsi_control_decode(const uint8_t *bytes, size_t size,
			 struct rtrs_control_request *ret) HF_MUST_CHECK HF_NONNULL;

/* -EBADMSG unless it is one of `size` bytes in all. */
int rtrsi_control_answer_decode(const void *bytes, size_t size,
				struct rtrs_control_answer *ret) HF_MUST_CHECK HF_NONNULL;

/* Puts the head of an answer before its page. */
void rtrsi_control_answer_encode(int error, struct rtrs_control_cursor next, size_t length,
				 void *to) HF_NONNULL;

/* A file, directory or link of the tree. */
struct rtrs_control_entry {
	uint16_t mode;	/* as of stat() */
	bool is_hidden; /* it has another name, which is shown */
	const char *path;
	const char *value; /* of a file, if it was asked for; of a link: where it leads */
	size_t value_length;
};

struct rtrs_control_page {
	char *bytes;
	size_t length, size;
	bool is_full; /* something did not fit */
};

void rtrsi_control_page_add(struct rtrs_control_page *page,
			    const struct rtrs_control_entry *entry) HF_NONNULL;
/* 1: *ret is the entry at *offset, which then is that of the next; 0: the end; -EBADMSG. */
int rtrsi_control_page_next(const struct rtrs_control_page *page, size_t *offset,
			    struct rtrs_control_entry *ret) HF_MUST_CHECK HF_NONNULL;

#endif
