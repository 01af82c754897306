/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Includes all public headers. See holdfast(7). */
#ifndef HOLDFAST_HOLDFAST_H
#define HOLDFAST_HOLDFAST_H

#include <holdfast/context.h>
#include <holdfast/reason.h>
#include <holdfast/device.h>
#include <holdfast/stream.h>
#include <holdfast/provider.h>
#include <holdfast/verbs.h>

#endif
