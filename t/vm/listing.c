/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-listing [ROUNDS]: prints the time of the first ibv_get_device_list(), and of later ones with no
 * change. Uses libibverbs only, so it runs on the distribution's library and on Holdfast's.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <infiniband/verbs.h>

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	int round, rounds = argc > 1 ? atoi(argv[1]) : 5, num = 0;
	uint64_t start, first = 0, again = 0;
	struct ibv_device **list;

	for (round = 0; round <= rounds; round++) {
		start = now_us();
		list = ibv_get_device_list(&num);
		if (!list) {
			perror("ibv_get_device_list");
			return 1;
		}
		*(round ? &again : &first) += now_us() - start;
		ibv_free_device_list(list);
	}
	printf("%d %" PRIu64 " %" PRIu64 "\n", num, first, rounds ? again / (uint64_t)rounds : 0);
	return 0;
}
