# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A file that contains @names@ of directories is NAME.in; the rule below makes NAME from it.
boot_edit = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) -e 's|[@]udevdir[@]|$(udevdir)|g' -e 's|[@]bindir[@]|$(bindir)|g' \
	-e 's|[@]sbindir[@]|$(sbindir)|g' -e 's|[@]libexecdir[@]|$(pkglibexecdir)|g' \
	-e 's|[@]rdmaconfdir[@]|$(rdmaconfdir)|g' -e 's|[@]sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|[@]systemdutildir[@]|$(systemdutildir)|g' -e 's|[@]daemondir[@]|$(daemondir)|g' \
	-e 's|[@]systemdunitdir[@]|$(systemdunitdir)|g' -e 's|[@]modprobedir[@]|$(modprobedir)|g' \
	-e 's|[@]UDEVADM[@]|$(UDEVADM)|g'
boot_in =

include boot/base/Local.mk
include boot/modules/Local.mk
include boot/describe/Local.mk
include boot/rename/Local.mk
include boot/units/Local.mk
include boot/ndd/Local.mk
include boot/replug/Local.mk
include boot/dracut/Local.mk

EXTRA_DIST += $(boot_in)
CLEANFILES += $(boot_in:.in=)

$(boot_in:.in=): %: %.in Makefile
	$(boot_edit) $< >$@.tmp && mv $@.tmp $@
