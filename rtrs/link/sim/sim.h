/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A link within one process, for tests: its clock is simulated, and all that happens follows from a seed. What is
 * sent on one connection arrives in its order; between connections and paths nothing has an order. The last byte of
 * the address that is connected to says by which wire.
 */
#ifndef RTRS_LINK_SIM_SIM_H
#define RTRS_LINK_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/link/link.h"
#include "shared/attr.h"

struct rtrs_sim;

enum { RTRS_SIM_WIRES = 8 };

/* -ENOMEM. */
int rtrsi_sim_new(uint64_t seed, struct rtrs_sim **ret) HF_MUST_CHECK HF_NONNULL;
/* After its links. */
void rtrsi_sim_free(struct rtrs_sim *sim) HF_NONNULL;
/* A link of its own for each user. It has no descriptor: nobody can wait for this clock. */
int rtrsi_sim_open(struct rtrs_sim *sim, struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;
bool rtrsi_sim_has_events(const struct rtrs_link *link) HF_MUST_CHECK HF_NONNULL;

int64_t rtrsi_sim_now_ns(const struct rtrs_sim *sim) HF_MUST_CHECK HF_NONNULL;
/* When something happens next; INT64_MAX: nothing will. */
int64_t rtrsi_sim_next_ns(const struct rtrs_sim *sim) HF_MUST_CHECK HF_NONNULL;
/* Moves the clock to that time and lets everything happen that is due until then. */
void rtrsi_sim_run_until(struct rtrs_sim *sim, int64_t now_ns) HF_NONNULL;

/*
 * Nothing gets through any more. Silently: both ends find out for themselves, by retries that fail or by what they
 * do not hear. Otherwise both are told.
 */
void rtrsi_sim_cut(struct rtrs_sim *sim, unsigned int wire, bool is_silent) HF_NONNULL;
/* The device at the connecting end is removed. */
void rtrsi_sim_unplug(struct rtrs_sim *sim, unsigned int wire) HF_NONNULL;
/* Packets of a connection that its sender has ended may arrive still. Not before this is said. */
void rtrsi_sim_have_stragglers(struct rtrs_sim *sim) HF_NONNULL;
/* Messages on the wire arrive late from now on. */
void rtrsi_sim_revive(struct rtrs_sim *sim, unsigned int wire) HF_NONNULL;

/* How often a message found no receive posted, in all its life. */
unsigned long rtrsi_sim_not_ready_count(const struct rtrs_sim *sim) HF_MUST_CHECK HF_NONNULL;
/* Of connections, memory and windows: 0 when everybody has given back what is theirs. */
unsigned long rtrsi_sim_object_count(const struct rtrs_sim *sim) HF_MUST_CHECK HF_NONNULL;

#endif
