# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Each target links with libFuzzer where configure was told --enable-fuzzers; elsewhere with a main()
# that replays the seeds, as a test. `make check-fuzz` runs each for FUZZ_SECONDS, from any build.
fuzz_programs = \
	t/fuzz/fuzz-config \
	t/fuzz/fuzz-elf \
	t/fuzz/fuzz-foreign \
	t/fuzz/fuzz-landmarks \
	t/fuzz/fuzz-manifest \
	t/fuzz/fuzz-naming \
	t/fuzz/fuzz-ndd \
	t/fuzz/fuzz-neighbour \
	t/fuzz/fuzz-netlink \
	t/fuzz/fuzz-nldev \
	t/fuzz/fuzz-notify \
	t/fuzz/fuzz-reply \
	t/fuzz/fuzz-rtrs-client \
	t/fuzz/fuzz-rtrs-control \
	t/fuzz/fuzz-rtrs-serve \
	t/fuzz/fuzz-rtrs-server \
	t/fuzz/fuzz-rtrs-stream \
	t/fuzz/fuzz-sysfs \
	t/fuzz/fuzz-uevent \
	t/fuzz/fuzz-uroce-packet \
	t/fuzz/fuzz-uroce-qp \
	t/fuzz/fuzz-uroce-segment
check_PROGRAMS += $(fuzz_programs)

if FUZZERS
fuzz_main =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_build = $(abs_top_builddir)
else
fuzz_main = t/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
fuzz_build =
TESTS += $(fuzz_programs)
endif

t_fuzz_fuzz_config_SOURCES = t/fuzz/fuzz-config.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_config_LDADD = libhf-core.la
t_fuzz_fuzz_elf_SOURCES = t/fuzz/fuzz-elf.c t/fuzz/fuzz.h tools/program.c tools/program.h \
	$(fuzz_main)
t_fuzz_fuzz_elf_CFLAGS = $(AM_CFLAGS) $(ELF_CFLAGS)
t_fuzz_fuzz_elf_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_elf_LDADD = libhf-core.la $(ELF_LIBS)
t_fuzz_fuzz_foreign_SOURCES = t/fuzz/fuzz-foreign.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_foreign_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_foreign_LDADD = libhf-core.la
t_fuzz_fuzz_landmarks_SOURCES = t/fuzz/fuzz-landmarks.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_landmarks_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_landmarks_LDADD = libhf-core.la
t_fuzz_fuzz_manifest_SOURCES = t/fuzz/fuzz-manifest.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_manifest_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_manifest_LDADD = libhf-core.la
t_fuzz_fuzz_naming_SOURCES = t/fuzz/fuzz-naming.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_naming_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_naming_LDADD = libhf-naming.la libhf-test-tree.la
t_fuzz_fuzz_ndd_SOURCES = t/fuzz/fuzz-ndd.c t/fuzz/fuzz.h boot/ndd/text.c boot/ndd/text.h $(fuzz_main)
t_fuzz_fuzz_ndd_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_ndd_LDADD =
t_fuzz_fuzz_neighbour_SOURCES = t/fuzz/fuzz-neighbour.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_neighbour_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_neighbour_LDADD = libhf-core.la
t_fuzz_fuzz_netlink_SOURCES = t/fuzz/fuzz-netlink.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_netlink_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_netlink_LDADD = libhf-core.la
t_fuzz_fuzz_nldev_SOURCES = t/fuzz/fuzz-nldev.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_nldev_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_nldev_LDADD = libhf-describe.la
t_fuzz_fuzz_notify_SOURCES = t/fuzz/fuzz-notify.c t/fuzz/fuzz.h t/fuzz/hint.h $(fuzz_main)
t_fuzz_fuzz_notify_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_notify_LDADD = libhf-core.la
t_fuzz_fuzz_reply_SOURCES = t/fuzz/fuzz-reply.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_reply_LDFLAGS = $(fuzz_ldflags) $(kernel_wraps) \
	-Wl,--wrap=pthread_cond_clockwait -Wl,--wrap=ibv_resolve_eth_l2_from_gid
