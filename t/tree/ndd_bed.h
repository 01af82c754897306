/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A tree and a running rdma-ndd on it, in a UTS namespace whose host name the test can change. */
#ifndef HF_TEST_NDD_BED_H
#define HF_TEST_NDD_BED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "t/lib/tree.h"

struct ndd_bed {
	struct tree *tree;
	pid_t daemon;		 /* 0: none */
	int notify;		 /* its messages to systemd */
	char said[256];		 /* file with its log */
	bool ready, stopping;	 /* reported to systemd */
	bool unprivileged;	 /* start it without the capability to override file modes */
	const char *environment; /* additional NAME=VALUE, or NULL */
};

/* Call once before all tests: 0, or 77 after printing the reason. */
int ndd_namespace(void);
void ndd_host(const char *name);

int ndd_setup(void **state);
/* Stops the daemon if it runs. */
int ndd_teardown(void **state);

/* Starts it with these options (NULL-terminated) and waits until it is ready. */
void ndd_start(struct ndd_bed *bed, const char *const *options);
/*
 * Runs it with --once and counts its system calls: 0, or -EPERM where tracing is not allowed.
 */
int ndd_count_calls(struct ndd_bed *bed, unsigned long *ret);
/* Runs it until it ends; returns its exit status. */
int ndd_run(struct ndd_bed *bed, const char *const *options);
/* Sends a signal and waits for a successful exit, also under valgrind or a sanitizer. */
void ndd_end(struct ndd_bed *bed, int signal);

/* The description of device n in the tree. */
const char *ndd_described(struct ndd_bed *bed, unsigned int n);
/* Waits until device n has this description. */
void ndd_expect(struct ndd_bed *bed, unsigned int n, const char *text);
/* The same for devices from..to-1, each as "HOST NAME". */
void ndd_expect_all(struct ndd_bed *bed, unsigned int from, unsigned int to, const char *host);

/* The number of its log lines that contain the text. */
unsigned int ndd_says(struct ndd_bed *bed, const char *text);
/* Waits until there is such a line. */
void ndd_expect_says(struct ndd_bed *bed, const char *text);
/* Waits until there are that many. */
void ndd_expect_says_times(struct ndd_bed *bed, const char *text, unsigned int times);

/* Waits until it is idle. */
void ndd_settle(const struct ndd_bed *bed);

/* The bytes it has allocated, as it reports with --debug. */
unsigned long ndd_allocated(struct ndd_bed *bed);

/* Its CPU time in us, its open descriptors, its private memory in KiB. */
uint64_t ndd_cpu(const struct ndd_bed *bed);
unsigned int ndd_fds(const struct ndd_bed *bed);
unsigned int ndd_memory(const struct ndd_bed *bed);

/* Whether CPU time and sizes are those of an ordinary build. */
bool ndd_is_plain(void);

#endif
