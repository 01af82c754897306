/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The functions that the files of the client's engine share. */
#ifndef RTRS_ENGINE_CLIENT_INTERNAL_H
#define RTRS_ENGINE_CLIENT_INTERNAL_H

#include "rtrs/engine/client.h"

/* The session has its first path: permits of that depth. -ENOMEM. */
int rtrsi_client_make_permits(struct rtrs_client *client, uint16_t depth) HF_MUST_CHECK HF_NONNULL;
/*
 * Fails over: the path's requests go to another one; if there is none they end with ECONNABORTED.
 */
void rtrsi_client_fail_over(struct rtrs_client *client, unsigned int path) HF_NONNULL;
void rtrsi_client_answer(struct rtrs_client *client, unsigned int path, uint16_t permit,
			 int error) HF_NONNULL;
/* The next order about a path, or about the session. */
bool rtrsi_client_path_order(struct rtrs_client *client,
			     struct rtrs_order *ret) HF_MUST_CHECK HF_NONNULL;

#endif
