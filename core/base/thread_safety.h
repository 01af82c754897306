/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lock rules that clang checks, with -Wthread-safety (see t/lint/threads); nothing to gcc.
 *
 * In C an attribute of a member cannot name another member, so the rules are about kinds of locks: each
 * kind is one variable that is declared, named in attributes, and never defined. That a function holds the
 * lock of the right object among several of a kind is not checked.
 */
#ifndef HF_BASE_THREAD_SAFETY_H
#define HF_BASE_THREAD_SAFETY_H

#ifdef __clang__
#define HF_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define HF_THREAD_SAFETY(attribute)
#endif

/* Of members: to be touched with a lock of that kind held. */
#define HF_GUARDED_BY(kind) HF_THREAD_SAFETY(guarded_by(kind))

/* Of functions: called with it held, called without it, takes it, takes it if true is returned, gives it back. */
#define HF_REQUIRES(...)    HF_THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define HF_EXCLUDES(...)    HF_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define HF_ACQUIRE(...)	    HF_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define HF_TRY_ACQUIRE(...) HF_THREAD_SAFETY(try_acquire_capability(true, __VA_ARGS__))
#define HF_RELEASE(...)	    HF_THREAD_SAFETY(release_capability(__VA_ARGS__))
/* What is inside is not checked: the comment says why. */
#define HF_UNCHECKED_LOCKS HF_THREAD_SAFETY(no_thread_safety_analysis)

struct HF_THREAD_SAFETY(capability("lock")) hf_lock_kind {
	char unused;
};

extern struct hf_lock_kind hfi_default_kind;  /* hfi_default_lock */
extern struct hf_lock_kind hfi_hf_kind;	      /* hf->lock */
extern struct hf_lock_kind hfi_revoke_kind;   /* hf->revoke_lock */
extern struct hf_lock_kind hfi_registry_kind; /* registry->lock */
extern struct hf_lock_kind hfi_stream_kind;   /* stream->mutex */
/* Not mutexes, but to look at the roots and to use the netlink socket: see scan_lock.h. */
extern struct hf_lock_kind hfi_scan_kind;
extern struct hf_lock_kind hfi_netlink_kind;

#endif
