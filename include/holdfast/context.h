/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Holdfast context: it owns the roots that are searched for devices, the sockets, the provider
 * registry and the table of devices. See holdfast-context(3).
 *
 * Unless its comment says otherwise, every function here and in the other headers
 *   - returns 0 or a positive count on success, and on failure -errno, one of those that its comment
 *     lists, or -ENOMEM;
 *   - writes its outputs on success only;
 *   - may be called by any thread at any time;
 *   - borrows the strings and arrays that it gets for the duration of the call.
 * "Since" is the version of Holdfast that added the function. holdfast(7), section STRUCTURES THAT
 * GROW, says how structures, enumerations and flags change in later versions.
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

/* Severities of log messages. By default a context logs nothing. */
enum hf_log_level {
	HF_LOG_NONE = 0,
	HF_LOG_ERROR = 1,
	HF_LOG_WARNING = 2,
	HF_LOG_INFO = 3,
	HF_LOG_DEBUG = 4,
};

/*
 * Gets one message without a newline, which is valid during the call only. Any thread that uses the
 * context may call it; the library holds no lock of the context meanwhile. It must not use the context.
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
	HF_NO_NETLINK = 1 << 0, /* use sysfs only, not RDMA netlink */
	HF_NO_SYSFS = 1 << 1,	/* use RDMA netlink only, not sysfs */
	HF_NO_NOTIFY = 1 << 2,	/* open no notification sockets; read the roots each time instead */
	HF_NO_ENVIRONMENT = 1 << 3, /* ignore HOLDFAST_*, SYSFS_PATH and libibverbs' variables */
	HF_PREFER_DISTRIBUTION = 1 << 4, /* prefer the distribution's providers */
};

/* A member that is 0 or NULL has its default value. Set size to sizeof(struct hf_options). */
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
	 * The directory of the *.driver files that name the distribution's providers; "" means none.
	 * Default: the distribution's directory, or none if provider_dirs is given.
	 */
	const char *driver_config_dir;
};

/*
 * Makes a context. `options` may be NULL; they are copied. Nothing is searched or loaded before it is
 * needed. The caller owns *ret and gives it back with hf_unref().
 * Errors: -EINVAL (size or flags not understood, unknown trailing bytes that are not 0, a bad root, or
 * a bad HOLDFAST_ROOTS). Since 0.1.
 */
int hf_new(const struct hf_options *options, struct hf **ret);

/*
 * Returns the context that the ibv_* functions use. The first call makes it, and it lives as long as
 * the process. The caller owns a reference and gives it back with hf_unref(). Errors: as hf_new().
 * Since 0.1.
 */
int hf_default(struct hf **ret);

/* Takes a reference and returns its argument. It cannot fail. Since 0.1. */
struct hf *hf_ref(struct hf *hf);

/*
 * Gives a reference back and returns NULL. NULL is allowed. Devices, lists, streams and open device
 * contexts hold references of their own, so they may be given back in any order. Since 0.1.
 */
struct hf *hf_unref(struct hf *hf);

/* The version of the loaded library, for example "0.1.0"; never freed. Since 0.1. */
const char *hf_version(void);

#ifdef __cplusplus
}
#endif

#endif
