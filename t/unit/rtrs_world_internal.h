/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the world call of each other. */
#ifndef HF_TEST_RTRS_WORLD_INTERNAL_H
#define HF_TEST_RTRS_WORLD_INTERNAL_H

#include "t/unit/rtrs_world.h"

struct world_event *world_happens_in(struct world *world, int64_t delay_ns,
				     enum world_event_type type, unsigned int path);
/* What is sent on one path arrives in its order; each path has its own delays. */
struct world_event *world_sent_on(struct world *world, enum world_event_type type,
				  unsigned int path);
struct world_run *world_new_run(struct world *world);

void world_server_begin(struct world *world);
void world_server_end(struct world *world);
void world_server_orders(struct world *world);
void world_at_server(struct world *world, const struct world_event *event);

#endif
