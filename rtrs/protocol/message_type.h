/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The type numbers with which messages begin. */
#ifndef RTRS_PROTOCOL_MESSAGE_TYPE_H
#define RTRS_PROTOCOL_MESSAGE_TYPE_H

enum {
	RTRS_MESSAGE_INFO_REQUEST = 0,
	RTRS_MESSAGE_INFO_ANSWER = 1,
	RTRS_MESSAGE_WRITE = 2,
	RTRS_MESSAGE_READ = 3,
	RTRS_MESSAGE_NEW_KEY = 4,
};

#endif
