/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast monitor: prints an event, and runs a command for it. */
#ifndef HF_TOOLS_MONITOR_H
#define HF_TOOLS_MONITOR_H

#include <signal.h>

#include "tools/common.h"

/* The last known name of each generation, to report a rename with both names. */
struct hf_past_names {
	struct hf_past_name {
		uint64_t generation;
		char name[64];
	} * v;
	size_t count;
	size_t size;
};

/* Prints one event and updates `past`. */
void hfi_event_print(const struct hf_tool *tool, struct hf_past_names *past,
		     struct hf_event *event);

/* The changes as "name,gid"; empty for none. */
void hfi_event_changes_text(uint32_t changes, char *text, size_t size);

/*
 * Runs `sh -c COMMAND` with the event in its environment and waits for it. `signals` is a signalfd
 * for SIGINT, SIGTERM, SIGHUP and SIGCHLD. A signal that ends the monitor is passed on to the
 * command and sets *stop. Returns 0 when the command succeeded, or 1 after printing an error.
 */
int hfi_event_exec(const char *command, struct hf_event *event, int signals, bool *stop);

#endif
