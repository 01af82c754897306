# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Loads kernel modules: the RDMA modules of network drivers, and the protocols above RDMA devices.
rdma_lists = \
	boot/modules/lists/infiniband.conf \
	boot/modules/lists/iwarp.conf \
	boot/modules/lists/iwpmd.conf \
	boot/modules/lists/opa.conf \
	boot/modules/lists/rdma.conf \
	boot/modules/lists/roce.conf \
	boot/modules/lists/srp_daemon.conf
modules_rules = \
	boot/modules/90-rdma-hw-modules.rules \
	boot/modules/90-rdma-ulp-modules.rules
EXTRA_DIST += $(rdma_lists) $(modules_rules) \
	boot/modules/holdfast-rdma.conf
boot_in += boot/modules/rdma-load-modules@.service.in

if BOOT
udevrules_DATA += $(modules_rules)
systemdunit_DATA += boot/modules/rdma-load-modules@.service
loaddropindir = $(systemdunitdir)/rdma-load-modules@.service.d
loaddropin_DATA = boot/base/10-network-pre.conf
modprobe_DATA += boot/modules/holdfast-rdma.conf

# Not rdmamodules_DATA: an existing list belongs to the administrator and is not overwritten.
install-data-local: install-rdma-lists
install-rdma-lists:
	$(MKDIR_P) '$(DESTDIR)$(rdmamodulesdir)'
	@for list in $(rdma_lists); do \
		from=$(srcdir)/$$list; to='$(DESTDIR)$(rdmamodulesdir)'/`basename $$list`; \
		if test ! -e "$$to" && test ! -h "$$to"; then \
			echo "$(INSTALL_DATA) $$from $$to"; $(INSTALL_DATA) $$from "$$to" || exit 1; \
		elif ! cmp -s $$from "$$to"; then \
			echo "$$to: not overwritten; the new version is $$from"; \
		fi; \
	done
uninstall-local: uninstall-rdma-lists
uninstall-rdma-lists:
	@for list in $(rdma_lists); do \
		to='$(DESTDIR)$(rdmamodulesdir)'/`basename $$list`; \
		if cmp -s $(srcdir)/$$list "$$to"; then \
			echo "rm -f $$to"; rm -f "$$to" || exit 1; \
		elif test -e "$$to"; then \
			echo "$$to: not removed, since it was changed"; \
		fi; \
	done
endif
