/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connects two QPs of one device to each other, and checks their data and completions. */
#ifndef VM_VERBS_RIG_H
#define VM_VERBS_RIG_H

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "t/vm/vm.h"

enum { BUFFER = 16384, DEPTH = 16, INLINE = 64, SGES = 4, QKEY = 0x11111111, GRH = 40 };

struct rig {
	struct ibv_context *context;
	struct ibv_pd *pd;
	union ibv_gid gid;
	struct ibv_device_attr_ex attr;
	enum ibv_mtu mtu;
	struct sockaddr_in address; /* for iWARP's connections */
	uint8_t gid_index;
	bool iwarp;
};

struct options {
	enum ibv_qp_type type;
	struct ibv_srq *srq;
	struct ibv_cq *cq; /* for both ends; NULL: create one */
	uint64_t send_ops; /* for ibv_wr_*; 0: not used */
	int sig_all;
	bool unconnected;
};

struct end {
	struct ibv_qp *qp;
	struct ibv_qp_ex *ex;
	struct ibv_cq *cq;
	bool own_cq;
	struct ibv_mr *mr;
	int connection;			    /* iWARP: of the first end; -1: none */
	_Alignas(8) uint8_t buffer[BUFFER]; /* aligned for atomics */
};

#define CHECK(condition, ...)                                          \
	do {                                                           \
		if (!(condition)) {                                    \
			vm_error("line %d: %s", __LINE__, #condition); \
			vm_error("  " __VA_ARGS__);                    \
		}                                                      \
	} while (0)

/* Opens NAME, or for iWARP NAME@ADDRESS with the IPv4 address of its network device. */
void rig_open(struct rig *rig, char *name);
void rig_close(struct rig *rig);

/* Creates both ends. Their buffers have different patterns and are accessible to the other end. */
struct end *pair_make(struct rig *rig, const struct options *options);
void pair_free(struct end *ends);
void pair_connect(struct rig *rig, struct end *ends);
void fill(struct end *end, uint8_t seed);

/* A list of one entry: `length` bytes at `offset` of the buffer. */
struct ibv_sge sge_of(const struct end *end, size_t offset, uint32_t length);

/* Each posts one request. A failure is an error of the test. */
void post_recv(struct end *end, uint64_t id, size_t offset, uint32_t length);
void post_send(struct end *end, struct ibv_send_wr *wr);
void send_simple(struct end *end, uint64_t id, size_t offset, uint32_t length);

/*
 * Waits for the next completion, which must have this id and be successful. False if there is none
 * within 10 s or it is another one, which is then in *wc.
 */
bool expect(struct ibv_cq *cq, uint64_t id, enum ibv_wc_opcode opcode, struct ibv_wc *wc);
bool expect_status(struct ibv_cq *cq, uint64_t id, enum ibv_wc_status status);
void expect_nothing(struct ibv_cq *cq);

#endif
