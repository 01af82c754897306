/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-cycles CYCLES NETDEV...: adds, renames and removes rxe devices on the netdevs in turn, always
 * with the same names, while two streams read events and two threads open and close devices.
 * The results are checked against the kernel: its index tells the instance of a handle, and the GUID
 * that an open node returns tells the opened instance. Consecutive instances have different GUIDs.
 */
#include <errno.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/vm/record.h"

#define NUM_STREAMS 2
#define NUM_OPENERS 2
#define MAX_NETDEVS 8
#define WARM_UP	    20 /* cycles before descriptors and memory are first counted */

static struct vm_plan plan = {.name = "rxe0", .new_name = "foo0"};
static struct vm_recorder recorders[NUM_STREAMS];
static const char *netdevs[MAX_NETDEVS];
static uint64_t guids[MAX_NETDEVS];
static unsigned int num_netdevs;
static uint64_t longest_add, longest_rename, longest_del, total_del;
static unsigned int num_del;

struct opener {
	pthread_t thread;
	struct hf *hf;
	unsigned int seed, opens, gone, io, stale, other;
};

static struct opener openers[NUM_OPENERS];
static atomic_bool stop_openers, pause_openers;
static atomic_int paused;

extern char **environ;

/* Runs rdma(8) and returns its time, including the start of the process. */
static uint64_t rdma(const char *const *words)
{
	const char *argv[16] = {"rdma"};
	uint64_t start = vm_now_us();
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	if (posix_spawnp(&pid, "rdma", NULL, NULL, (char *const *)argv, environ) ||
	    waitpid(pid, &status, 0) != pid || status)
		vm_die("rdma %s %s %s failed", words[0], words[1], words[2]);
	return vm_now_us() - start;
}

static void keep_longest(uint64_t *longest, uint64_t now)
{
	if (now > *longest)
		*longest = now;
}

/* The EUI-64 that rxe derives from its netdev's address. */
static uint64_t guid_of(const char *netdev)
{
	unsigned int mac[6];
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", netdev);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%2x:%2x:%2x:%2x:%2x:%2x", &mac[0], &mac[1], &mac[2], &mac[3],
			    &mac[4], &mac[5]) != 6)
		vm_die("%s cannot be read", path);
	fclose(file);
	return (uint64_t)(mac[0] ^ 2) << 56 | (uint64_t)mac[1] << 48 | (uint64_t)mac[2] << 40 |
	       0xfffe000000 | mac[3] << 16 | mac[4] << 8 | mac[5];
}

static unsigned int add_link(bool waited, bool renamed)
{
	unsigned int i = plan.num, netdev = i % num_netdevs;
	struct vm_truth *truth = &plan.truth[i];

	if (i == VM_MAX_INSTANCES)
		vm_die("too many cycles");
	truth->waited = waited;
	truth->renamed = renamed;
	truth->guid = guids[netdev];
	/* Before the device exists, or a thread could find one that is not in the plan. */
	atomic_store(&truth->made, true);
	plan.num = i + 1;
	keep_longest(&longest_add, rdma((const char *[]){"link", "add", plan.name, "type", "rxe",
							 "netdev", netdevs[netdev], NULL}));
	return i;
}

static void wait_told(unsigned int instance, enum hf_event_type type)
{
	unsigned int i;

	if (!plan.truth[instance].waited)
		return;
	for (i = 0; i < NUM_STREAMS; i++) {
		if (!vm_recorder_wait(&recorders[i], instance, type))
			vm_error("stream %u: no %s of instance %u in ten seconds", i,
				 hf_event_type_name(type), instance);
	}
}

static void rename_device(void)
{
	keep_longest(&longest_rename,
		     rdma((const char *[]){"dev", "set", plan.name, "name", plan.new_name, NULL}));
}

static void delete_link(const char *name)
{
	uint64_t time = rdma((const char *[]){"link", "delete", name, NULL});

	keep_longest(&longest_del, time);
	total_del += time;
	num_del++;
}

static void cycle(unsigned int number, bool waited)
{
	unsigned int a, b;

	switch (number % 4) {
	case 0: /* plug and unplug only: number and name are reused at once */
		a = add_link(waited, false);
		wait_told(a, HF_EVENT_ADDED);
		delete_link(plan.name);
		break;
	case 1:
		a = add_link(waited, true);
		wait_told(a, HF_EVENT_ADDED);
		rename_device();
		wait_told(a, HF_EVENT_CHANGED);
		delete_link(plan.new_name);
		break;
	case 2: /* unplug immediately after the rename */
		a = add_link(waited, true);
		wait_told(a, HF_EVENT_ADDED);
		rename_device();
		delete_link(plan.new_name);
		break;
	default: /* two devices at a time, the second with the old name of the first */
		a = add_link(waited, true);
		wait_told(a, HF_EVENT_ADDED);
		rename_device();
		b = add_link(waited, false);
		wait_told(b, HF_EVENT_ADDED);
		delete_link(plan.new_name);
		delete_link(plan.name);
		break;
	}
}

