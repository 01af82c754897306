/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs rdma-ndd on a generated tree in a UTS namespace, for its tests. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "shared/clock.h"
#include "t/bench/trace.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/tree/ndd_bed.h"

enum { ARGUMENTS_MAX = 32 };

int ndd_namespace(void)
{
	/* In a user namespace if this process may not create a UTS namespace alone. */
	if (unshare(CLONE_NEWUTS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0)
		return 0;
	printf("SKIP: no UTS namespace: %s\n", strerror(errno));
	return 77;
}

void ndd_host(const char *name)
{
	assert_int_equal(sethostname(name, strlen(name)), 0);
}

int ndd_setup(void **state)
{
	struct ndd_bed *bed = calloc(1, sizeof(*bed));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(bed);
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	ndd_host("first.example.org");
	snprintf(bed->said, sizeof(bed->said), "%s/said", tree_sysfs(bed->tree));
	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify",
			     tree_sysfs(bed->tree)) < (int)sizeof(address.sun_path));
	bed->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(bed->notify >= 0);
	assert_int_equal(bind(bed->notify, (struct sockaddr *)&address, sizeof(address)), 0);
	*state = bed;
	return 0;
}

int ndd_teardown(void **state)
{
	struct ndd_bed *bed = *state;

	if (bed->daemon)
		ndd_end(bed, SIGTERM);
	close(bed->notify);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

/* The program itself: libtool's wrapper script would add system calls of its own. */
static const char *program(char *path, size_t size)
{
	const char *top = getenv("top_builddir");

	snprintf(path, size, "%s/boot/ndd/.libs/rdma-ndd", top);
	if (access(path, X_OK) < 0)
		snprintf(path, size, "%s/boot/ndd/rdma-ndd", top);
	return path;
}

static void set_environment(const struct ndd_bed *bed)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s:%s", tree_sysfs(bed->tree), tree_dev(bed->tree));
	setenv("HOLDFAST_ROOTS", text, 1);
	snprintf(text, sizeof(text), "%s/notify", tree_sysfs(bed->tree));
	setenv("NOTIFY_SOCKET", text, 1);
	snprintf(text, sizeof(text), "%s/.libs", getenv("top_builddir"));
	setenv("LD_LIBRARY_PATH", text, 1);
	unsetenv("RDMA_NDD_ND_FORMAT");
	unsetenv("JOURNAL_STREAM");
	if (bed->environment)
		putenv((char *)(uintptr_t)bed->environment);
}

