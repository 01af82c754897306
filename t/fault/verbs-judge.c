/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Compares the result of each call of a sequence with the injected fault. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "t/fault/verbs.h"

enum { FILLED = 0x5a };

const char *const vkind_names[V_KINDS] = {"fail",  "gone",     "dead",	 "call",
					  "alloc", "reported", "revoked"};
const char *const vfault_names[V_FAULTS] = {"wrong answer", "undocumented error", "output touched",
					    "leak",	    "senseless command",  "crash",
					    "hang"};

void v_fault(struct vrun *v, enum vfault fault, const char *format, ...)
{
	struct vresult *result = v->result;
	va_list args;
	size_t used;

	if (!result->text[0]) {
		used = (size_t)snprintf(result->text, sizeof(result->text), "%.100s: ", v->what);
		va_start(args, format);
		vsnprintf(result->text + used, sizeof(result->text) - used, format, args);
		va_end(args);
	}
	result->faults[fault]++;
}

static size_t hits(void)
{
	return kernel_hits() + (alloc_failed_site() != NULL);
}

void v_begin(struct vrun *v, const char *what)
{
	v->what = what;
	v->hits = hits();
	v->objects = kernel_objects();
	v->mappings = kernel_mappings();
	v->repeated = false;
	errno = 0;
}

void v_output(struct vrun *v, void *object, size_t size)
{
	memset(object, FILLED, size);
	v->output = object;
	v->output_size = size;
}

static bool was_disturbed(const struct vrun *v)
{
	return hits() != v->hits || (v->onward && alloc_failed_site());
}

/*
 * A kernel answers like this if a method or its driver part is missing: the core may try another
 * way.
 */
static bool has_another_way(const struct vrun *v)
{
	const int err = v->plan.err;

	return v->kind == V_FAIL && (err == EPROTONOSUPPORT || err == ENOTTY || err == EOPNOTSUPP);
}

/* An interrupted command is sent again; and an optional allocation may fail. */
static bool may_succeed(const struct vrun *v)
{
	return v->kind == V_ALLOC || (v->kind == V_FAIL && v->plan.err == EINTR) ||
	       has_another_way(v);
}

static bool is_documented(const struct vrun *v, int err)
{
	if (v->kind == V_ALLOC)
		return err == ENOMEM;
	if (v->kind == V_DEAD || v->kind == V_REVOKED)
		return err == EIO;
	return err == v->plan.err || (has_another_way(v) && err > 0);
}

/* A device whose removal was reported is not opened, though its kernel still answers. */
static bool is_late_opening(const struct vrun *v, int err)
{
	return v->kind == V_REPORTED && v->seq->opens && v_is_going() && err == ENODEV;
}

static void judge_failed_verb(struct vrun *v, int err)
{
	const unsigned char *bytes = v->output;

	if (is_late_opening(v, err))
		return;
	if (!was_disturbed(v) && !kernel_is_gone())
		v_fault(v, V_WRONG, "%s, and nothing failed", strerrorname_np(err));
	else if (v->kind == V_FAIL && v->plan.err == EINTR)
		v_fault(v, V_WRONG, "%s where a command was interrupted once",
			strerrorname_np(err));
	else if (!is_documented(v, err))
		v_fault(v, V_UNDOCUMENTED, "%s (%d) where %s was the error", strerrorname_np(err),
			err, v->kind == V_ALLOC ? "ENOMEM" : strerrorname_np(v->plan.err));
	for (size_t i = 0; i < v->output_size; i++)
		if (bytes[i] != FILLED) {
			v_fault(v, V_TOUCHED, "byte %zu of its output was written", i);
			break;
		}
}

void *v_made(struct vrun *v, void *object)
{
	const int err = errno;

	if (object) {
		if (was_disturbed(v) && !may_succeed(v))
			v_fault(v, V_WRONG, "an object in spite of %s",
				strerrorname_np(v->plan.err));
	} else {
		judge_failed_verb(v, err);
		if (kernel_objects() > v->objects)
			v_fault(v, V_LEAK, "failed and left an object of the kernel's");
		if (kernel_mappings() != v->mappings)
			v_fault(v, V_LEAK, "failed and left a mapping");
	}
	v->output_size = 0;
	return object;
}

int v_used(struct vrun *v, int ret)
{
	const int err = ret < 0 ? errno : ret;

	if (ret)
		judge_failed_verb(v, err);
	else if (was_disturbed(v) && !may_succeed(v))
		v_fault(v, V_WRONG, "success in spite of %s", strerrorname_np(v->plan.err));
	v->output_size = 0;
	return ret;
}

static bool means_gone(int err)
{
	return err == EIO || err == ENODEV;
}

bool v_again(struct vrun *v, int ret)
{
	if (!ret) {
		if (was_disturbed(v) && !v->repeated && !may_succeed(v) && v->kind != V_CALL &&
		    !means_gone(v->plan.err))
			v_fault(v, V_WRONG, "success in spite of %s", strerrorname_np(v->plan.err));
		return false;
	}
	if (kernel_is_gone() ||
	    (was_disturbed(v) && v->kind != V_ALLOC && means_gone(v->plan.err))) {
		v_fault(v, V_WRONG, "%s where the device is gone", strerrorname_np(ret));
		return false;
	}
	judge_failed_verb(v, ret);
	if (v->repeated)
		return false;
	v->repeated = true;
	v->hits = hits();
	return true;
}
