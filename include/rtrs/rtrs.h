/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * librtrs: block transport between a client and a server over several paths, with the protocol of the Linux
 * modules rtrs_client and rtrs_server. See rtrs(7). All functions return 0 or a count on success and a negative
 * errno on failure; then what `ret` points to is untouched. Numbers are in the machine's byte order, sizes and
 * lengths in bytes.
 *
 * Addresses are text:
 *	unix:/path		a Unix socket, between two programs with this library
 *	tcp:1.2.3.4:port	a TCP connection between the same; tcp:[::1]:port with IPv6
 *	ip:1.2.3.4[:port]	RDMA, to this library or to the kernel's modules; ip:::1 or ip:[::1]:port with
 *				IPv6. The port is 1234 where none is given.
 *	soft:1.2.3.4[:port]	RDMA on a soft device that has the address, between two programs with this library;
 *				the rest as with ip:
 */
#ifndef RTRS_RTRS_H
#define RTRS_RTRS_H

#include <rtrs/client.h>
#include <rtrs/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, as "0.1.0". Static. Since 0.1. */
const char *rtrs_version(void);

#ifdef __cplusplus
}
#endif

#endif
