/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A tree and a running rdma-ndd on it, in a UTS namespace whose host name is the test's to change. */
#ifndef HF_TEST_NDD_BED_H
#define HF_TEST_NDD_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "t/lib/tree.h"

struct ndd_bed {
	struct tree *tree;
	pid_t daemon;		 /* 0: none */
	int notify;		 /* what it tells systemd */
	char said[256];		 /* file of its messages */
	bool ready, stopping;	 /* was told */
	bool unprivileged;	 /* start it without the right to pass over a file's mode */
	const char *environment; /* NAME=VALUE more, or NULL */
};

/* Once, before all tests: 0, or 77 and why not. */
int ndd_namespace(void);
void ndd_host(const char *name);

int ndd_setup(void **state);
/* Ends the daemon, if it runs. */
int ndd_teardown(void **state);

/* Starts it with these options (NULL-terminated) and waits until it is ready. */
void ndd_start(struct ndd_bed *bed, const char *const *options);
/*
 * Runs it with --once and counts its system calls: 0, or -EPERM where tracing is not allowed.
 */
int ndd_count_calls(struct ndd_bed *bed, unsigned long *ret);
/* Starts it and waits until it has ended; its exit status. */
int ndd_run(struct ndd_bed *bed, const char *const *options);
/* Sends a signal, waits for the end, which must be well, also in valgrind's or a sanitizer's eyes. */
void ndd_end(struct ndd_bed *bed, int signal);

/* The description that device n has in the tree. */
const char *ndd_described(struct ndd_bed *bed, unsigned int n);
/* Waits until device n is described as this. */
void ndd_expect(struct ndd_bed *bed, unsigned int n, const char *text);
/* The same for devices from..to-1, each as "HOST NAME". */
void ndd_expect_all(struct ndd_bed *bed, unsigned int from, unsigned int to, const char *host);

/* How many lines of its messages hold the text. */
unsigned int ndd_says(struct ndd_bed *bed, const char *text);
/* Waits until one does. */
void ndd_expect_says(struct ndd_bed *bed, const char *text);
/* Waits until so many do. */
void ndd_expect_says_times(struct ndd_bed *bed, const char *text, unsigned int times);

/* Waits until it has nothing to do. */
void ndd_settle(const struct ndd_bed *bed);

/* What it has allocated, in bytes, as it says itself; started with --debug. */
unsigned long ndd_allocated(struct ndd_bed *bed);

/* Its CPU time in us, its open descriptors, its private memory in KiB. */
uint64_t ndd_cpu(const struct ndd_bed *bed);
unsigned int ndd_fds(const struct ndd_bed *bed);
unsigned int ndd_memory(const struct ndd_bed *bed);

/* Are times and sizes those of an ordinary build? */
bool ndd_is_plain(void);

#endif