t_fuzz_fuzz_reply_LDADD = libhf-test-verbs.la libhf-test-tree.la libhf-core.la
t_fuzz_fuzz_rtrs_client_SOURCES = t/fuzz/fuzz-rtrs-client.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_rtrs_client_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_rtrs_client_LDADD = librtrs-tcp-message.la librtrs-rnbd.la librtrs-internal.la
t_fuzz_fuzz_rtrs_control_SOURCES = t/fuzz/fuzz-rtrs-control.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_rtrs_control_LDFLAGS = $(fuzz_ldflags) -Wl,--wrap=connect
t_fuzz_fuzz_rtrs_control_LDADD = librtrs-lib.la
t_fuzz_fuzz_rtrs_serve_SOURCES = t/fuzz/fuzz-rtrs-serve.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_rtrs_serve_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_rtrs_serve_LDADD = librtrs-rnbd.la librtrs-internal.la
t_fuzz_fuzz_rtrs_server_SOURCES = t/fuzz/fuzz-rtrs-server.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_rtrs_server_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_rtrs_server_LDADD = librtrs-rnbd.la librtrs-internal.la
t_fuzz_fuzz_rtrs_stream_SOURCES = t/fuzz/fuzz-rtrs-stream.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_rtrs_stream_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_rtrs_stream_LDADD = librtrs-internal.la
t_fuzz_fuzz_sysfs_SOURCES = t/fuzz/fuzz-sysfs.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_sysfs_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_sysfs_LDADD = libhf-core.la
t_fuzz_fuzz_uevent_SOURCES = t/fuzz/fuzz-uevent.c t/fuzz/fuzz.h t/fuzz/hint.h $(fuzz_main)
t_fuzz_fuzz_uevent_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_uevent_LDADD = libhf-core.la
t_fuzz_fuzz_uroce_packet_SOURCES = t/fuzz/fuzz-uroce-packet.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_uroce_packet_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_uroce_packet_LDADD = liburoce-transport.la
t_fuzz_fuzz_uroce_qp_SOURCES = t/fuzz/fuzz-uroce-qp.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_uroce_qp_LDFLAGS = $(fuzz_ldflags)
t_fuzz_fuzz_uroce_qp_LDADD = liburoce-transport.la
t_fuzz_fuzz_uroce_segment_SOURCES = t/fuzz/fuzz-uroce-segment.c t/fuzz/fuzz.h $(fuzz_main)
t_fuzz_fuzz_uroce_segment_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_PROVIDERS='"$(abs_top_builddir)/providers.d"'
# The provider, which is loaded, takes these calls from the program.
t_fuzz_fuzz_uroce_segment_LDFLAGS = $(fuzz_ldflags) -Wl,--export-dynamic-symbol=process_vm_readv \
	-Wl,--export-dynamic-symbol=process_vm_writev
t_fuzz_fuzz_uroce_segment_LDADD = libholdfast.la libhf-test-tree.la
EXTRA_t_fuzz_fuzz_uroce_segment_DEPENDENCIES = providers.d/stamp

FUZZ_SECONDS = 30
FUZZ_JOBS = 2
check-fuzz:
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		FUZZ_BUILD='$(fuzz_build)' FUZZ_JOBS='$(FUZZ_JOBS)' MAKE='$(MAKE)' \
		$(srcdir)/t/fuzz/run $(FUZZ_SECONDS) || test $$? = 77
clean-fuzz:
	rm -rf fuzz-build fuzz-work
fuzz-programs: $(fuzz_programs)
.PHONY: check-fuzz clean-fuzz fuzz-programs
clean-local: clean-fuzz

EXTRA_DIST += \
	t/fuzz/config.dict \
	t/fuzz/make-seeds \
	t/fuzz/manifest.dict \
	t/fuzz/run \
	t/fuzz/seeds \
	t/fuzz/sysfs.dict \
	t/fuzz/uevent.dict
