/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A made-up soft device of the provider uroce, and connected QPs on it, for tests. Fails by cmocka's assertions. */
#ifndef HF_TEST_UROCE_BED_H
#define HF_TEST_UROCE_BED_H

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

enum { BED_SIZE = 8192, BED_DEPTH = 16, BED_QKEY = 0x1234 };

struct uroce_bed {
	struct tree *tree;
	struct hf *hf;
	char node[4096]; /* the path of the device's file */
};

/* A context with one QP; its memory is registered for everything. */
struct uroce_end {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_srq *srq; /* may be set before the QP is made */
	struct ibv_qp *qp;
	char *memory;  /* BED_SIZE bytes, whole pages */
	size_t mapped; /* of them; less after a test unmapped the rest */
};

/* What a connected pair is told; the defaults are those of bed_options. */
struct uroce_options {
	enum ibv_qp_type type;
	uint8_t timeout, retry_cnt, rnr_retry, min_rnr_timer;
	unsigned int access; /* qp_access_flags */
	int cqe;
	bool all_signaled;
};

extern const struct uroce_options bed_options;
extern const struct tree_options bed_device; /* uroce0 */

/* For cmocka: *state is a struct uroce_bed. */
int uroce_bed_setup(void **state);
/* The same with every QP on that path; the wire with an address of IPv4. */
int uroce_bed_setup_direct(void **state);
int uroce_bed_setup_wire(void **state);
int uroce_bed_teardown(void **state);

void uroce_bed_open(const struct uroce_bed *bed, struct uroce_end *end);
/* The same with another device than uroce0. */
void uroce_bed_open_device(const struct uroce_bed *bed, const char *name, struct uroce_end *end);
void uroce_bed_qp(struct uroce_end *end, const struct uroce_options *options);
/* To INIT, RTR and RTS towards a QP of this device. The first returns ibv_modify_qp()'s result. */
int uroce_bed_init(struct uroce_end *end, const struct uroce_options *options);
int uroce_bed_rtr(struct uroce_end *end, uint32_t number, const struct uroce_options *options);
/* The same towards a QP of any device. */
int uroce_bed_rtr_to(struct uroce_end *end, const struct uroce_end *peer,
		     const struct uroce_options *options);
int uroce_bed_rts(struct uroce_end *end, const struct uroce_options *options);
void uroce_bed_connect(struct uroce_end *end, uint32_t number, const struct uroce_options *options);
/* Two ends, connected to each other. */
void uroce_bed_pair(const struct uroce_bed *bed, struct uroce_end ends[2],
		    const struct uroce_options *options);
/* 0, or the number of calls that failed. */
int uroce_bed_close(struct uroce_end *end);
/*
 * The end of a forked child that has copies of its parent's mappings. By an exec: before a process exits, valgrind
 * searches its memory for leaks, and to read a hole of a mapped file takes memory on tmpfs.
 */
_Noreturn void uroce_bed_leave(void);

/* A request on [offset, offset + length) of the end's memory. */
void uroce_bed_recv(struct uroce_end *end, uint64_t id, size_t offset, uint32_t length);
int uroce_bed_send(struct uroce_end *end, enum ibv_wr_opcode opcode, size_t offset, uint32_t length,
		   uint64_t remote, uint32_t rkey);
/* Posts with what the caller filled in; the SGE is set here. */
int uroce_bed_post(struct uroce_end *end, const struct ibv_send_wr *wr, size_t offset,
		   uint32_t length);
/* The next completion: polls until there is one. */
struct ibv_wc uroce_bed_wait(struct uroce_end *end);
/* The same with events of the channel. */
struct ibv_wc uroce_bed_sleep(struct uroce_end *end);
/* The type of the next asynchronous event, which is acknowledged. */
enum ibv_event_type uroce_bed_event(struct uroce_end *end);
enum ibv_qp_state uroce_bed_state(struct uroce_end *end);

#endif
