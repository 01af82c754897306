# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
include t/lib/Local.mk
include t/unit/Local.mk
include t/tree/Local.mk
include t/fault/Local.mk
include t/fuzz/Local.mk
include t/bench/Local.mk
include t/vm/Local.mk
include t/lint/Local.mk
include t/packages/Local.mk

# What is not installed needs none of libtool's wrapper scripts, which start some twenty processes each time.
$(check_PROGRAMS) $(EXTRA_PROGRAMS) $(noinst_PROGRAMS): AM_LDFLAGS += -no-install
