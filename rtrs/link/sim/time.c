/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The simulated clock, what happens at which time, and the wires. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/link/sim/private.h"

enum { NS_PER_US = 1000, USUAL_US = 200, MUCH_US = 300000, MUCH_ONE_IN = 64 };

int rtrsi_sim_new(uint64_t seed, struct rtrs_sim **ret)
{
	struct rtrs_sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return -ENOMEM;
	sim->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	*ret = sim;
	return 0;
}

uint32_t rtrsi_sim_random(struct rtrs_sim *sim, uint32_t below)
{
	sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((sim->random >> 33) % below);
}

int64_t rtrsi_sim_delay(struct rtrs_sim *sim)
{
	uint32_t most = rtrsi_sim_random(sim, MUCH_ONE_IN) ? USUAL_US : MUCH_US;

	return (int64_t)(1 + rtrsi_sim_random(sim, most)) * NS_PER_US;
}

/* --- steps --------------------------------------------------------------------------------------- */

static bool is_before(const struct sim_step *a, const struct sim_step *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void make_step_room(struct rtrs_sim *sim)
{
	size_t room = sim->step_room ? 2 * sim->step_room : 256;
	struct sim_step *steps;

	if (sim->step_count < sim->step_room)
		return;
	steps = reallocarray(sim->steps, room, sizeof(*steps));
	if (!steps)
		abort();
	sim->steps = steps;
	sim->step_room = room;
}

void rtrsi_sim_step_at(struct sim_connection *connection, enum sim_step_type type, int64_t at_ns,
		       int error)
{
	struct rtrs_sim *sim = connection->sim;
	const struct sim_step step = {.at_ns = at_ns,
				      .order = sim->order++,
				      .type = type,
				      .connection = connection,
				      .error = error};
	size_t at;

	make_step_room(sim);
	for (at = sim->step_count++; at && is_before(&step, &sim->steps[(at - 1) / 2]);
	     at = (at - 1) / 2)
		sim->steps[at] = sim->steps[(at - 1) / 2];
	sim->steps[at] = step;
}

void rtrsi_sim_step_in(struct sim_connection *connection, enum sim_step_type type, int64_t delay_ns)
{
	rtrsi_sim_step_at(connection, type, connection->sim->now_ns + delay_ns, 0);
}

static struct sim_step take_next_step(struct rtrs_sim *sim)
{
	struct sim_step first = sim->steps[0], last = sim->steps[--sim->step_count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < sim->step_count) {
		if (child + 1 < sim->step_count &&
		    is_before(&sim->steps[child + 1], &sim->steps[child]))
			child++;
		if (!is_before(&sim->steps[child], &last))
			break;
		sim->steps[at] = sim->steps[child];
		at = child;
	}
	sim->steps[at] = last;
	return first;
}

static void carry_out_step(const struct sim_step *step)
{
	switch (step->type) {
	case SIM_TRANSMIT:
		rtrsi_sim_transmit(step->connection);
		break;
	case SIM_ARRIVE:
		rtrsi_sim_arrive(step->connection);
		break;
	case SIM_COMPLETE:
		rtrsi_sim_complete(step->connection);
		break;
	default:
		rtrsi_sim_handshake(step->connection, step);
		break;
	}
}

int64_t rtrsi_sim_now_ns(const struct rtrs_sim *sim)
{
	return sim->now_ns;
}

int64_t rtrsi_sim_next_ns(const struct rtrs_sim *sim)
{
	return sim->step_count ? sim->steps[0].at_ns : INT64_MAX;
}

void rtrsi_sim_run_until(struct rtrs_sim *sim, int64_t now_ns)
{
	while (sim->step_count && sim->steps[0].at_ns <= now_ns) {
		struct sim_step step = take_next_step(sim);

		if (step.at_ns > sim->now_ns)
			sim->now_ns = step.at_ns;
		carry_out_step(&step);
	}
	if (now_ns > sim->now_ns)
		sim->now_ns = now_ns;
}

static void free_connections(struct rtrs_sim *sim)
{
	struct sim_connection *connection;

	while ((connection = sim->connections)) {
		sim->connections = connection->next;
		for (uint32_t i = 0; connection->sends && i < connection->send_size; i++)
			free(connection->sends[i].data);
		free(connection->sends);
		free(connection->receives);
		free(connection);
	}
}

void rtrsi_sim_free(struct rtrs_sim *sim)
{
	free_connections(sim);
	free(sim->steps);
	free(sim->keys);
	free(sim);
}

/* --- wires --------------------------------------------------------------------------------------- */

static void tell_ends(struct rtrs_sim *sim, unsigned int wire, bool is_unplugged)
{
	struct sim_connection *at;

	for (at = sim->connections; at; at = at->next) {
		if (at->wire == wire && !at->is_freed)
			rtrsi_sim_step_at(at, SIM_END, sim->now_ns + rtrsi_sim_delay(sim),
					  is_unplugged && at->is_client ? -ENODEV : -ECONNRESET);
	}
}

void rtrsi_sim_cut(struct rtrs_sim *sim, unsigned int wire, bool is_silent)
{
	if (sim->wires[wire] != SIM_WIRE_UP)
		return;
	sim->wires[wire] = is_silent ? SIM_WIRE_SILENT : SIM_WIRE_CUT;
	if (!is_silent)
		tell_ends(sim, wire, false);
}

void rtrsi_sim_unplug(struct rtrs_sim *sim, unsigned int wire)
{
	if (sim->wires[wire] == SIM_WIRE_UNPLUGGED)
		return;
	sim->wires[wire] = SIM_WIRE_UNPLUGGED;
	tell_ends(sim, wire, true);
}

void rtrsi_sim_revive(struct rtrs_sim *sim, unsigned int wire)
{
	sim->wires[wire] = SIM_WIRE_UP;
}

void rtrsi_sim_have_stragglers(struct rtrs_sim *sim)
{
	sim->has_stragglers = true;
}

unsigned long rtrsi_sim_not_ready_count(const struct rtrs_sim *sim)
{
	return sim->not_ready;
}

unsigned long rtrsi_sim_object_count(const struct rtrs_sim *sim)
{
	return sim->objects;
}
