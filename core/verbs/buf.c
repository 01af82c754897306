/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Allocates buffers for registration: of the provider's kind, or ordinary memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

/*
 * What programs are given, also for a provider's buffer. So they can free a buffer after its
 * protection domain, which revocation releases, and after its context.
 */
struct hf_buf {
	struct ibv_buf buf;	     /* programs know no member, providers these */
	struct ibv_buf *theirs;	     /* the provider's; NULL: memory of this file */
	struct ibv_context *context; /* of `theirs` */
	uint64_t serial;	     /* of the context: another one may be at its address */
};

/* Whole pages, so that protection from fork affects no other data. NULL with errno set. */
static void *map_memory(size_t size)
{
	void *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int fill_buf(struct hf_buf *made, struct ibv_pd *pd, size_t size,
		    const struct hf_later_ops *later)
{
	const bool theirs = later->alloc_buf && later->free_buf;
	void *memory;

	errno = ENOMEM; /* a provider need not set it */
	memory = theirs ? later->alloc_buf(pd, size, &made->theirs) : map_memory(size);
	if (!memory)
		return errno;
	if (theirs)
		made->buf = *made->theirs;
	else
		made->buf = (struct ibv_buf){.size = size, .dmabuf_fd = -1};
	made->buf.addr = memory;
	made->buf.pd = pd;
	made->context = pd->context;
	made->serial = hfi_context_of(pd->context)->priv->serial;
	return 0;
}

HF_EXPORT void *ibv_alloc_buf(struct ibv_pd *pd, size_t size, struct ibv_buf **buf)
{
	const struct hf_later_ops *later = hfi_later_of(pd->context);
	struct hf_buf *made;
	int err;

	if (!later)
		return NULL;
	if (!size || !buf) {
		errno = EINVAL;
		return NULL;
	}
	made = calloc(1, sizeof(*made));
	err = made ? fill_buf(made, pd, size, later) : ENOMEM;
	if (err) {
		free(made);
		errno = err;
		return NULL;
	}
	*buf = &made->buf;
	return made->buf.addr;
}

/*
 * Once the context is closed, the provider cannot be called to free its memory: it stays allocated.
 */
static void free_theirs(const struct hf_buf *made)
{
	const struct verbs_ex_private *private;

	if (!hfi_is_live(made->context))
		return;
	private = hfi_context_of(made->context)->priv;
	if (private->serial == made->serial)
	private->later.free_buf(made->theirs);
}

HF_EXPORT void ibv_free_buf(struct ibv_buf *buf)
{
	struct hf_buf *made;

	if (!buf)
		return;
	made = hf_container_of(buf, struct hf_buf, buf);
	if (made->theirs)
		free_theirs(made);
	else
		munmap(made->buf.addr, made->buf.size);
	free(made);
}

HF_EXPORT int ibv_export_buf_dmabuf_fd(struct ibv_buf *buf)
{
	if (buf->dmabuf_fd >= 0)
		return fcntl(buf->dmabuf_fd, F_DUPFD_CLOEXEC, 0);
	errno = ENODATA;
	return -1;
}
