/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef NDD_OPTIONS_H
#define NDD_OPTIONS_H

#include <stdbool.h>

struct ndd_options {
	const char *template;
	unsigned int retry_seconds; /* between two tries of what may succeed later */
	unsigned int retry_count;   /* how often; 0: not at all */
	bool foreground;
	bool once;
	bool debug;
};

/* Reads the command line and the environment. True, or false when the program is to end with *status. */
bool ndd_options_take(int argc, char **argv, struct ndd_options *ret, int *status);

#endif
