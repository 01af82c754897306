# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
EXTRA_DIST += t/tree/tree.sh
dist_check_SCRIPTS += t/tree/examples t/tree/example-loop t/tree/example-provider t/tree/infiniband-ports t/tree/rtrs-blk t/tree/rtrs-examples t/tree/rtrs-nbdkit t/tree/rtrs-soft t/tree/units
TESTS += t/tree/examples t/tree/example-loop t/tree/example-provider t/tree/infiniband-ports t/tree/rtrs-blk t/tree/rtrs-examples t/tree/units
# The distribution's nbdkit cannot load a plug-in that a sanitiser is built into.
if !SANITIZERS
TESTS += t/tree/rtrs-nbdkit
endif
EXTRA_DIST += t/tree/rtrs-blk-lib.sh
check_PROGRAMS += t/tree/rtrs-relay
t_tree_rtrs_relay_SOURCES = t/tree/rtrs-relay.c
t_tree_rtrs_relay_LDADD = -lpthread

check_LTLIBRARIES += example-hf1.la
example_hf1_la_SOURCES = examples/provider/example.c examples/provider/loop.c \
	examples/provider/loop.h \
	examples/provider/segment.c \
	examples/provider/segment.h
# Like its own Makefile: the map lists the exported symbols.
example_hf1_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
example_hf1_la_LDFLAGS = $(provider_ldflags) -rpath /nowhere
example_hf1_la_LIBADD = libholdfast.la
check_DATA = t/example.d/stamp
t/example.d/stamp: example-hf1.la examples/provider/example.provider
	$(AM_V_GEN)rm -rf t/example.d && $(MKDIR_P) t/example.d && \
	cp .libs/example-hf1.so $(srcdir)/examples/provider/example.provider t/example.d && \
	chmod go-w t/example.d t/example.d/* && touch $@

clean-local: clean-example-provider
clean-example-provider:
	rm -rf t/example.d

check_PROGRAMS += t/tree/replug
t_tree_replug_SOURCES = t/tree/replug.c
t_tree_replug_LDADD = libholdfast.la libhf-soft.la
dist_check_SCRIPTS += t/tree/replug-fs
TESTS += t/tree/replug-fs

if HAVE_CMOCKA
check_PROGRAMS += t/tree/devices t/tree/no_kernel t/tree/openers t/tree/providers t/tree/removal \
	t/tree/sizes
TESTS += t/tree/devices t/tree/no_kernel t/tree/openers t/tree/providers t/tree/removal t/tree/sizes
t_tree_devices_SOURCES = t/tree/devices.c
t_tree_devices_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_devices_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_no_kernel_SOURCES = t/tree/no_kernel.c t/lib/one_device.c t/lib/one_device.h
t_tree_no_kernel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_no_kernel_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
t_tree_openers_SOURCES = t/tree/openers.c
t_tree_openers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_openers_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_providers_SOURCES = t/tree/providers.c t/lib/fake/counters.h
t_tree_providers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_providers_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
t_tree_removal_SOURCES = t/tree/removal.c
t_tree_removal_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_removal_LDADD = libholdfast.la libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
t_tree_sizes_SOURCES = t/tree/sizes.c
t_tree_sizes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_sizes_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
endif
if HAVE_CMOCKA
check_PROGRAMS += t/tree/naming
TESTS += t/tree/naming
t_tree_naming_SOURCES = t/tree/naming.c
t_tree_naming_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_naming_LDADD = libhf-naming.la libhf-test-tree.la $(CMOCKA_LIBS)
endif
if HAVE_CMOCKA
check_PROGRAMS += t/tree/reload
TESTS += t/tree/reload
t_tree_reload_SOURCES = t/tree/reload.c
t_tree_reload_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_reload_LDADD = $(CMOCKA_LIBS) -ldl
EXTRA_t_tree_reload_DEPENDENCIES = compat/libibverbs.la
endif
include t/tree/churn.mk
include t/tree/foreign.mk
include t/tree/ndd.mk
include t/tree/stream.mk
include t/tree/uroce.mk

# The holdfast command, on trees made by tree.sh.
tool_tests = \
	t/tree/safety \
	t/tree/settings \
	t/tree/soft-demo \
	t/tree/tool-completion \
	t/tree/tool-doctor \
	t/tree/tool-exit \
	t/tree/tool-holders \
	t/tree/tool-json \
	t/tree/tool-list \
	t/tree/tool-monitor \
	t/tree/tool-name \
	t/tree/tool-paths \
	t/tree/tool-run \
	t/tree/tool-soft \
	t/tree/tool-unreadable \
	t/tree/tool-wait \
	t/tree/uroce-others
dist_check_SCRIPTS += $(tool_tests)
TESTS += $(tool_tests)
EXTRA_DIST += t/tree/check-lib.sh t/tree/tool-lib.sh

# Looks at the fixed paths of devices by every function, for t/tree/tool-paths.
check_PROGRAMS += t/tree/shown-paths
t_tree_shown_paths_SOURCES = t/tree/shown-paths.c
t_tree_shown_paths_LDADD = -ldl

# Runs with more rights than its user, for t/tree/safety.
check_PROGRAMS += t/tree/secure
t_tree_secure_SOURCES = t/tree/secure.c
# LD_LIBRARY_PATH has no effect on it then.
t_tree_secure_LDFLAGS = $(AM_LDFLAGS) -Wl,-rpath,$(abs_top_builddir)/.libs
t_tree_secure_LDADD = libholdfast.la

# rdma_describe with a fake netlink.
check_PROGRAMS += t/tree/describe-fakenl
t_tree_describe_fakenl_SOURCES = boot/describe/rdma_describe.c
t_tree_describe_fakenl_LDADD = libhf-describe.la libhf-test-fakenl.la

# udev rules, run by udevadm in namespaces of their own.
if BOOT
TESTS += t/tree/boot-dracut t/tree/boot-names t/tree/boot-rules
endif
dist_check_SCRIPTS += t/tree/boot-dracut t/tree/boot-names t/tree/boot-rules
EXTRA_DIST += t/tree/boot-bed.sh

# libibverbs.so.1.
dist_check_SCRIPTS += t/tree/face-symbols t/tree/provider-imports t/tree/which-library
TESTS += t/tree/face-symbols t/tree/provider-imports t/tree/which-library
EXTRA_DIST += t/tree/absent.c t/tree/opens-library.c

# A program of IBVERBS_1.0, on a provider whose objects live in memory.
noinst_LTLIBRARIES += objects-hf1.la
objects_hf1_la_SOURCES = t/lib/fake/objects.c t/lib/fake/objects.h
objects_hf1_la_LDFLAGS = $(provider_ldflags) -rpath /nowhere
objects_hf1_la_LIBADD = libholdfast.la
EXTRA_DIST += t/lib/fake/objects.provider
check_PROGRAMS += t/tree/old-program
t_tree_old_program_SOURCES = t/tree/old-program.c t/lib/fake_kernel.c t/lib/fake_kernel.h
t_tree_old_program_LDADD = compat/libibverbs.la
t_tree_old_program_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
dist_check_SCRIPTS += t/tree/old-verbs
TESTS += t/tree/old-verbs

# The number of descriptors that are needed and kept open.
check_PROGRAMS += t/tree/count-descriptors
t_tree_count_descriptors_SOURCES = t/tree/count-descriptors.c
t_tree_count_descriptors_LDADD = libholdfast.la
dist_check_SCRIPTS += t/tree/few-descriptors
TESTS += t/tree/few-descriptors

# Use of objects after their context was closed.
check_PROGRAMS += t/tree/late-program
t_tree_late_program_SOURCES = t/tree/late-program.c
t_tree_late_program_LDADD = libholdfast.la
dist_check_SCRIPTS += t/tree/late-use
TESTS += t/tree/late-use

# A provider that was built with the headers of a later rdma-core.
check_PROGRAMS += t/tree/qp-ex
t_tree_qp_ex_SOURCES = t/tree/qp-ex.c
t_tree_qp_ex_LDADD = libholdfast.la
dist_check_SCRIPTS += t/tree/newer-headers
TESTS += t/tree/newer-headers

if HAVE_CMOCKA
check_PROGRAMS += t/tree/tables
TESTS += t/tree/tables
t_tree_tables_SOURCES = t/tree/tables.c
t_tree_tables_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_tables_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)

check_PROGRAMS += t/tree/cancelled
TESTS += t/tree/cancelled
t_tree_cancelled_SOURCES = t/tree/cancelled.c
t_tree_cancelled_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_cancelled_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
check_PROGRAMS += t/tree/closed_open
TESTS += t/tree/closed_open
t_tree_closed_open_SOURCES = t/tree/closed_open.c t/lib/others.c t/lib/others.h
t_tree_closed_open_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_closed_open_LDADD = libholdfast.la libhf-test-tree.la libhf-test-asleep.la $(CMOCKA_LIBS)
endif

# The control programs of RTRS.
EXTRA_DIST += t/tree/control-lib.sh
check_PROGRAMS += t/tree/control-bed
t_tree_control_bed_SOURCES = t/tree/control_bed.c t/lib/hang.h
t_tree_control_bed_LDADD = librtrs-lib.la
dist_check_SCRIPTS += t/tree/rtrs-control t/tree/rtrs-fs t/tree/rtrs-map
TESTS += t/tree/rtrs-control t/tree/rtrs-fs t/tree/rtrs-map
if HAVE_CMOCKA
check_PROGRAMS += t/tree/rtrs_soft t/tree/rtrs_soft_fault
TESTS += t/tree/rtrs-soft
t_tree_rtrs_soft_SOURCES = t/tree/rtrs_soft.c t/unit/rtrs_disk.c t/unit/rtrs_disk.h \
	t/lib/rtrs_verbs.c t/lib/rtrs_verbs.h t/lib/rtrs_fails.c t/lib/rtrs_fails.h
t_tree_rtrs_soft_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
rtrs_verbs_wraps = $(wrap)dlopen $(wrap)dlsym $(wrap)ibv_get_device_list $(wrap)ibv_open_device $(wrap)ibv_close_device \
	$(wrap)ibv_query_device $(wrap)_ibv_query_gid_ex $(wrap)ibv_alloc_pd $(wrap)ibv_dealloc_pd \
	$(wrap)ibv_reg_mr_iova2 $(wrap)ibv_dereg_mr $(wrap)ibv_create_comp_channel \
	$(wrap)ibv_destroy_comp_channel $(wrap)ibv_create_cq $(wrap)ibv_destroy_cq $(wrap)ibv_create_qp \
	$(wrap)ibv_destroy_qp $(wrap)ibv_modify_qp $(wrap)ibv_get_cq_event $(wrap)ibv_get_async_event
t_tree_rtrs_soft_LDFLAGS = $(AM_LDFLAGS) $(rtrs_verbs_wraps)
t_tree_rtrs_soft_LDADD = librtrs-rdma.la librtrs-lib.la $(CMOCKA_LIBS)
t_tree_rtrs_soft_fault_SOURCES = t/unit/rtrs_fault.c t/lib/rtrs_verbs.c t/lib/rtrs_verbs.h t/lib/rtrs_fails.c t/lib/rtrs_fails.h
t_tree_rtrs_soft_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_rtrs_soft_fault_LDFLAGS = $(AM_LDFLAGS) $(rtrs_fault_wraps) $(rtrs_verbs_wraps)
t_tree_rtrs_soft_fault_LDADD = librtrs-rdma.la librtrs-lib.la $(CMOCKA_LIBS)
endif
