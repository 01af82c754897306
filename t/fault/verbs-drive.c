/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One child for each point: a context, the sequence with one failure, and a check of what is left.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <holdfast/holdfast.h>

#include "core/device/hf.h"
#include "core/verbs/context.h"
#include "t/fault/provider.h"
#include "t/fault/verbs.h"
#include "t/lib/tree.h"

const char *const vprovider_names[V_PROVIDERS] = {"rxe", "frames", "siw"};

static struct {
	struct hf *hf;
	struct hf_device device;
	struct verbs_device handle;
	const struct verbs_device_ops *providers[V_PROVIDERS];
	enum vprovider provider;
	unsigned int limit_s;
	struct vresult *result, undisturbed;
	struct tree *tree; /* directory whose removal is reported */
	atomic_bool *dead; /* set by the revoker */
	bool told;
} bed;

/* In the child, which has its own copy. */
static int init_tree(enum vkind kind)
{
	const char *const none[] = {NULL};
	struct hf_root root;
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = none,
		.flags = HF_NO_NETLINK,
	};
	int err = tree_new(&bed.tree, NULL);

	if (!err)
		err = tree_add(bed.tree, 0, "fake0", NULL);
	if (err)
		return err;
	root = (struct hf_root){.sysfs = tree_sysfs(bed.tree), .dev = tree_dev(bed.tree)};
	strcpy(bed.device.key.uverbs, "uverbs0");
	setenv("HOLDFAST_REVOKE", kind == V_REVOKED ? "1" : "0", 1);
	return hf_new(&options, &bed.device.hf);
}

static void end_tree(void)
{
	if (!bed.tree)
		return;
	hf_unref(bed.device.hf);
	tree_free(bed.tree);
}

bool v_is_going(void)
{
	return kernel_is_gone() || bed.told;
}

bool vdrive_applies(const struct vseq *seq, enum vkind kind)
{
#ifdef __SANITIZE_THREAD__
	/* ThreadSanitizer has no threads in a forked child. */
	if (kind == V_REVOKED)
		return false;
#endif
	if (kind == V_ALLOC)
		return alloc_available();
	/* There must be a context to mark dead or to revoke. */
	return !seq->opens || (kind != V_DEAD && kind != V_REVOKED);
}

void vdrive_limit(unsigned int limit_s)
{
	bed.limit_s = limit_s;
}

int vdrive_init(unsigned int limit_s)
{
	const char *const none[] = {NULL};
	const struct hf_root root = {.sysfs = "/nonexistent/sys", .dev = "/nonexistent/dev"};
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = none,
		.flags = HF_NO_NETLINK | HF_NO_NOTIFY,
	};
	int err = hf_new(&options, &bed.hf);

	if (err)
		return err;
	bed.limit_s = limit_s;
	bed.device.hf = bed.hf;
	bed.device.handle = &bed.handle;
	bed.handle.sysfs = &bed.device.sysfs;
	bed.handle.refcount = 1;
	bed.providers[V_RXE] = hf_provider_describe()->ops;
	bed.providers[V_FRAMES] = &frames_provider;
	bed.providers[V_SIW] = siw_provider_describe()->ops;
	bed.result = mmap(NULL, sizeof(*bed.result), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return bed.result == MAP_FAILED ? -errno : 0;
}

enum vprovider vbed_provider(void)
{
	return bed.provider;
}

void vbed_choose(enum vprovider provider)
{
	bed.provider = provider;
}

struct ibv_context *vbed_open(int fd)
{
	struct verbs_context *context;
	int err;

	kernel_be_siw(bed.provider == V_SIW);
	context = bed.providers[bed.provider]->alloc_context(&bed.handle.device, fd, NULL);
	if (!context)
		return NULL;
	err = hfi_context_prepare(context);
	if (!err)
		return &context->context;
	hfi_context_free(context);
	errno = -err;
	return NULL;
}

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Removes the directory, which reports the removal in a tree. */
static void announce(void)
{
	bed.told = true;
	if (tree_remove(bed.tree, 0) < 0)
		_exit(97);
	/* Wait until the revoker is done before the command is answered; the limit ends a hang. */
	while (bed.dead && !atomic_load(bed.dead))
		usleep(1000);
}

