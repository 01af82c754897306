/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Log messages: levels, and where they go. */
#ifndef HF_BASE_LOG_H
#define HF_BASE_LOG_H

#include <holdfast/context.h>

struct hf_log {
	hf_log_fn fn; /* NULL: standard error */
	void *arg;
	enum hf_log_level level;
};

/*
 * The function behind it is the user's: with a lock held, or what is as good as one, it must be
 * called between hfi_log_hold() and hfi_log_release() only.
 */
void hfi_log_message(const struct hf_log *log, enum hf_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Messages of this thread are held back, except those to standard error, and logged at the last
 * release: call that when the lock is free again. The logs' owners must exist until then.
 */
void hfi_log_hold(void);
void hfi_log_release(void);

#define hf_log(log, lvl, ...)                                       \
	do {                                                        \
		if ((log)->level >= (lvl))                          \
			hfi_log_message((log), (lvl), __VA_ARGS__); \
	} while (0)

#define hf_error(log, ...) hf_log(log, HF_LOG_ERROR, __VA_ARGS__)
#define hf_warn(log, ...)  hf_log(log, HF_LOG_WARNING, __VA_ARGS__)
#define hf_info(log, ...)  hf_log(log, HF_LOG_INFO, __VA_ARGS__)
#define hf_debug(log, ...) hf_log(log, HF_LOG_DEBUG, __VA_ARGS__)

#endif
