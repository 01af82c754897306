# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Tests on a real kernel: `make check-vm`, for the other kernel `make check-vm KERNEL=6.12`, for
# some of them `make check-vm VM_TESTS=t/vm/many`.
# Not part of `make check`: they download a kernel and take minutes.
KERNEL = 6.1

VM_TESTS = \
	t/vm/boot-smoke \
	t/vm/changes \
	t/vm/unplug \
	t/vm/dropcaches \
	t/vm/overflow \
	t/vm/many \
	t/vm/ndd \
	t/vm/siw \
	t/vm/async \
	t/vm/revoke \
	t/vm/rxe-verbs \
	t/vm/uroce \
	t/vm/pyverbs \
	t/vm/wild \
	t/vm/conditions \
	t/vm/descriptors \
	t/vm/disassociate \
	t/vm/siw-verbs \
	t/vm/rtrs \
	t/vm/rtrs-blk \
	t/vm/rtrs-files \
	t/vm/rtrs-library \
	t/vm/rtrs-serve \
	t/vm/instructions \
	t/vm/programs \
	t/vm/holders \
	t/vm/boot-udev \
	t/vm/boot-slots \
	t/vm/boot-modules \
	t/vm/boot-systemd \
	t/vm/tool \
	t/vm/cycles

# What runs in the guest: programs as an application would be.
vm_programs = t/vm/vm-cycles t/vm/vm-identity t/vm/vm-open t/vm/vm-verbs t/vm/vm-watch \
	t/vm/vm-cost t/vm/vm-fatal t/vm/vm-held t/vm/vm-instructions t/vm/vm-left t/vm/vm-listing \
	t/vm/vm-cgroup t/vm/vm-conditions t/vm/vm-descriptors t/vm/vm-rtrs-client t/vm/vm-rtrs-server t/vm/vm-rtrs-session
noinst_PROGRAMS += $(vm_programs)

vm_common = t/vm/vm.c t/vm/vm.h
t_vm_vm_cycles_SOURCES = t/vm/cycles.c t/vm/record.c t/vm/record.h t/vm/blocks.c $(vm_common)
t_vm_vm_cycles_LDADD = libholdfast.la -lpthread
t_vm_vm_identity_SOURCES = t/vm/identity.c $(vm_common)
t_vm_vm_identity_LDADD = libholdfast.la
# Opens the libraries that it compares at run time.
t_vm_vm_instructions_SOURCES = t/vm/instructions.c
t_vm_vm_instructions_LDADD = -ldl
t_vm_vm_open_SOURCES = t/vm/open.c $(vm_common)
t_vm_vm_open_LDADD = libholdfast.la
t_vm_vm_verbs_SOURCES = \
	t/vm/verbs/cm.c \
	t/vm/verbs/cm.h \
	t/vm/verbs/connected.c \
	t/vm/verbs/datagram.c \
	t/vm/verbs/iwarp.c \
	t/vm/verbs/iwarp_wr.c \
	t/vm/verbs/main.c \
	t/vm/verbs/queues.c \
	t/vm/verbs/requests.c \
	t/vm/verbs/rig.c \
	t/vm/verbs/rig.h \
	t/vm/verbs/tests.h \
	t/vm/verbs/wr.c \
	$(vm_common)
t_vm_vm_verbs_LDADD = libholdfast.la -lpthread
t_vm_vm_watch_SOURCES = t/vm/watch.c $(vm_common)
t_vm_vm_watch_LDADD = libholdfast.la

