/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Injects a fault at each point of an operation and counts the results. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "shared/attr.h"
#include "t/fault/calls.h"
#include "t/fault/counters.h"
#include "t/fault/drive.h"

enum { MAX_ALLOCATIONS = 100000, TRIES = 5 };

/* Lasting errors: later calls fail as well. */
static const int lasting[] = {EMFILE, ENFILE, ENOMEM, EIO, ENOBUFS, EACCES};

/* One operation with one kind of fault. */
enum { THIN = 5, FAILURES_MAX = 64 };

struct session {
	struct drive *drive;
	const struct op *op;
	enum run_kind kind;
	struct tally *tally;
	struct inject_run base; /* the calls of an undisturbed run */
	struct run_result expected;
	char point[160]; /* where the fault was injected, for the report */
	struct finding {
		char text[RUN_TEXT];
		char first[160];
		size_t points;
	} * findings; /* one for each message */
	size_t num_findings;
};

int drive_init(struct drive *drive, const char *library)
{
	static char dir[320];
	int ret;

	memset(drive, 0, sizeof(*drive));
	drive->result = mmap(NULL, sizeof(*drive->result), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (drive->result == MAP_FAILED)
		return -errno;
	ret = counters_init();
	if (!ret)
		ret = world_new(&drive->world);
	if (ret)
		return ret;
	snprintf(dir, sizeof(dir), "%s/providers", drive->world->sysfs);
	drive->provider_dir = dir;
	drive->reports = 10;
	/* A sanitizer's allocator maps memory and ends the program if that fails. */
	if (!alloc_available())
		calls_spare_mappings();
	return provider_install(dir, library);
}

void drive_end(struct drive *drive)
{
	world_free(drive->world);
	munmap(drive->result, sizeof(*drive->result));
}

bool tally_is_clean(const struct tally *tally)
{
	for (int i = 0; i < FAULTS; i++)
		if (tally->faults[i])
			return false;
	return true;
}

void tally_add(struct tally *to, const struct tally *from)
{
	to->points += from->points;
	to->missing += from->missing;
	to->unreached += from->unreached;
	for (int i = 0; i < FAULTS; i++)
		to->faults[i] += from->faults[i];
}

void tally_print(const char *kind, const char *name, const struct tally *tally)
{
	printf("%s %s: %zu points, %zu wrong, %zu leaks", kind, name, tally->points,
	       tally->faults[FAULT_WRONG_DEVICE], tally->faults[FAULT_LEAK]);
	for (int i = 0; i < FAULTS; i++)
		if (i != FAULT_WRONG_DEVICE && i != FAULT_LEAK && tally->faults[i])
			printf(", %zu %s", tally->faults[i], fault_names[i]);
	if (tally->missing)
		printf(" (%zu with a device left out)", tally->missing);
	if (tally->unreached)
		printf(" (%zu not reached)", tally->unreached);
	printf("\n");
	fflush(stdout);
}

static void add_fault(struct session *session, enum fault fault, const char *text)
{
	struct run_result *result = session->drive->result;

	result->faults[fault]++;
	if (!result->text[0])
		snprintf(result->text, sizeof(result->text), "%s", text);
}

static void add_leak(struct session *session, const char *what, long there, long expected)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %ld instead of %ld", what, there, expected);
	add_fault(session, FAULT_LEAK, text);
}

static void describe_site(const void *site, char text[160])
{
	Dl_info info;

	if (site && dladdr(site, &info) && info.dli_fname)
		snprintf(text, 160, "%s+%#lx %s", strrchr(info.dli_fname, '/') + 1,
			 (unsigned long)((const char *)site - (const char *)info.dli_fbase),
			 info.dli_sname ? info.dli_sname : "");
	else
		snprintf(text, 160, "%p", site);
}

/* Merges blocks allocated by the provider: it is mapped in the child only, at varying addresses. */
static void unify_unknown(struct alloc_left *left)
{
	struct alloc_site *unknown = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < left->num_sites; i++) {
		struct alloc_site site = left->sites[i];
		Dl_info info;

		if (dladdr(site.caller, &info)) {
			left->sites[kept++] = site;
			continue;
		}
		if (unknown) {
			unknown->blocks += site.blocks;
			unknown->bytes += site.bytes;
			continue;
		}
		site.caller = NULL;
		unknown = &left->sites[kept];
		left->sites[kept++] = site;
	}
	left->num_sites = kept;
}

/*
 * The dynamic loader leaks memory when it fails half-way (glibc 2.36 does); the number of mapped
 * libraries shows whether one stayed open.
 */
