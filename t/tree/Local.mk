# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
EXTRA_DIST += t/tree/tree.sh t/tree/examples t/tree/example-provider
