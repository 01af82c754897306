/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which call fails. */
#include <errno.h>
#include <stddef.h>

#include "t/lib/rtrs_fails.h"

unsigned long rtrs_calls, rtrs_fails_at;
const char *rtrs_failed;
long rtrs_verbs_objects;

bool rtrs_fails_now(const char *name, int error)
{
	if (++rtrs_calls != rtrs_fails_at)
		return false;
	rtrs_failed = name;
	errno = error;
	return true;
}
