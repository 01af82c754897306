/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Holdfast context: one object owns the roots that are searched for devices, the sockets, the
 * provider registry and the table of devices. See holdfast(7).
 *
 * Conventions of every function below and in the other headers, unless it says otherwise:
 *   - success is 0 or a positive count, failure is -errno out of the set the function names;
 *   - outputs are written on success only;
 *   - every function may be called by any thread at any time;
 *   - strings and arrays given in are borrowed for the duration of the call.
 * Any function that allocates may also fail with -ENOMEM.
 */
#ifndef HOLDFAST_CONTEXT_H
#define HOLDFAST_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_VERSION_MAJOR 0
#define HF_VERSION_MINOR 1

struct hf;

/* Severities handed to the log function; a context is silent unless asked to speak. */
enum hf_log_level {
	HF_LOG_NONE = 0,
	HF_LOG_ERROR = 1,
	HF_LOG_WARNING = 2,
	HF_LOG_INFO = 3,
	HF_LOG_DEBUG = 4,
};

/*
 * Called with one message, without a newline, valid during the call only. It may be called by any
 * thread that uses the context, never with a lock of the context held. It must not call back into
 * the context.
 */
typedef void (*hf_log_fn)(void *arg, enum hf_log_level level, const char *message);

/*
 * A sysfs-shaped tree to search, and the directory that holds its device nodes. Both paths are
 * absolute and at most 255 bytes long. Initialise the members by name: that leaves `reserved` 0, as it
 * must be. The size never changes: later members take the place of `reserved`.
 */
struct hf_root {
	const char *sysfs; /* holds class/infiniband_verbs and class/infiniband; "/sys" */
	const char *dev;   /* holds infiniband/uverbsN; NULL: "/dev" for "/sys", else SYSFS/dev */
	uint64_t reserved[4];
};

enum hf_option_flags {
	HF_NO_NETLINK = 1 << 0,	    /* use sysfs only, as where RDMA netlink is not there */
	HF_NO_SYSFS = 1 << 1,	    /* use RDMA netlink only, as where /sys is not mounted */
	HF_NO_NOTIFY = 1 << 2,	    /* open no notification sockets; look each time instead */
	HF_NO_ENVIRONMENT = 1 << 3, /* ignore HOLDFAST_*, SYSFS_PATH and libibverbs' variables */
	HF_PREFER_DISTRIBUTION = 1 << 4, /* the distribution's providers before our own */
};

/* Zeroed members mean the default. Set size to sizeof(struct hf_options). */
struct hf_options {
	size_t size;
	const struct hf_root *roots; /* default: /sys with /dev, and the soft roots */
	size_t num_roots;
	const char *const *provider_dirs; /* NULL-terminated; default: the installed directory */
	uint32_t flags;			  /* enum hf_option_flags */
	uint32_t node_wait_ms; /* how long opening waits for a missing node; default 5000 */
	uint32_t log_level;    /* enum hf_log_level */
	hf_log_fn log;
	void *log_arg;
	/*
	 * The *.driver files that name the distribution's providers; "" for none. Default: the
	 * distribution's directory, or none where provider_dirs is given.
	 */
	const char *driver_config_dir;
};

/*
 * Makes a context. `options` may be NULL. Nothing is searched or loaded before it is needed.
 * The caller owns *ret and gives it back with hf_unref().
 * Errors: -EINVAL (size or flags not understood, or unknown trailing bytes that are not zero).
 * Since 0.1.
 */
int hf_new(const struct hf_options *options, struct hf **ret);

/*
 * The context that the ibv_* functions use, made at the first call. The caller owns one reference;
 * the context itself lives as long as the process. Errors: as hf_new(). Since 0.1.
 */
int hf_default(struct hf **ret);

/* Takes a reference and returns its argument. Since 0.1. */
struct hf *hf_ref(struct hf *hf);

/*
 * Gives a reference back and returns NULL. Devices, lists, streams and open device contexts hold
 * references of their own, so the order in which they are given back does not matter. NULL is
 * allowed. Since 0.1.
 */
struct hf *hf_unref(struct hf *hf);

/* The version of the loaded library, "0.1.0"; static storage. Since 0.1. */
const char *hf_version(void);

#ifdef __cplusplus
}
#endif

#endif
