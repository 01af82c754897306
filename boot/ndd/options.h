/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command line of rdma-ndd. */
#ifndef NDD_OPTIONS_H
#define NDD_OPTIONS_H

#include <stdbool.h>

struct ndd_options {
	const char *template;
	unsigned int retry_seconds; /* between two tries of a write */
	unsigned int retry_count;   /* how often to try again; 0: never */
	bool foreground;
	bool once;
	bool debug;
};

/* Parses the command line and the environment. False if the program must exit with *status. */
bool ndd_options_parse(int argc, char **argv, struct ndd_options *ret, int *status);

#endif
