/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a node description from a template. */
#ifndef NDD_TEXT_H
#define NDD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* NodeDescription has 64 bytes, UTF-8, with a final NUL only if it is shorter (IBTA vol. 1, 14.2.5.2). */
enum { NDD_SIZE = 64 };

/*
 * Fills `ret` with the template, where %h is the host's name without its domain, %H with it, %d the
 * device's name and %% a percent sign; any other % is copied. Control characters become '_'. The result
 * is cut after the last character that fits. Returns the length, which may be 0.
 */
size_t ndd_text(const char *template, const char *host, const char *device, char ret[NDD_SIZE + 1]);

/* Whether the template contains the host's name. */
bool ndd_text_names_host(const char *template);

#endif
