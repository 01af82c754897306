/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The counters of a soft device, which are files of its port's hw_counters: who makes the device makes them, and the
 * provider uroce writes them. Names of rxe's where they mean the same; uroce(7) describes all.
 */
#ifndef HF_SHARED_SOFT_COUNTERS_H
#define HF_SHARED_SOFT_COUNTERS_H

/* The first ones in the order of enum uroce_wire_counter. */
#define HF_SOFT_COUNTERS(ONE)                       \
	ONE(SENT_PACKETS, "sent_pkts")              \
	ONE(RECEIVED_PACKETS, "rcvd_pkts")          \
	ONE(DUPLICATE_REQUEST, "duplicate_request") \
	ONE(OUT_OF_SEQUENCE, "out_of_seq_request")  \
	ONE(RECEIVED_RNR, "rcvd_rnr_err")           \
	ONE(SENT_RNR, "send_rnr_err")               \
	ONE(SEQUENCE_NAK, "rcvd_seq_err")           \
	ONE(RETRY, "completer_retry_err")           \
	ONE(TIMEOUT, "timeouts")                    \
	ONE(RETRY_EXCEEDED, "retry_exceeded_err")   \
	ONE(RNR_EXCEEDED, "retry_rnr_exceeded_err") \
	ONE(DROP_STALE, "drop_stale")               \
	ONE(DROP_STATE, "drop_state")               \
	ONE(DROP_PKEY, "drop_pkey")                 \
	ONE(DROP_QKEY, "drop_qkey")                 \
	ONE(DROP_NO_RECEIVE, "drop_no_receive")     \
	ONE(DROP_MESSAGE, "drop_message")           \
	ONE(DROP_DUPLICATE, "drop_duplicate")       \
	ONE(INVALID_REQUEST, "invalid_request")     \
	ONE(REMOTE_ACCESS, "remote_access_err")     \
	ONE(DROP_BUSY, "drop_busy")                 \
	ONE(DROP_SIZE, "drop_size")                 \
	ONE(DROP_ICRC, "drop_icrc")                 \
	ONE(DROP_HEADER, "drop_header")             \
	ONE(DROP_NO_QP, "drop_no_qp")               \
	ONE(DROP_ADDRESS, "drop_address")           \
	ONE(HANDED_OVER, "handed_over")             \
	ONE(NOT_SENT, "send_err")                   \
	ONE(WIRE_QPS, "wire_qps")                   \
	ONE(DIRECT_QPS, "direct_qps")               \
	ONE(DIRECT_REQUESTS, "direct_requests")     \
	ONE(DIRECT_BYTES, "direct_bytes")           \
	ONE(DIRECT_RNR, "direct_rnr")               \
	ONE(DIRECT_DROPPED, "direct_dropped")       \
	ONE(DIRECT_ERRORS, "direct_errors")

#define HF_SOFT_COUNTER_NUMBER(number, name) HF_SOFT_##number,
enum hf_soft_counter { HF_SOFT_COUNTERS(HF_SOFT_COUNTER_NUMBER) HF_SOFT_COUNTER_COUNT };

#define HF_SOFT_COUNTER_NAME(number, name) name,
static const char *const hfi_soft_counters[HF_SOFT_COUNTER_COUNT] = {
	HF_SOFT_COUNTERS(HF_SOFT_COUNTER_NAME)};

#endif