static void tally(struct opener *opener, int ret)
{
	if (!ret)
		opener->opens++;
	else if (ret == -ENODEV)
		opener->gone++;
	else if (ret == -EIO)
		opener->io++;
	else if (ret < 0) {
		opener->other++;
		vm_error("open: %s", strerror(-ret));
	}
}

static void open_one(struct opener *opener, struct ibv_device *device)
{
	struct vm_open_times times = {.hold = (uint64_t)(rand_r(&opener->seed) % 3000)};
	bool gone = hf_device_is_gone(device);
	struct hf_device_info info;
	int ret;

	vm_info(device, &info);
	info.index -= plan.base;
	if (info.index < 0 || (unsigned int)info.index >= VM_MAX_INSTANCES ||
	    !plan.truth[info.index].made) {
		vm_error("a device with index %d was never made", info.index + plan.base);
		return;
	}
	ret = vm_try_open(device, plan.truth[info.index].guid, &times);
	if (gone && ret != -ENODEV)
		vm_error("opening a device known to be gone gave %d", ret);
	opener->stale += gone;
	tally(opener, ret);
}

static void *open_and_close(void *arg)
{
	struct opener *opener = arg;
	struct ibv_device **list, *kept = NULL;
	int i, num;

	while (!atomic_load(&stop_openers)) {
		if (atomic_load(&pause_openers)) {
			kept = hf_device_unref(kept);
			atomic_fetch_add(&paused, 1);
			while (atomic_load(&pause_openers))
				usleep(5000);
			atomic_fetch_sub(&paused, 1);
			continue;
		}
		num = hf_device_list(opener->hf, 0, &list);
		if (num < 0) {
			vm_error("hf_device_list: %s", strerror(-num));
			break;
		}
		/* An older handle. Another device may have its name and number now. */
		if (kept) {
			open_one(opener, kept);
			if (hf_device_is_gone(kept) && rand_r(&opener->seed) % 4 == 0)
				kept = hf_device_unref(kept);
		}
		for (i = 0; i < num; i++) {
			open_one(opener, list[i]);
			if (!kept)
				kept = hf_device_ref(list[i]);
		}
		hf_device_list_free(list);
		usleep((useconds_t)(rand_r(&opener->seed) % 3000));
	}
	hf_device_unref(kept);
	return NULL;
}

struct left {
	unsigned int fds;
	long blocks;
};

static void begin_pause(void)
{
	atomic_store(&pause_openers, true);
	while (atomic_load(&paused) < NUM_OPENERS)
		usleep(1000);
}

/* Until all have left it. */
static void end_pause(void)
{
	atomic_store(&pause_openers, false);
	while (atomic_load(&paused) > 0)
		usleep(1000);
}

/* Counts descriptors and memory while no device exists or is open and all events were read. */
static void count_left(struct left *left, const char *when)
{
	unsigned int i;

	begin_pause();
	for (i = 0; i < NUM_STREAMS; i++)
		vm_recorder_drain(&recorders[i], 2000);
	left->fds = vm_open_fds();
	left->blocks = vm_live_blocks();
	printf("figure: %s: %u descriptors, %ld blocks of memory%s\n", when, left->fds,
	       left->blocks, left->blocks < 0 ? " (not counted under a sanitizer)" : "");
	end_pause();
}

/* Checks the kernel's count of contexts after the threads used the device. */
static void check_kernel_contexts(void)
{
	char line[256];
	FILE *pipe;

	add_link(true, false);
	wait_told(plan.num - 1, HF_EVENT_ADDED);
	usleep(300000);
	begin_pause();
	pipe = popen("rdma resource show ctx", "re");
	while (pipe && fgets(line, sizeof(line), pipe))
		vm_error("left open in the kernel: %s", line);
	if (!pipe || pclose(pipe))
		vm_error("rdma resource failed");
	end_pause();
	delete_link(plan.name);
}

static void print_verdict(unsigned int number, const struct vm_verdict *verdict)
{
	printf("figure: stream %u: %u events: added %u, renamed %u, removed %u, other changes %u, "
	       "resync %u; instances without any event %u\n",
	       number, verdict->events, verdict->added, verdict->renamed, verdict->removed,
	       verdict->other_changes, verdict->resyncs, verdict->unseen);
}