static void begin_vrun(struct vrun *v)
{
	if (v->kind == V_REPORTED || v->kind == V_REVOKED)
		v->plan.notice = announce;
	if (v->seq->opens)
		return;
	v->what = "the bed";
	v->context = vbed_open(kernel_open());
	if (!v->context)
		_exit(98);
	if (v->kind == V_DEAD || v->kind == V_REVOKED)
		v->plan.dead = &hfi_uverbs_of(v->context)->dead;
	bed.dead = v->kind == V_REVOKED ? v->plan.dead : NULL;
	kernel_begin(&v->plan);
	if (v->kind == V_ALLOC)
		alloc_begin(v->fail_at, v->onward);
}

/* The event is delivered once, without waiting. */
static void look_at_news(struct vrun *v)
{
	struct ibv_async_event event = {0};

	v->what = "after all";
	bed.dead = NULL;
	if (!bed.told)
		announce();
	if (ibv_get_async_event(v->context, &event) || event.event_type != IBV_EVENT_DEVICE_FATAL)
		v_fault(v, V_WRONG, "no word of the removal");
	if (!ibv_get_async_event(v->context, &event) || errno != EIO)
		v_fault(v, V_WRONG, "the removal is told twice");
}

static void look_at_rest(struct vrun *v, size_t descriptors)
{
	struct vresult *result = v->result;

	if (v->plan.notice && v->context)
		look_at_news(v);
	v->what = "in the end";
	if (kernel_objects())
		v_fault(v, V_LEAK, "%zu objects of the kernel's are left", kernel_objects());
	if (v->context)
		hfi_context_free(hfi_context_of(v->context));
	if (kernel_mappings())
		v_fault(v, V_LEAK, "%zd mappings are left", (ssize_t)kernel_mappings());
	if (kernel_complaint())
		v_fault(v, V_KERNEL, "%s", kernel_complaint());
	kernel_end();
	end_tree();
	if (count_descriptors() != descriptors)
		v_fault(v, V_LEAK, "%zd descriptors are left",
			(ssize_t)(count_descriptors() - descriptors));
	if (bed.handle.refcount != 1)
		v_fault(v, V_LEAK, "%d references to the device are left", bed.handle.refcount - 1);
	alloc_look(&result->left);
}

static void look_at_memory(struct vrun *v)
{
	struct alloc_site culprit = {0};
	size_t excess = alloc_excess(&v->result->left, &bed.undisturbed.left, &culprit);
	Dl_info info = {0};

	if (!excess)
		return;
	dladdr(culprit.caller, &info);
	v_fault(v, V_LEAK, "%zu blocks are left, some of %s+%#lx", excess,
		info.dli_sname ? info.dli_sname : info.dli_fname,
		(unsigned long)((const char *)culprit.caller -
				(const char *)(info.dli_saddr ? info.dli_saddr : info.dli_fbase)));
}

/* Runs in the child. Without a plan the run has no fault: the others are compared with it. */
static void run_sequence(struct vrun *v, bool disturbed)
{
	size_t descriptors = count_descriptors();

	alarm(bed.limit_s);
	if ((v->kind == V_REPORTED || v->kind == V_REVOKED) && init_tree(v->kind) < 0)
		_exit(96);
	alloc_mark();
	begin_vrun(v);
	v->seq->run(v);
	v->result->allocations = alloc_end();
	v->result->commands = kernel_commands();
	v->result->calls = kernel_calls();
	kernel_stop();
	look_at_rest(v, descriptors);
	if (disturbed)
		look_at_memory(v);
	v->result->finished = true;
	_exit(0);
}

/* In a child; *v->result has the findings. */
static void try_once(struct vrun *v, bool disturbed)
{
	struct vresult *result = v->result;
	int status = 0;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_sequence(v, disturbed);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		v->what = "fork";
		v_fault(v, V_CRASH, "%s", strerrorname_np(errno));
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
		v->what = "somewhere";
		v_fault(v, V_HANG, "it did not end within %u s", bed.limit_s);
	} else if (!result->finished) {
		v->what = "somewhere";
		v_fault(v, V_CRASH, "status %#x", (unsigned int)status);
	}
}

