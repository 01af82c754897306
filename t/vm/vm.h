/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the guest's test programs share. Public headers only: they are applications. */
#ifndef VM_H
#define VM_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <holdfast/holdfast.h>

/* Prints one error line and counts it; vm_errors() is the count, and belongs in the exit status. */
__attribute__((format(printf, 1, 2))) void vm_error(const char *format, ...);
unsigned int vm_errors(void);
/* Prints an error line and exits with 1. */
__attribute__((format(printf, 1, 2), noreturn)) void vm_die(const char *format, ...);

uint64_t vm_now_us(void);
unsigned int vm_open_fds(void);
/* Blocks that malloc() has given out and not got back; -1 where nobody counts (sanitizers). */
long vm_live_blocks(void);
/* A context as hf_new(NULL) gives it, but for `flags`, and with the log on stderr. */
struct hf *vm_context(uint32_t flags);
void vm_info(struct ibv_device *device, struct hf_device_info *info);

/* For vm_try_open(): microseconds to keep the device open, and what opening and closing took. */
struct vm_open_times {
	uint64_t hold;
	uint64_t open, close;
};

/*
 * Opens the device, asks the kernel through the open node who it is, closes it again. Returns 0 when
 * that was this very instance, 1 when it was another one (an error was printed), or -errno when it
 * could not be opened or was unplugged meanwhile.
 */
int vm_try_open(struct ibv_device *device, uint64_t want_guid, struct vm_open_times *times);

#endif
