/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-watch [-b BYTES] [-n] [-s]: prints the events of a stream, one per line:
 *   SEQUENCE TYPE NAME GENERATION INDEX CHANGES
 * -b  receive buffer of the notification sockets
 * -n  do not open each device that is ADDED
 * -s  use the default context, as ibv_* programs do
 * On SIGTERM it prints the number of open descriptors and exits. It fails if the stream broke its contract.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/vm/vm.h"

static volatile sig_atomic_t stop;

static void on_term(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

/* Checks the contract's order of events for each instance. */
#define MAX_LIVE 1024
static uint64_t live[MAX_LIVE];
static unsigned int num_live;
static uint64_t last_sequence, last_generation;

static unsigned int find_live(uint64_t generation)
{
	unsigned int i;

	for (i = 0; i < num_live && live[i] != generation; i++)
		;
	return i;
}

static void check_event(const struct hf_event *event)
{
	uint64_t sequence = hf_event_sequence(event);
	uint64_t generation = hf_event_generation(event);
	unsigned int at = find_live(generation);

	if (sequence != last_sequence + 1)
		vm_error("sequence %" PRIu64 " after %" PRIu64, sequence, last_sequence);
	last_sequence = sequence;
	switch (hf_event_type(event)) {
	case HF_EVENT_ADDED:
		if (at < num_live)
			vm_error("instance %" PRIu64 " added twice", generation);
		else if (num_live < MAX_LIVE)
			live[num_live++] = generation;
		if (generation > last_generation)
			last_generation = generation;
		break;
	case HF_EVENT_REMOVED:
		if (at == num_live)
			vm_error("instance %" PRIu64 " removed but not there", generation);
		else
			live[at] = live[--num_live];
		if (!hf_device_is_gone(hf_event_device(event)))
			vm_error("instance %" PRIu64 " removed but not gone", generation);
		break;
	case HF_EVENT_CHANGED:
		if (at == num_live)
			vm_error("instance %" PRIu64 " changed but not there", generation);
		if (!hf_event_changes(event))
			vm_error("nothing changed in instance %" PRIu64, generation);
		break;
	default:
		break;
	}
}

static const char *changes_text(uint32_t changes, char *text)
{
	static const char *const names[] = {"name", "gid", "port", "netdev"};
	unsigned int i;

	strcpy(text, changes ? "" : "-");
	for (i = 0; i < 4; i++) {
		if (!(changes & (1u << i)))
			continue;
		if (text[0])
			strcat(text, ",");
		strcat(text, names[i]);
	}
	return text;
}

static void print_event(const struct hf_event *event, bool open_added)
{
	struct ibv_device *device = hf_event_device(event);
	struct hf_device_info info = {.index = -1};
	char changes[32];
	int ret;

	if (device)
		vm_info(device, &info);
	printf("%" PRIu64 " %s %s %" PRIu64 " %d %s\n", hf_event_sequence(event),
	       hf_event_type_name(hf_event_type(event)), device ? hf_event_name(event) : "-",
	       hf_event_generation(event), info.index,
	       changes_text(hf_event_changes(event), changes));
	if (hf_event_type(event) == HF_EVENT_ADDED && open_added) {
		ret = vm_try_open(device, info.node_guid, NULL);
		/* It may be unplugged already. Any other failure breaks the contract. */
		if (ret < 0 && ret != -ENODEV && ret != -EIO)
			vm_error("%s was added but cannot be opened: %s", info.name,
				 strerror(-ret));
	}
}

int main(int argc, char **argv)
{
	struct hf_stream_options options = {.size = sizeof(options)};
	struct sigaction action = {.sa_handler = on_term};
	unsigned int fds = vm_open_fds();
	bool open_added = true, standard = false;
	struct hf_stream *stream;
	struct hf_event *event;
	struct pollfd poll_fd;
	struct hf *hf;
	int ret;

	while ((ret = getopt(argc, argv, "b:ns")) != -1) {
		if (ret == 'b')
			options.receive_buffer = (uint32_t)strtoul(optarg, NULL, 0);
		else if (ret == 'n')
			open_added = false;
		else if (ret == 's')
			standard = true;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	if (!standard)
		hf = vm_context(0);
	else if (hf_default(&hf))
		vm_die("hf_default failed");
	ret = hf_stream_new(hf, &options, &stream);
	if (ret)
		vm_die("hf_stream_new: %s", strerror(-ret));
	poll_fd.fd = hf_stream_fd(stream);
	poll_fd.events = POLLIN;
	while (!stop) {
		ret = hf_stream_next(stream, &event);
		if (ret == 1) {
			check_event(event);
			print_event(event, open_added);
			hf_event_unref(event);
		} else if (ret < 0) {
			vm_die("hf_stream_next: %s", strerror(-ret));
		} else {
			/* A timeout, because a signal just before poll() would be missed. */
			poll(&poll_fd, 1, 200);
		}
	}
	hf_stream_unref(stream);
	hf_unref(hf);
	if (!standard && vm_open_fds() != fds)
		vm_error("%u descriptors at the end, %u at the start", vm_open_fds(), fds);
	printf("end: %" PRIu64 " events, %u devices, %u errors\n", last_sequence, num_live,
	       vm_errors());
	return vm_errors() != 0;
}
