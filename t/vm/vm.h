/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the test programs of the guest. They are applications: public headers only. */
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
/* The number of allocated malloc() blocks; -1 if they are not counted (sanitizers). */
long vm_live_blocks(void);
/* A context with default options except `flags`, and with the log on stderr. */
struct hf *vm_context(uint32_t flags);
void vm_info(struct ibv_device *device, struct hf_device_info *info);

/* For vm_try_open(): microseconds to keep the device open; the times of opening and closing. */
struct vm_open_times {
	uint64_t hold;
	uint64_t open, close;
};

/*
 * Opens the device, reads its identity from the kernel through the open node, and closes it. Returns 0 if
 * it is this instance, 1 after printing an error if it is another one, or -errno if it cannot be opened or
 * was unplugged meanwhile.
 */
int vm_try_open(struct ibv_device *device, uint64_t want_guid, struct vm_open_times *times);

#endif
