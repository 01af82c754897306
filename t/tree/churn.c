/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Churn: a seeded random plan of adding, removing, renaming and replacing devices of a generated
 * tree, compared with a model. After every `interval` steps the plan pauses, and the streams and
 * the list must agree with the model.
 *
 * churn [-n STEPS] [-s SEED] [-k INTERVAL] [-b BURST] [-t]
 *
 * -b: half-way, makes that many steps without reading events, so that notifications are lost. -t:
 * two threads read two streams while a third one lists.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "t/lib/process.h"
#include "t/tree/churn.h"

static struct model model;
static struct hf *hf;

/* Threads run freely between the checks, and wait at both barriers during a check. */
static bool threaded;
static atomic_bool stop;
static pthread_barrier_t arrive, leave;
static atomic_bool standing;
static atomic_ulong lists;

struct watcher {
	struct view view;
	pthread_t thread;
};

static void *watch_churn(void *arg)
{
	struct watcher *watcher = arg;
	struct pollfd pollfd = {.fd = hf_stream_fd(watcher->view.stream), .events = POLLIN};

	while (!atomic_load(&stop)) {
		if (poll(&pollfd, 1, 1) > 0) /* clock: a pace, nothing depends on it */
			view_drain(&watcher->view);
		if (atomic_load(&standing)) {
			pthread_barrier_wait(&arrive);
			view_compare(&watcher->view);
			pthread_barrier_wait(&leave);
		}
	}
	return NULL;
}

static void *keep_listing(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		list_any_time(&model, hf);
		atomic_fetch_add(&lists, 1);
		if (atomic_load(&standing)) {
			pthread_barrier_wait(&arrive);
			list_compare(&model, hf);
			pthread_barrier_wait(&leave);
		}
	}
	return NULL;
}

/* All threads check at once, or only this one. */
static void check_all(struct watcher *watchers, unsigned long number)
{
	if (threaded) {
		atomic_store(&standing, true);
		pthread_barrier_wait(&arrive);
		atomic_store(&standing, false);
		pthread_barrier_wait(&leave);
		return;
	}
	/* The first one to check finds the changes for all, so alternate. */
	if (number % 2)
		list_compare(&model, hf);
	view_compare(&watchers[0].view);
	view_compare(&watchers[1].view);
	if (number % 2 == 0)
		list_compare(&model, hf);
}

static void check_new_stream(void)
{
	struct view view;

	view_init(&view, &model, hf);
	view_compare(&view);
	view_destroy(&view);
}

static void set_up_churn(struct watcher *watchers)
{
	struct hf_root root = {.sysfs = tree_sysfs(model.tree), .dev = tree_dev(model.tree)};
	const char *build = getenv("top_builddir");
	char providers[4096];
	const char *dirs[] = {providers, NULL};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.flags = HF_NO_ENVIRONMENT,
	};
	int err;

	snprintf(providers, sizeof(providers), "%s/providers.d", build ? build : ".");
	err = hf_new(&options, &hf);
	churn_check(!err, "no context: %s", strerror(-err));
	for (int i = 0; i < 2; i++)
		view_init(&watchers[i].view, &model, hf);
}

static void start_threads(struct watcher *watchers, pthread_t *lister)
{
	pthread_barrier_init(&arrive, NULL, 4);
	pthread_barrier_init(&leave, NULL, 4);
	for (int i = 0; i < 2; i++)
		churn_check(!pthread_create(&watchers[i].thread, NULL, watch_churn, &watchers[i]),
			    "");
	churn_check(!pthread_create(lister, NULL, keep_listing, NULL), "");
}

static void stop_threads(struct watcher *watchers, pthread_t lister)
{
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(watchers[i].thread, NULL);
	pthread_join(lister, NULL);
	pthread_barrier_destroy(&arrive);
	pthread_barrier_destroy(&leave);
}

static unsigned long run_churn(struct watcher *watchers, unsigned long steps,
			       unsigned long interval, unsigned long burst)
{
	unsigned long checks = 0;

	for (unsigned long step = 1; step <= steps; step++) {
		model_step(&model);
		if (step == steps / 2) {
			for (unsigned long i = 0; i < burst; i++)
				model_step(&model);
		}
		if (step % interval == 0 || step == steps)
			check_all(watchers, checks++);
		if (step % (interval * 16) == 0)
			check_new_stream();
	}
	return checks;
}

static unsigned long number(const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || !*text || *end) {
		fprintf(stderr, "churn: %s is not a number\n", text);
		exit(2);
	}
	return value;
}

static void report_churn(const struct watcher *watchers, unsigned long checks, double seconds)
{
	printf("churn: done: %lu added, %lu removed, %lu renamed, %lu replaced, %lu exchanged "
	       "names,"
	       " %lu times new stamps\n",
	       model.adds, model.removes, model.renames, model.replaces, model.exchanges,
	       model.stamps);
	for (int i = 0; i < 2; i++) {
		const struct view *view = &watchers[i].view;

		printf("churn: stream %d: %llu events: %lu added, %lu changed (%lu and back),"
		       " %lu removed, %lu resyncs; compared %lu times\n",
		       i, (unsigned long long)view->sequence, view->added, view->changed,
		       view->back, view->removed, view->resyncs, view->checks);
	}
	printf("churn: %lu points at which streams and list agreed with the model, %u instances,"
	       " %lu lists meanwhile, %.1f s\n",
	       checks, HASH_COUNT(model.by_inode), atomic_load(&lists), seconds);
}

int main(int argc, char **argv)
{
	/* Valgrind takes some thirty times as long. */
	unsigned long steps = getenv("HF_VALGRIND") ? 600 : 5000;
	unsigned long seed = 2026, interval = 50, burst = 0, checks;
	unsigned int files_before, files_after;
	struct watcher watchers[2];
	struct timespec begin, end;
	struct tree *tree;
	pthread_t lister = 0;
	int option, err;

	while ((option = getopt(argc, argv, "n:s:k:b:t")) != -1) {
		unsigned long *value = option == 'n'   ? &steps
				       : option == 's' ? &seed
				       : option == 'k' ? &interval
				       : option == 'b' ? &burst
						       : NULL;
		if (value)
			*value = number(optarg);
		else if (option == 't')
			threaded = true;
		else
			return 2;
	}
	if (!interval)
		interval = 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("churn: seed %lu, %lu steps, a check every %lu, a burst of %lu%s\n", seed, steps,
	       interval, burst, threaded ? ", two streams and the list in three threads" : "");

	err = tree_new(&tree, NULL);
	churn_check(!err, "no tree: %s", strerror(-err));
	model_init(&model, tree, seed);
	files_before = count_open_fds();
	set_up_churn(watchers);
	if (threaded)
		start_threads(watchers, &lister);

	clock_gettime(CLOCK_MONOTONIC, &begin);
	checks = run_churn(watchers, steps, interval, burst);
	clock_gettime(CLOCK_MONOTONIC, &end);

	if (threaded)
		stop_threads(watchers, lister);
	report_churn(watchers, checks,
		     (double)(end.tv_sec - begin.tv_sec) +
			     (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	for (int i = 0; i < 2; i++) {
		churn_check(watchers[i].view.changed && watchers[i].view.removed,
			    "nothing happened");
		view_destroy(&watchers[i].view);
	}
	hf_unref(hf);
	files_after = count_open_fds();
	churn_check(files_before == files_after, "%u files open before, %u after", files_before,
		    files_after);
	model_destroy(&model);
	tree_free(tree);
	return 0;
}
