/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables of the states that may follow each state, as in the kernel's client and server. */
#include "rtrs/engine/path_state.h"

#define BIT(state) (1U << (state))

static const unsigned int client_follows[RTRS_CLIENT_STATES] = {
	[RTRS_CLIENT_CONNECTING] = BIT(RTRS_CLIENT_CONNECTED) | BIT(RTRS_CLIENT_CONNECTING_ERR) |
				   BIT(RTRS_CLIENT_CLOSING),
	[RTRS_CLIENT_CONNECTING_ERR] = BIT(RTRS_CLIENT_RECONNECTING) | BIT(RTRS_CLIENT_CLOSING),
	[RTRS_CLIENT_RECONNECTING] = BIT(RTRS_CLIENT_CONNECTING) | BIT(RTRS_CLIENT_CLOSING),
	[RTRS_CLIENT_CONNECTED] = BIT(RTRS_CLIENT_RECONNECTING) | BIT(RTRS_CLIENT_CLOSING),
	[RTRS_CLIENT_CLOSING] = BIT(RTRS_CLIENT_CLOSED),
	[RTRS_CLIENT_CLOSED] = BIT(RTRS_CLIENT_RECONNECTING) | BIT(RTRS_CLIENT_DEAD),
};

static const unsigned int server_follows[RTRS_SERVER_STATES] = {
	[RTRS_SERVER_CONNECTING] = BIT(RTRS_SERVER_CONNECTED) | BIT(RTRS_SERVER_CLOSING),
	[RTRS_SERVER_CONNECTED] = BIT(RTRS_SERVER_CLOSING),
	[RTRS_SERVER_CLOSING] = BIT(RTRS_SERVER_CLOSED),
};

bool rtrsi_client_state_change(enum rtrs_client_state *state, enum rtrs_client_state to)
{
	if (!(client_follows[*state] & BIT(to)))
		return false;
	*state = to;
	return true;
}

bool rtrsi_server_state_change(enum rtrs_server_state *state, enum rtrs_server_state to)
{
	if (!(server_follows[*state] & BIT(to)))
		return false;
	*state = to;
	return true;
}
