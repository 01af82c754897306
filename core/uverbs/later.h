/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Objects, methods and attributes of kernels after Linux 6.1, whose headers this library is built with. */
#ifndef HF_UVERBS_LATER_H
#define HF_UVERBS_LATER_H

#include "core/uverbs/uverbs.h"

enum { HF_OBJECT_DMAH = 17, HF_OBJECT_DMABUF, HF_OBJECT_COMP_CNTR };

enum { HF_METHOD_QUERY_PORT_SPEED = 7, HF_METHOD_QUERY_COMP_CNTR_CAPS }; /* of DEVICE */
enum { HF_METHOD_REG_MR = 5 };						 /* of MR */
enum { HF_METHOD_QP_ATTACH_COMP_CNTR = 2 };				 /* of QP */
enum { HF_METHOD_DMAH_ALLOC, HF_METHOD_DMAH_FREE };
enum { HF_METHOD_DMABUF_ALLOC };
enum {
	HF_METHOD_COMP_CNTR_CREATE,
	HF_METHOD_COMP_CNTR_DESTROY,
	HF_METHOD_COMP_CNTR_MODIFY,
	HF_METHOD_COMP_CNTR_READ,
};

/*
 * True for the errors of a kernel that lacks the object, method or attribute. No ioctl at all: a
 * node of a test tree.
 */
static inline bool hfi_kernel_lacks(int err)
{
	return err == -EPROTONOSUPPORT || err == -ENOTTY;
}

/* Runs a command that older kernels lack: 0 or a positive errno value, EOPNOTSUPP on such a kernel. */
static inline int hfi_command_run_later(struct hf_command *command, struct ibv_context *context)
{
	int err = hfi_command_run(command, context);

	if (!hfi_kernel_lacks(err))
		return -err;
	errno = EOPNOTSUPP;
	return EOPNOTSUPP;
}

#endif
