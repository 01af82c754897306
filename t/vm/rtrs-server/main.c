/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-rtrs-server [-n] [-q DEPTH] [-c CHUNK] [-l MS] DIRECTORY: serves the files in DIRECTORY as block devices, for
 * the kernel's client. -n: chunks keep their keys. -l: while there is a file "slow" in it, requests are carried out
 * that late. SIGUSR1 cuts the path that came last; SIGTERM ends it. What happens goes to standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "rtrs/driver/server.h"
#include "rtrs/link/rdma/rdma.h"
#include "shared/clock.h"
#include "t/lib/hang.h"
#include "t/vm/rtrs-server/blocks.h"

enum { PORT = 1234, NS_PER_MS = 1000000 };

/* A request of a slow device. */
struct held {
	struct held *next;
	int64_t due_ns;
	struct rtrs_server_request *request;
	struct rtrs_rnbd_job job;
};

struct service {
	struct rtrs_server_driver *driver;
	struct rtrs_link *link;
	struct rtrs_rnbd_server rnbd;
	int64_t delay_ns;
	struct held *first, **last;
	unsigned long requests;
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* --- what the driver calls ----------------------------------------------------------------------- */

static void session_up(void *user, struct rtrs_server_session *session)
{
	(void)user;
	session->user = calloc(1, sizeof(struct rtrs_rnbd_session));
	if (!session->user)
		die("no memory");
	fprintf(stderr, "session %s up\n", session->name);
}

static void path_is_connected_here(void *user, const struct rtrs_server_path *path)
{
	(void)user;
	(void)path;
}

static void session_down(void *user, struct rtrs_server_session *session)
{
	struct service *service = user;

	fprintf(stderr, "session %s down\n", session->name);
	rtrsi_rnbd_session_ends(&service->rnbd, session->user);
	free(session->user);
}

static void path_closed(void *user, const struct rtrs_server_order *order)
{
	const struct rtrs_server_path *path = order->path;

	(void)user;
	fprintf(stderr, "path of %s closed: %s: %s; reads %llu writes %llu running %u\n",
		path->session->name, strerror(-order->error), rtrsi_fault_text(order->fault),
		(unsigned long long)path->reads, (unsigned long long)path->writes, path->runs);
}

static void is_deaf(void *user, struct rtrs_listener *listener)
{
	(void)user;
	(void)listener;
	fprintf(stderr, "the listener is gone\n");
}

static void end_with(struct service *service, struct rtrs_server_request *request, int error)
{
	rtrsi_server_driver_done(service->driver, request, error);
}

static void end_job(struct service *service, struct rtrs_server_request *request,
		    const struct rtrs_rnbd_job *job)
{
	int err = blocks_do(job, request->data);

	rtrsi_rnbd_io_done(&service->rnbd, job);
	end_with(service, request, err);
}

static void hold_request(struct service *service, struct rtrs_server_request *request,
			 const struct rtrs_rnbd_job *job)
{
	struct held *held = calloc(1, sizeof(*held));

	if (!held)
		die("no memory");
	held->due_ns = hfi_now_ns() + service->delay_ns;
	held->request = request;
	held->job = *job;
	*service->last = held;
	service->last = &held->next;
	fprintf(stderr, "held in chunk %u\n", request->chunk);
}

static void run_request(void *user, struct rtrs_server_request *request)
{
	struct service *service = user;
	const struct rtrs_request *message = &request->message;
	uint8_t header[RNBD_OPEN_SIZE];
	struct rtrs_rnbd_request asked = {
		.header = header,
		.header_size = message->user_length < sizeof(header) ? message->user_length
								     : sizeof(header),
		.is_read = message->is_read,
		.data = request->data,
		.data_size = message->data_length,
	};
	struct rtrs_rnbd_job job;

	/* Without new keys the peer can still write there. */
	memcpy(header, request->data + message->data_length, asked.header_size);
	service->requests++;
	if (service->first)
		fprintf(stderr, "beside it in chunk %u\n", request->chunk);
	job = rtrsi_rnbd_serve(&service->rnbd, request->path->session->user, &asked);
	if (job.is_answered)
		end_with(service, request, job.error);
	else if (service->delay_ns && blocks_are_slow())
		hold_request(service, request, &job);
	else
		end_job(service, request, &job);
}

/* --- the loop ------------------------------------------------------------------------------------ */

static int64_t end_held(struct service *service)
{
	struct held *held;

	while ((held = service->first) && held->due_ns <= hfi_now_ns()) {
		service->first = held->next;
		if (!service->first)
			service->last = &service->first;
		end_job(service, held->request, &held->job);
		fprintf(stderr, "ended\n");
		free(held);
	}
	return held ? held->due_ns : INT64_MAX;
}

static int next_wait_ms(const struct service *service, int64_t due_ns)
{
	int64_t deadline = rtrsi_server_driver_deadline_ns(service->driver), rest;

	if (due_ns < deadline)
		deadline = due_ns;
	if (deadline == INT64_MAX)
		return HF_TEST_HANG_MS;
	rest = (deadline - hfi_now_ns()) / NS_PER_MS + 1;
	if (rest < 0)
		return 0;
	return rest < HF_TEST_HANG_MS ? (int)rest : HF_TEST_HANG_MS;
}

static void cut_path(struct service *service)
{
	struct rtrs_server_session *session = rtrsi_server_driver_engine(service->driver)->sessions;

	if (session)
		rtrsi_server_driver_close_path(service->driver, session->paths);
}

static bool is_end(struct service *service, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		die("signal: %s", strerror(errno));
	if (info.ssi_signo == SIGTERM)
		return true;
	cut_path(service);
	return false;
}

static void serve_clients(struct service *service, int signals)
{
	struct pollfd fds[] = {{.fd = service->link->ops->fd(service->link), .events = POLLIN},
			       {.fd = signals, .events = POLLIN}};
	struct rtrs_link_event event;
	int count;

	while (!fds[1].revents || !is_end(service, signals)) {
		if (poll(fds, 2, next_wait_ms(service, end_held(service))) < 0)
			die("poll: %s", strerror(errno));
		while ((count = service->link->ops->next(service->link, &event)) > 0)
			rtrsi_server_driver_event(service->driver, &event, hfi_now_ns());
		if (count < 0)
			die("next event: %s", strerror(-count));
		rtrsi_server_driver_tick(service->driver, hfi_now_ns());
	}
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void parse_server_options(int argc, char **argv, struct rtrs_server_options *options,
				 struct service *service)
{
	int option;

	options->accept = (struct rtrs_accept){512, 131072, 4096, true};
	options->paths_max = 8;
	while ((option = getopt(argc, argv, "nq:c:l:")) != -1) {
		switch (option) {
		case 'n':
			options->accept.new_keys = false;
			break;
		case 'q':
			options->accept.depth = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			options->accept.max_io = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			service->delay_ns = (int64_t)strtoul(optarg, NULL, 10) * NS_PER_MS;
			break;
		default:
			die("unknown option");
		}
	}
	/* What was said is the chunk's size. */
	options->accept.max_io -= options->accept.max_header;
	if (optind != argc - 1)
		die("usage: [-n] [-q DEPTH] [-c CHUNK] [-l MS] DIRECTORY");
}

int main(int argc, char **argv)
{
	static const struct rtrs_server_calls calls = {
		session_up,  session_down, path_is_connected_here,
		run_request, path_closed,  is_deaf};
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct rtrs_server_options options;
	static struct service service;
	struct rtrs_listener *listener;
	int signals = block_signals(), err;

	service.last = &service.first;
	parse_server_options(argc, argv, &options, &service);
	if (signals < 0)
		die("signals: %s", strerror(errno));
	err = blocks_begin(argv[optind], options.accept.max_io, &service.rnbd);
	if (err)
		die("%s: %s", argv[optind], strerror(-err));
	err = rtrsi_rdma_open(&service.link);
	if (err)
		die("rdma link: %s", strerror(-err));
	err = rtrsi_server_driver_new(&options, &calls, &service, &service.driver);
	if (err)
		die("server: %s", strerror(-err));
	err = service.link->ops->listen(service.link, (const struct sockaddr *)&any, &service,
					&listener);
	if (err)
		die("listen: %s", strerror(-err));
	fprintf(stderr, "listening\n");
	serve_clients(&service, signals);
	service.link->ops->unlisten(listener);
	for (struct held *held = service.first; held; held = service.first) {
		held->due_ns = 0;
		(void)end_held(&service);
	}
	rtrsi_server_driver_free(service.driver);
	service.link->ops->close(service.link);
	blocks_end();
	fprintf(stderr, "served %lu requests\n", service.requests);
	return 0;
}