static _Noreturn void become_daemon(const struct ndd_bed *bed, const char *const *options)
{
	static const char *const valgrind[] = {"valgrind", "-q", "--error-exitcode=99",
					       "--leak-check=full",
					       "--errors-for-leak-kinds=definite,indirect"};
	const char *argv[ARGUMENTS_MAX];
	char path[512];
	int argc = 0;
	int said = open(bed->said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (bed->unprivileged)
		prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
	set_environment(bed);
	dup2(said, STDOUT_FILENO);
	dup2(said, STDERR_FILENO);
	if (getenv("HF_VALGRIND"))
		for (size_t i = 0; i < sizeof(valgrind) / sizeof(valgrind[0]); i++)
			argv[argc++] = valgrind[i];
	argv[argc++] = program(path, sizeof(path));
	while (*options && argc < ARGUMENTS_MAX - 1)
		argv[argc++] = *options++;
	argv[argc] = NULL;
	execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

static void start_daemon(struct ndd_bed *bed, const char *const *options)
{
	assert_int_equal(bed->daemon, 0);
	bed->ready = bed->stopping = false;
	bed->daemon = fork();
	assert_true(bed->daemon >= 0);
	if (!bed->daemon)
		become_daemon(bed, options);
}

static void show_messages(const struct ndd_bed *bed)
{
	char command[512];

	snprintf(command, sizeof(command), "tail -n 30 %s", bed->said);
	if (system(command) != 0)
		puts("it said nothing");
}

/* Reads what it has reported to systemd so far. */
static void read_notify_socket(struct ndd_bed *bed)
{
	char message[512];
	ssize_t got;

	while ((got = recv(bed->notify, message, sizeof(message) - 1, MSG_DONTWAIT)) > 0) {
		message[got] = '\0';
		bed->ready |= strstr(message, "READY=1") != NULL;
		bed->stopping |= strstr(message, "STOPPING=1") != NULL;
	}
}

void ndd_start(struct ndd_bed *bed, const char *const *options)
{
	struct pollfd fd = {.fd = bed->notify, .events = POLLIN};
	int64_t end = hfi_now_ms() + HF_TEST_HANG_MS;

	start_daemon(bed, options);
	while (!bed->ready && hfi_now_ms() < end) {
		poll(&fd, 1, 100);
		read_notify_socket(bed);
		if (waitpid(bed->daemon, NULL, WNOHANG) == bed->daemon) {
			bed->daemon = 0;
			break;
		}
	}
	if (!bed->ready)
		show_messages(bed);
	assert_true(bed->ready);
}

static int wait_end(struct ndd_bed *bed)
{
	int64_t end = hfi_now_ms() + HF_TEST_HANG_MS;
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(bed->daemon, &status, WNOHANG)) == 0 && hfi_now_ms() < end)
		usleep(5000);
	if (ended != bed->daemon) {
		show_messages(bed);
		fail_msg("it does not end");
	}
	bed->daemon = 0;
	read_notify_socket(bed);
	if (!WIFEXITED(status))
		show_messages(bed);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int ndd_count_calls(struct ndd_bed *bed, unsigned long *ret)
{
	static struct trace trace;
	char path[512], once[] = "--once", *argv[] = {path, once, NULL};
	char text[256];
	int err;

	program(path, sizeof(path));
	set_environment(bed);
	err = trace_run(argv, STDERR_FILENO, &trace);
	trace_describe(&trace, TRACE_NONE, 8, text, sizeof(text));
	printf("%lu system calls: %s\n", trace.total[TRACE_NONE], text);
	*ret = trace.total[TRACE_NONE];
	return err;
}

int ndd_run(struct ndd_bed *bed, const char *const *options)
{
	start_daemon(bed, options);
	return wait_end(bed);
}

void ndd_end(struct ndd_bed *bed, int signal)
{
	int status;

	kill(bed->daemon, signal);
	status = wait_end(bed);
	if (status)
		show_messages(bed);
	assert_int_equal(status, 0);
	assert_true(bed->stopping);
}

const char *ndd_described(struct ndd_bed *bed, unsigned int n)
{
	static char text[256];
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/class/infiniband/%s/node_desc", tree_sysfs(bed->tree),
		 tree_name(bed->tree, n));
	file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool eventually_described(struct ndd_bed *bed, unsigned int n, const char *text)
{
	int64_t end = hfi_now_ms() + HF_TEST_HANG_MS;

	while (strcmp(ndd_described(bed, n), text) != 0) {
		if (hfi_now_ms() > end)
			return false;
		usleep(2000);
	}
	return true;
}

void ndd_expect(struct ndd_bed *bed, unsigned int n, const char *text)
{
	if (eventually_described(bed, n, text))
		return;
	show_messages(bed);
	assert_string_equal(ndd_described(bed, n), text);
}

void ndd_expect_all(struct ndd_bed *bed, unsigned int from, unsigned int to, const char *host)
{
	char text[128];

	for (unsigned int n = from; n < to; n++) {
		snprintf(text, sizeof(text), "%s %s", host, tree_name(bed->tree, n));
		ndd_expect(bed, n, text);
	}
}

unsigned int ndd_says(struct ndd_bed *bed, const char *text)
{
	FILE *file = fopen(bed->said, "re");
	unsigned int count = 0;
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return count;
}

void ndd_expect_says_times(struct ndd_bed *bed, const char *text, unsigned int times)
{
	int64_t end = hfi_now_ms() + HF_TEST_HANG_MS;

	while (ndd_says(bed, text) < times && hfi_now_ms() < end)
		usleep(5000);
	if (ndd_says(bed, text) < times)
		show_messages(bed);
	assert_true(ndd_says(bed, text) >= times);
}

void ndd_expect_says(struct ndd_bed *bed, const char *text)
{
	ndd_expect_says_times(bed, text, 1);
}

uint64_t ndd_cpu(const struct ndd_bed *bed)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(bed->daemon, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

unsigned long ndd_allocated(struct ndd_bed *bed)
{
	static const char word[] = "writing all descriptions: ";
	unsigned int before = ndd_says(bed, word);
	int64_t end = hfi_now_ms() + HF_TEST_HANG_MS;
	unsigned long bytes = 0;
	char line[1024];
	FILE *file;

	kill(bed->daemon, SIGHUP);
	while (ndd_says(bed, word) == before && hfi_now_ms() < end)
		usleep(5000);
	file = fopen(bed->said, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, word);

		if (at)
			sscanf(at + strlen(word), "%*u devices, %lu bytes", &bytes);
	}
	fclose(file);
	return bytes;
}

void ndd_settle(const struct ndd_bed *bed)
{
	/* Every event wakes it within the call that causes it. */
	asleep_wait_process(bed->daemon, ASLEEP_POLL);
}

unsigned int ndd_fds(const struct ndd_bed *bed)
{
	unsigned int count = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", bed->daemon);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

unsigned int ndd_memory(const struct ndd_bed *bed)
{
	unsigned int kib = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", bed->daemon);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_Dirty: %u", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

bool ndd_is_plain(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return false;
#endif
#endif
	return !getenv("HF_VALGRIND");
}