static void forget_loader(struct alloc_left *left)
{
	size_t kept = 0;

	for (size_t i = 0; i < left->num_sites; i++) {
		Dl_info info;

		if (!dladdr(left->sites[i].caller, &info) || !info.dli_fname ||
		    !strstr(info.dli_fname, "/ld-"))
			left->sites[kept++] = left->sites[i];
	}
	left->num_sites = kept;
}

static void judge_leaks(struct session *session)
{
	struct run_result *result = session->drive->result;
	const struct run_result *expected = &session->expected;
	struct alloc_site culprit;
	size_t excess;
	bool keeps = session->op->keeps;
	long devices;

	forget_loader(&result->left);
	unify_unknown(&result->left);
	excess = alloc_excess(&result->left, &expected->left, &culprit);
	/* In the default context a renamed device legitimately keeps its old name. */
	if (excess > (keeps && session->kind == RUN_RENAME ? 1 : 0)) {
		char site[160], text[300];

		describe_site(culprit.caller, site);
		snprintf(text, sizeof(text), "%zu blocks are left, %zu bytes from %s", excess,
			 culprit.bytes, site);
		add_fault(session, FAULT_LEAK, text);
	}
	/*
	 * The default context may lack a descriptor that it could not get, but must not keep more.
	 */
	if (keeps ? result->fds > expected->fds : result->fds != expected->fds)
		add_leak(session, "descriptors", result->fds, expected->fds);
	/* The default context keeps existing devices, but must free those that are gone. */
	devices = keeps ? expected->made - expected->forgotten : 0;
	if (keeps && session->kind == RUN_REMOVE)
		devices--;
	if (keeps ? result->made - result->forgotten > devices : result->made != result->forgotten)
		add_leak(session, "devices not forgotten by the provider",
			 result->made - result->forgotten, devices);
	if (keeps ? result->libraries > expected->libraries
		  : result->libraries != expected->libraries)
		add_leak(session, "libraries", result->libraries, expected->libraries);
	if (result->opened != result->closed)
		add_leak(session, "contexts not closed", result->opened - result->closed, 0);
}

/* Counts a message that was already printed. */
static void find_finding(struct session *session)
{
	const char *text = session->drive->result->text;
	struct finding *finding = session->findings;
	size_t i;

	for (i = 0; i < session->num_findings; i++)
		if (!strcmp(finding[i].text, text))
			break;
	if (i == session->num_findings) {
		finding = realloc(finding, (i + 1) * sizeof(*finding));
		if (!finding)
			return;
		session->findings = finding;
		session->num_findings++;
		memset(&finding[i], 0, sizeof(*finding));
		snprintf(finding[i].text, sizeof(finding[i].text), "%s", text);
		snprintf(finding[i].first, sizeof(finding[i].first), "%s", session->point);
	}
	finding[i].points++;
}

static void report_session(const struct session *session)
{
	for (size_t i = 0; i < session->num_findings; i++) {
		const struct finding *finding = &session->findings[i];

		if (i == session->drive->reports) {
			printf("    ... and %zu more findings\n", session->num_findings - i);
			break;
		}
		printf("    %zu points, first %s: %s\n", finding->points, finding->first,
		       finding->text);
	}
}

/* Adds what one run found to the tally. */
static void judge(struct session *session, int status)
{
	struct run_result *result = session->drive->result;
	struct tally *tally = session->tally;
	bool bad = false;

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		char text[64];

		if (WIFSIGNALED(status))
			snprintf(text, sizeof(text), "ended by signal %d (%s)", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
		else
			snprintf(text, sizeof(text), "exit code %d", WEXITSTATUS(status));
		add_fault(session, FAULT_CRASH, text);
	} else if (result->finished) {
		judge_leaks(session);
	}
	tally->points++;
	tally->missing += result->missing;
	for (int i = 0; i < FAULTS; i++) {
		/* A point counts once, however many faults it shows. */
		tally->faults[i] += result->faults[i] != 0;
		bad |= result->faults[i] != 0;
	}
	if (bad)
		find_finding(session);
}

static struct run make_run(struct session *session)
{
	struct drive *drive = session->drive;

	if (drive->world->dirty)
		world_change(drive->world, WORLD_RESET);
	memset(drive->result, 0, sizeof(*drive->result));
	return (struct run){
		.op = session->op,
		.kind = session->kind,
		.world = drive->world,
		.result = drive->result,
		.provider_dir = drive->provider_dir,
	};
}