static void note_vrun(struct vrun *v, size_t reports, struct vtally *tally)
{
	size_t before = 0;
	bool bad = false;

	for (size_t i = 0; i < V_FAULTS; i++) {
		before += tally->faults[i];
		bad |= v->result->faults[i] != 0;
		tally->faults[i] += v->result->faults[i] != 0;
	}
	tally->points++;
	if (bad && before < reports)
		printf("    %s %s %s%s at %zu, %s: %s\n", vprovider_names[bed.provider],
		       vkind_names[v->kind], v->seq->name, v->plan.old ? " (old kernel)" : "",
		       v->kind == V_ALLOC ? v->fail_at : v->plan.at,
		       v->kind == V_ALLOC ? v->onward ? "onward" : "once"
					  : strerrorname_np(v->plan.err),
		       v->result->text);
}

static const int fail_errors[] = {EINVAL,     ENOMEM,	       EBUSY,  EPERM,  EACCES,
				  EOPNOTSUPP, EFAULT,	       EAGAIN, EINTR,  ENOSPC,
				  ENOTTY,     EPROTONOSUPPORT, EIO,    ENODEV, 0};
static const int gone_errors[] = {EIO, ENODEV, 0};
static const int dead_errors[] = {EIO, 0};
static const int call_errors[] = {ENOMEM, EMFILE, 0};

static void drive_errors(struct vrun *v, const int *errors, size_t points, size_t reports,
			 struct vtally *tally)
{
	const struct kernel_plan plan = v->plan;

	for (size_t at = 1; at <= points; at++)
		for (size_t i = 0; errors[i]; i++) {
			v->plan = plan;
			v->plan.at = at;
			v->plan.err = errors[i];
			v->plan.gone = v->kind == V_GONE;
			v->plan.call = v->kind == V_CALL;
			try_once(v, true);
			note_vrun(v, reports, tally);
		}
}

static void drive_notices(struct vrun *v, int err, size_t points, size_t reports,
			  struct vtally *tally)
{
	const struct kernel_plan plan = v->plan;

	for (size_t at = 1; at <= points; at++) {
		v->plan = plan;
		v->plan.at = at;
		v->plan.err = err;
		try_once(v, true);
		note_vrun(v, reports, tally);
	}
}

static void drive_allocations(struct vrun *v, size_t points, size_t reports, struct vtally *tally)
{
	for (size_t at = 1; at <= points; at++)
		for (int onward = 0; onward < 2; onward++) {
			v->fail_at = at;
			v->onward = onward;
			try_once(v, true);
			note_vrun(v, reports, tally);
		}
}

int vdrive(enum vprovider provider, const struct vseq *seq, enum vkind kind, bool old,
	   size_t reports, struct vtally *tally)
{
	struct vrun v = {.seq = seq, .kind = kind, .plan.old = old, .result = bed.result};

	bed.provider = provider;
	try_once(&v, false);
	bed.undisturbed = *bed.result;
	for (size_t i = 0; i < V_FAULTS; i++)
		if (bed.result->faults[i]) {
			printf("    %s %s%s undisturbed: %s\n", vprovider_names[provider],
			       seq->name, old ? " (old kernel)" : "", bed.result->text);
			return -EINVAL;
		}
	switch (kind) {
	case V_FAIL:
		drive_errors(&v, fail_errors, bed.undisturbed.commands, reports, tally);
		break;
	case V_GONE:
		drive_errors(&v, gone_errors, bed.undisturbed.commands, reports, tally);
		break;
	case V_DEAD:
		drive_errors(&v, dead_errors, bed.undisturbed.commands, reports, tally);
		break;
	case V_CALL:
		drive_errors(&v, call_errors, bed.undisturbed.calls, reports, tally);
		break;
	case V_REPORTED:
		drive_notices(&v, 0, bed.undisturbed.commands, reports, tally);
		break;
	case V_REVOKED:
		drive_notices(&v, EIO, bed.undisturbed.commands, reports, tally);
		break;
	default:
		drive_allocations(&v, bed.undisturbed.allocations, reports, tally);
	}
	return 0;
}
