/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The states of a path, and which may follow which. */
#ifndef RTRS_ENGINE_PATH_STATE_H
#define RTRS_ENGINE_PATH_STATE_H

#include <stdbool.h>

#include "shared/attr.h"

enum rtrs_client_state {
	RTRS_CLIENT_CONNECTING,
	RTRS_CLIENT_CONNECTING_ERR, /* failed while connecting; its connections still have to go */
	RTRS_CLIENT_RECONNECTING,   /* its connections are being closed, then it waits */
	RTRS_CLIENT_CONNECTED,
	RTRS_CLIENT_CLOSING,
	RTRS_CLIENT_CLOSED, /* until somebody reconnects it */
	RTRS_CLIENT_DEAD,   /* being removed */
	RTRS_CLIENT_STATES, /* their number */
};

enum rtrs_server_state {
	RTRS_SERVER_CONNECTING,
	RTRS_SERVER_CONNECTED,
	RTRS_SERVER_CLOSING,
	RTRS_SERVER_CLOSED,
	RTRS_SERVER_STATES,
};

/* Changes the state if the new one may follow, and returns whether it did. */
bool rtrsi_client_state_change(enum rtrs_client_state *state, enum rtrs_client_state to) HF_NONNULL;
bool rtrsi_server_state_change(enum rtrs_server_state *state, enum rtrs_server_state to) HF_NONNULL;

#endif
