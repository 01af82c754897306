/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps the arrays that are shared with siw. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "providers/siw/siw.h"

int siw_array_map(struct siw_array *array, int cmd_fd, uint64_t key, uint32_t elements,
		  size_t element_size, size_t extra)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size;
	void *start;

	if (!elements || elements & (elements - 1) || elements > (UINT32_C(1) << 30))
		return EPROTO;
	/* The kernel maps an array only as a whole, rounded up to pages. */
	size = (elements * element_size + extra + page - 1) & ~(page - 1);
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cmd_fd, (off_t)key);
	if (start == MAP_FAILED)
		return errno;
	*array = (struct siw_array){.start = start, .size = size, .mask = elements - 1};
	return 0;
}

void siw_array_unmap(struct siw_array *array)
{
	if (array->start)
		munmap(array->start, array->size);
	array->start = NULL;
}