static void find_base(struct hf *hf)
{
	struct hf_device_info info;
	struct ibv_device *device;

	rdma((const char *[]){"link", "add", plan.name, "type", "rxe", "netdev", netdevs[0], NULL});
	if (hf_device_by_name(hf, plan.name, &device))
		vm_die("%s was added, but is not found", plan.name);
	vm_info(device, &info);
	if (info.node_guid != guids[0])
		vm_die("GUID %016" PRIx64 ", not made of the netdev's address", info.node_guid);
	plan.base = info.index + 1;
	hf_device_unref(device);
	rdma((const char *[]){"link", "delete", plan.name, NULL});
}

static void sum_openers(void)
{
	struct opener sum = {0};
	unsigned int i;

	for (i = 0; i < NUM_OPENERS; i++) {
		sum.opens += openers[i].opens;
		sum.gone += openers[i].gone;
		sum.io += openers[i].io;
		sum.stale += openers[i].stale;
	}
	printf("figure: opened the right device %u times; refused as gone %u (%u of them on "
	       "handles "
	       "known to be gone); unplugged while open %u\n",
	       sum.opens, sum.gone, sum.stale, sum.io);
	if (!sum.opens || !sum.stale)
		vm_error("nothing was opened, or no old handle was tried");
}

static void run_cycles(unsigned int cycles, struct left *warm, struct left *end)
{
	unsigned int i;

	for (i = 0; i < cycles + WARM_UP; i++) {
		if (i == WARM_UP)
			count_left(warm, "after the warm-up");
		/* One cycle in five does not wait for the streams. */
		cycle(i, i % 5 != 4);
	}
	count_left(end, "after all cycles");
}

int main(int argc, char **argv)
{
	unsigned int i, cycles, fds = vm_open_fds();
	struct vm_verdict verdict;
	struct left warm = {0}, end = {0};
	struct hf *hf;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4 || argc > 2 + MAX_NETDEVS)
		vm_die("usage: vm-cycles CYCLES NETDEV NETDEV...");
	cycles = (unsigned int)atoi(argv[1]);
	for (num_netdevs = 0; argv[num_netdevs + 2]; num_netdevs++) {
		netdevs[num_netdevs] = argv[num_netdevs + 2];
		guids[num_netdevs] = guid_of(netdevs[num_netdevs]);
	}
	/* Also allocates the buffer of stdio before memory is counted. */
	printf("# %u cycles on %u netdevs\n", cycles, num_netdevs);
	warm.blocks = vm_live_blocks();
	hf = vm_context(0);
	if (warm.blocks >= 0 && vm_live_blocks() <= warm.blocks)
		vm_die("the library's memory is not counted");
	find_base(hf);
	for (i = 0; i < NUM_STREAMS; i++)
		vm_recorder_start(&recorders[i], hf, &plan);
	for (i = 0; i < NUM_OPENERS; i++) {
		openers[i].hf = hf;
		openers[i].seed = i + 1;
		if (pthread_create(&openers[i].thread, NULL, open_and_close, &openers[i]))
			vm_die("pthread_create");
	}

	run_cycles(cycles, &warm, &end);
	check_kernel_contexts();

	atomic_store(&stop_openers, true);
	for (i = 0; i < NUM_OPENERS; i++)
		pthread_join(openers[i].thread, NULL);
	for (i = 0; i < NUM_STREAMS; i++) {
		vm_recorder_drain(&recorders[i], 500);
		vm_recorder_stop(&recorders[i]);
		vm_recorder_judge(&recorders[i], &verdict);
		print_verdict(i, &verdict);
	}
	hf_unref(hf);

	sum_openers();
	printf("figure: %u cycles, %u instances; longest rdma link add %" PRIu64
	       " ms, rename %" PRIu64 " ms, delete %" PRIu64 " ms (mean %" PRIu64 ")\n",
	       cycles + WARM_UP, plan.num, longest_add / 1000, longest_rename / 1000,
	       longest_del / 1000, total_del / num_del / 1000);
	/* The threads close after 3 ms. The rest is for an emulated machine on a busy host. */
	if (longest_del > 10000000)
		vm_error("an unplug took longer than ten seconds");
	if (end.fds != warm.fds)
		vm_error("%d descriptors left over", (int)end.fds - (int)warm.fds);
	if (end.blocks != warm.blocks)
		vm_error("%ld blocks of memory left over", end.blocks - warm.blocks);
	printf("figure: at the end %u descriptors, at the start %u\n", vm_open_fds(), fds);
	if (vm_open_fds() != fds)
		vm_error("descriptors left open");
	printf("%u errors\n", vm_errors());
	return vm_errors() != 0;
}
