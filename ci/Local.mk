# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What `./quickstart check` runs travels with the tarball too.
EXTRA_DIST += \
	ci/check \
	ci/guests.sh \
	ci/lib.sh \
	ci/packages \
	ci/prepare.sh \
	ci/selftest \
	ci/valgrind \
	ci/tier/abi \
	ci/tier/asan \
	ci/tier/bench \
	ci/tier/clang \
	ci/tier/churn \
	ci/tier/distcheck \
	ci/tier/fault \
	ci/tier/fuzz \
	ci/tier/gcc \
	ci/tier/lint \
	ci/tier/packages \
	ci/tier/tsan \
	ci/tier/valgrind \
	ci/tier/vm \
	ci/tier/vm-6.12
EXTRA_DIST += ci/valgrind.supp
