/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which errors mean that a resource of the process or the system is exhausted. */
#include <errno.h>

#include "shared/error.h"

bool hfi_error_is_shortage(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}