static void describe_call(struct session *session, const char *what, size_t at)
{
	const struct inject_call *call = &session->base.calls[at - 1];
	const char *name = call_name(call->nr);

	snprintf(session->point, sizeof(session->point), "%s call %zu %s%s%s", what, at,
		 name ? name : "?", call->path[0] ? " " : "", call->path);
}

static void show(const struct inject_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct inject_call *call = &run->calls[i];
		const char *name = call_name(call->nr);

		printf("%5zu %s(%#lx, %#lx, %#lx) %s = %ld\n", i + 1, name ? name : "?",
		       call->args[0], call->args[1], call->args[2], call->path, call->ret);
	}
}

static bool skipped(const struct session *session, size_t at)
{
	const struct drive *drive = session->drive;

	if (drive->parts > 1 && at % drive->parts != drive->part)
		return true;
	/* Prime to the number of parts, or some parts would have no points. */
	if (drive->thin && session->kind < RUN_FAIL && at % THIN != (size_t)session->kind % THIN)
		return true;
	return drive->only_at && drive->only_at != at;
}

/*
 * The course of an operation may depend on time: where it waits, and where it trusts a time stamp
 * because it is old. A point that was not reached is tried again, and if it is still not reached,
 * not counted.
 */
static int try_step(struct session *session, const struct inject_step *step)
{
	struct inject_step here = *step;
	struct inject_run traced;
	bool reached = false;
	int ret = 0;

	here.nr = session->base.calls[step->at - 1].nr;
	for (int i = 0; i < TRIES && ret == 0 && !reached; i++) {
		struct run run = make_run(session);

		run.error = step->error;
		run.onward = step->onward;
		ret = inject_run(run_child, &run, &here, 1, &traced);
		/* A fault before the markers counts too. */
		reached = ret == 0 && (!traced.began || traced.hits);
		if (ret == 0 && session->drive->show_calls)
			show(&traced);
		if (reached)
			judge(session, traced.status);
		inject_run_clear(&traced);
	}
	if (ret == 0 && !reached)
		session->tally->unreached++;
	return ret;
}

static void act(void *arg)
{
	const struct session *session = arg;
	static const enum world_change changes[RUN_KINDS] = {
		[RUN_SWAP] = WORLD_SWAP,
		[RUN_REPLUG] = WORLD_REPLUG,
		[RUN_REMOVE] = WORLD_REMOVE,
		[RUN_RENAME] = WORLD_RENAME,
		[RUN_DROP_CACHES] = WORLD_DROP_CACHES,
	};

	world_change(session->drive->world, changes[session->kind]);
}

static int change_at_each(struct session *session)
{
	struct inject_step step = {.act = act, .arg = session};
	int ret = 0;

	for (step.at = 1; step.at <= session->base.count && ret == 0; step.at++) {
		if (skipped(session, step.at))
			continue;
		step.kind = INJECT_ACT_BEFORE;
		describe_call(session, "before", step.at);
		ret = try_step(session, &step);
		if (ret)
			break;
		step.kind = INJECT_ACT_AFTER;
		describe_call(session, "after", step.at);
		ret = try_step(session, &step);
	}
	return ret;
}

static int fail_at(struct session *session, size_t at, int error, bool onward)
{
	const struct inject_step step = {
		.kind = INJECT_FAIL, .at = at, .error = error, .onward = onward};
	char what[64];

	snprintf(what, sizeof(what), "%s%s at", strerrorname_np(error),
		 onward ? " from then on" : "");
	describe_call(session, what, at);
	return try_step(session, &step);
}

struct failure {
	int error;
	bool onward;
};

/* The ways in which a system call can fail: once, or from then on. */
static size_t failures_of(long nr, struct failure failures[FAILURES_MAX])
{
	size_t count = 0;

	for (const int *error = call_errors(nr); error && *error && count < FAILURES_MAX; error++)
		failures[count++] = (struct failure){*error, false};
	for (size_t i = 0; i < HF_ARRAY_SIZE(lasting) && count < FAILURES_MAX; i++)
		if (call_can_fail_with(nr, lasting[i]))
			failures[count++] = (struct failure){lasting[i], true};
	return count;
}

static int fail_each(struct session *session)
{
	struct failure failures[FAILURES_MAX];
	int ret = 0;

	for (size_t at = 1; at <= session->base.count && ret == 0; at++) {
		long nr = session->base.calls[at - 1].nr;
		size_t count = failures_of(nr, failures);

		if (!call_name(nr)) {
			printf("    system call %ld has no row in t/fault/calls.c\n", nr);
			return -ENOSYS;
		}
		if (skipped(session, at))
			continue;
		for (size_t i = 0; i < count && ret == 0; i++) {
			/* Each call fails, in turns with one or the other error. */
			if (session->drive->thin && i % THIN != at % (count < THIN ? count : THIN))
				continue;
			ret = fail_at(session, at, failures[i].error, failures[i].onward);
		}
	}
	return ret;
}

