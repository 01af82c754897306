/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The test provider's counters, in memory that the test shares with its children. */
#ifndef HF_FAULT_COUNTERS_H
#define HF_FAULT_COUNTERS_H

#define COUNTERS_VARIABLE "HF_FAULT_COUNTERS"

struct counters {
	long made, forgotten; /* devices */
	long opened, closed;  /* contexts */
};

/* Maps the counters and passes their address to the provider. 0 or -errno. */
int counters_init(void);
struct counters counters_read(void);

/* Writes the provider's manifest and library into a new directory. 0 or -errno. */
int provider_install(const char *dir, const char *library);

#endif
