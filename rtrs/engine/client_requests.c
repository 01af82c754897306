/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests of a client's session: their permits, their paths, their orders, their fail-over. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/engine/client_internal.h"

int rtrsi_client_make_permits(struct rtrs_client *client, uint16_t depth)
{
	int err = rtrsi_permits_init(&client->permits, depth);

	if (err)
		return err;
	client->requests = calloc(depth, sizeof(struct rtrs_client_request *));
	if (client->requests)
		return 0;
	rtrsi_permits_free(&client->permits);
	return -ENOMEM;
}

static void order_request(struct rtrs_client *client, struct rtrs_client_request *request)
{
	if (request->is_ordered)
		return;
	request->is_ordered = true;
	request->next = NULL;
	*client->last = request;
	client->last = &request->next;
}

static int choose_path(struct rtrs_client *client)
{
	struct rtrs_candidate candidates[RTRS_PATHS_MAX];

	for (size_t i = 0; i < RTRS_PATHS_MAX; i++) {
		const struct rtrs_client_path *path = &client->paths[i];

		candidates[i] = (struct rtrs_candidate){
			.usable = path->exists && path->state == RTRS_CLIENT_CONNECTED,
			.inflight = path->inflight,
			.latency_ns = path->heartbeat.latency_ns,
		};
	}
	return rtrsi_policy_choose(client->policy, candidates, RTRS_PATHS_MAX, &client->cursor);
}

static void enter_path(struct rtrs_client *client, struct rtrs_client_request *request, int path)
{
	request->path = path;
	request->is_sent = false;
	client->paths[path].inflight++;
	order_request(client, request);
}

static void end_request(struct rtrs_client *client, struct rtrs_client_request *request, int error)
{
	client->requests[request->permit] = NULL;
	rtrsi_permits_give(&client->permits, request->permit);
	request->path = -1;
	request->is_done = true;
	request->error = error;
	order_request(client, request);
}

int rtrsi_client_submit(struct rtrs_client *client, struct rtrs_client_request *request)
{
	int path = choose_path(client), permit;
	bool rested;

	if (path < 0)
		return path;
	permit = rtrsi_permits_take(&client->permits, &rested);
	if (permit < 0)
		return permit;
	*request = (struct rtrs_client_request){.permit = (uint16_t)permit, .rested = rested};
	client->requests[permit] = request;
	enter_path(client, request, path);
	return 0;
}

void rtrsi_client_fail_over(struct rtrs_client *client, unsigned int from)
{
	for (uint32_t permit = 0; permit < client->permits.depth; permit++) {
		struct rtrs_client_request *request = client->requests[permit];
		int path;

		if (!request || request->path != (int)from)
			continue;
		client->paths[from].inflight--;
		if (request->is_sent)
			rtrsi_permits_left(&client->permits, (uint16_t)permit, from);
		path = choose_path(client);
		if (path < 0) {
			end_request(client, request, path);
			continue;
		}
		client->paths[path].failovers++;
		enter_path(client, request, path);
	}
}

/* Ignore an answer that no request waits for on this path: it is late, or the peer made it up. */
void rtrsi_client_answer(struct rtrs_client *client, unsigned int path, uint16_t permit, int error)
{
	struct rtrs_client_request *request =
		permit < client->permits.depth ? client->requests[permit] : NULL;

	if (!request || request->path != (int)path || !request->is_sent)
		return;
	client->paths[path].inflight--;
	end_request(client, request, error);
}

void rtrsi_client_count(struct rtrs_client *client, unsigned int place, bool is_read,
			uint64_t bytes)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (is_read) {
		path->reads++;
		path->read_bytes += bytes;
	} else {
		path->writes++;
		path->written_bytes += bytes;
	}
}

static struct rtrs_client_request *take_ordered(struct rtrs_client *client)
{
	struct rtrs_client_request *request = client->first;

	if (!request)
		return NULL;
	client->first = request->next;
	if (!client->first)
		client->last = &client->first;
	request->is_ordered = false;
	return request;
}

bool rtrsi_client_next(struct rtrs_client *client, struct rtrs_order *ret)
{
	struct rtrs_client_request *request;

	if (rtrsi_client_path_order(client, ret))
		return true;
	while ((request = take_ordered(client))) {
		if (request->is_done) {
			*ret = (struct rtrs_order){.type = RTRS_ORDER_DONE,
						   .error = request->error,
						   .request = request};
			return true;
		}
		/*
		 * The path was lost meanwhile: the request is failed over when the path is closed.
		 */
		if (client->paths[request->path].state != RTRS_CLIENT_CONNECTED)
			continue;
		request->is_sent = true;
		*ret = (struct rtrs_order){.type = RTRS_ORDER_SEND,
					   .path = (unsigned int)request->path,
					   .request = request};
		return true;
	}
	return false;
}