static int shorten_each(struct session *session)
{
	int ret = 0;

	for (size_t at = 1; at <= session->base.count && ret == 0; at++) {
		const struct inject_call *call = &session->base.calls[at - 1];
		size_t half = call->ret > 0 ? (size_t)call->ret / 2 : 0;
		const size_t lengths[] = {1, half, call->ret > 0 ? (size_t)call->ret - 1 : 0};

		for (int i = 0; i < 3 && ret == 0 && !skipped(session, at); i++) {
			const struct inject_step step = {
				.kind = INJECT_SHORT, .at = at, .length = lengths[i]};
			char what[64];

			if (lengths[i] == 0 || !inject_can_shorten(call, lengths[i]) ||
			    (i > 0 && lengths[i] == lengths[i - 1]))
				continue;
			snprintf(what, sizeof(what), "%zu of %ld bytes at", lengths[i], call->ret);
			describe_call(session, what, at);
			ret = try_step(session, &step);
		}
	}
	return ret;
}

static void fail_allocation(struct session *session, size_t at, bool onward)
{
	struct run run = make_run(session);
	char site[160];
	int status;

	run.fail_at = at;
	run.onward = onward;
	snprintf(session->point, sizeof(session->point), "allocation %zu%s", at,
		 onward ? " and all that follow" : "");
	/* A child that calls exit() must not print the buffered output again. */
	fflush(NULL);
	status = inject_run_alone(run_child, &run);
	describe_site(session->drive->result->failed_site, site);
	snprintf(session->point, sizeof(session->point), "allocation %zu%s (%.100s)", at,
		 onward ? " and all that follow" : "", site);
	judge(session, status);
}

static int fail_allocations(struct session *session)
{
	if (!alloc_available())
		return -EOPNOTSUPP;
	for (size_t at = 1; at < MAX_ALLOCATIONS; at++) {
		if (skipped(session, at))
			continue;
		fail_allocation(session, at, false);
		/* Nothing failed: the operation has no more points. */
		if (session->drive->result->finished && session->drive->result->allocations < at) {
			session->tally->points--;
			return 0;
		}
		fail_allocation(session, at, true);
	}
	return -E2BIG;
}

/* Runs the operation without a fault: it must work. */
static int undisturbed(struct session *session)
{
	struct tally tally = {0};
	struct run run = make_run(session);
	int ret;

	run.kind = RUN_UNDISTURBED;
	ret = inject_run(run_child, &run, NULL, 0, &session->base);
	if (ret < 0)
		return ret;
	session->expected = *session->drive->result;
	unify_unknown(&session->expected.left);
	if (!session->op->keeps && session->expected.finished &&
	    session->expected.made != session->expected.forgotten)
		session->expected.faults[FAULT_LEAK]++;
	for (int i = 0; i < FAULTS; i++)
		tally.faults[i] = session->expected.faults[i];
	if (session->base.status == 0 && session->base.ended && session->expected.finished &&
	    tally_is_clean(&tally))
		return 0;
	printf("    %s does not work even undisturbed (status %#x): %s\n", session->op->name,
	       (unsigned int)session->base.status, session->expected.text);
	return -ECANCELED;
}

int drive_op(struct drive *drive, const struct op *op, enum run_kind kind, struct tally *tally)
{
	struct session session = {.drive = drive, .op = op, .kind = kind, .tally = tally};
	int ret = undisturbed(&session);

	if (ret == 0) {
		switch (kind) {
		case RUN_FAIL:
			ret = fail_each(&session);
			break;
		case RUN_SHORT:
			ret = shorten_each(&session);
			break;
		case RUN_ALLOC:
			ret = fail_allocations(&session);
			break;
		case RUN_UNDISTURBED:
			break;
		default:
			ret = change_at_each(&session);
		}
	}
	report_session(&session);
	free(session.findings);
	inject_run_clear(&session.base);
	return ret;
}

int drive_show(struct drive *drive, const struct op *op)
{
	struct tally tally = {0};
	struct session session = {.drive = drive, .op = op, .tally = &tally};
	int ret = undisturbed(&session);

	show(&session.base);
	inject_run_clear(&session.base);
	return ret;
}