# Programs of libibverbs: built against the distribution's, run on both.
t_vm_vm_conditions_SOURCES = t/vm/conditions.c t/vm/loop.c t/vm/loop.h t/vm/plain.c t/vm/plain.h
t_vm_vm_conditions_LDADD = -libverbs -lpthread
t_vm_vm_cgroup_SOURCES = t/vm/cgroup.c
t_vm_vm_descriptors_SOURCES = t/vm/descriptors.c
t_vm_vm_descriptors_LDADD = -libverbs
t_vm_vm_cost_SOURCES = t/vm/cost.c
t_vm_vm_cost_LDADD = -libverbs
t_vm_vm_fatal_SOURCES = t/vm/fatal.c t/vm/plain.c t/vm/plain.h
t_vm_vm_fatal_LDADD = -libverbs
t_vm_vm_left_SOURCES = t/vm/left.c t/vm/plain.c t/vm/plain.h
t_vm_vm_left_LDADD = -libverbs
t_vm_vm_held_SOURCES = t/vm/held.c t/vm/plain.c t/vm/plain.h
t_vm_vm_held_LDADD = -libverbs -lpthread
t_vm_vm_listing_SOURCES = t/vm/listing.c
t_vm_vm_listing_LDADD = -libverbs
t_vm_vm_rtrs_client_SOURCES = t/vm/rtrs-client/client.c t/vm/rtrs-client/client.h t/vm/rtrs-client/main.c
t_vm_vm_rtrs_client_LDADD = librtrs-rdma.la librtrs-rnbd.la librtrs-internal.la
t_vm_vm_rtrs_server_SOURCES = t/vm/rtrs-server/blocks.c t/vm/rtrs-server/blocks.h t/vm/rtrs-server/main.c
t_vm_vm_rtrs_server_LDADD = librtrs-rdma.la librtrs-rnbd.la librtrs-internal.la

t_vm_vm_rtrs_session_SOURCES = t/vm/rtrs-session.c
t_vm_vm_rtrs_session_LDADD = librtrs.la

dist_noinst_SCRIPTS += $(VM_TESTS) t/vm/demo t/vm/fetch t/vm/first-list t/vm/foreign-next t/vm/initrd t/vm/rnbd-files t/vm/run t/vm/selftest t/vm/speed
dist_noinst_DATA += t/vm/columns.sh t/vm/common.sh t/vm/guest t/vm/hardware.sh t/vm/held.sh t/vm/init \
	t/vm/lib.sh t/vm/root.sh t/vm/table.sh t/vm/tidy.sh t/vm/module/Kbuild t/vm/module/board.c \
	t/vm/module/board.h t/vm/module/board_rdma.c t/vm/module/common.h t/vm/module/hfdomain.c \
	t/vm/module/hfplug.c

.PHONY: check-vm check-vm-initrd check-vm-programs check-vm-selftest
check-vm-programs: $(vm_programs) examples/hf-survive t/vm/installed/stamp

# What a guest that boots a root of its own gets: everything as installed, without manual pages.
t/vm/installed: t/vm/installed/stamp
t/vm/installed/stamp: $(LTLIBRARIES) $(PROGRAMS) $(DATA) $(dist_doc_DATA)
	$(AM_V_GEN)rm -rf t/vm/installed && $(MKDIR_P) t/vm/installed && \
	$(MAKE) install-strip DESTDIR="$(abs_builddir)/t/vm/installed/root" \
		>t/vm/installed/log 2>&1 || { cat t/vm/installed/log; exit 1; }
	@rm -rf t/vm/installed/root$(mandir) t/vm/installed/root$(includedir)
	@touch $@
clean-local: clean-vm-installed
.PHONY: clean-vm-installed
clean-vm-installed:
	rm -rf t/vm/installed

# A test that must be skipped (status 77) has said why.
check-vm: all check-vm-programs
	@failed=; for test in $(VM_TESTS); do \
		echo "== $$test, kernel $(KERNEL)"; \
		bash $(srcdir)/t/vm/run --kernel $(KERNEL) --builddir . $(srcdir)/$$test || \
			[ $$? = 77 ] || failed="$$failed $$test"; \
	done; \
	if [ -n "$$failed" ]; then echo "check-vm failed:$$failed"; exit 1; fi; \
	echo "check-vm: all passed on kernel $(KERNEL)"

# A guest that is nothing but an initrd by dracut, with our module.
check-vm-initrd: t/vm/installed/stamp
	bash $(srcdir)/t/vm/initrd || [ $$? = 77 ]

check-vm-selftest:
	bash $(srcdir)/t/vm/selftest

# The comparison on a real kernel; `make bench` has the one without.
bench-vm: all check-vm-programs
	bash $(srcdir)/t/vm/run --kernel $(KERNEL) --builddir . $(srcdir)/t/vm/speed
	bash $(srcdir)/t/vm/run --kernel $(KERNEL) --builddir . $(srcdir)/t/vm/first-list
.PHONY: bench-vm
