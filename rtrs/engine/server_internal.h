/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The functions that the files of the server's engine share. */
#ifndef RTRS_ENGINE_SERVER_INTERNAL_H
#define RTRS_ENGINE_SERVER_INTERNAL_H

#include "rtrs/engine/server.h"
#include "rtrs/protocol/imm.h"

/* A path that is connecting or connected has to go. */
void rtrsi_server_break(struct rtrs_server *server, struct rtrs_server_path *path, int error,
			enum rtrs_fault fault) HF_NONNULL;
/* Once it has no connections and no running request. */
void rtrsi_server_forget(struct rtrs_server *server, struct rtrs_server_path *path) HF_NONNULL;
/* The next order about a path. */
bool rtrsi_server_path_order(struct rtrs_server *server,
			     struct rtrs_server_order *ret) HF_MUST_CHECK HF_NONNULL;

/* -ENOMEM. */
int rtrsi_server_make_requests(const struct rtrs_server *server,
			       struct rtrs_server_path *path) HF_MUST_CHECK HF_NONNULL;
/* A request came on a connected path. */
enum rtrs_fault rtrsi_server_arrives(struct rtrs_server *server, struct rtrs_server_path *path,
				     uint16_t connection,
				     const struct rtrs_imm *imm) HF_MUST_CHECK HF_NONNULL;
/* The path is to be closed: drops its requests, except those that the user has. */
void rtrsi_server_withdraw(struct rtrs_server *server, struct rtrs_server_path *path) HF_NONNULL;

#endif
