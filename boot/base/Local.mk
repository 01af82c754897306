# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Files that several units share.
EXTRA_DIST += boot/base/10-network-pre.conf
