# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Programs as a user would write them: public headers and the library, nothing of the tree.
examples_programs = examples/hf-list examples/hf-watch examples/hf-survive examples/hf-events examples/rtrs-client examples/rtrs-server examples/rtrs-copy
examples_rtrs_client_SOURCES = examples/rtrs-client.c
examples_rtrs_client_LDADD = librtrs.la
examples_rtrs_server_SOURCES = examples/rtrs-server.c
examples_rtrs_server_LDADD = librtrs.la
examples_rtrs_copy_SOURCES = examples/rtrs-copy.c
examples_rtrs_copy_LDADD = librtrs.la
examples_hf_list_SOURCES = examples/list.c
examples_hf_list_LDADD = libholdfast.la
examples_hf_watch_SOURCES = examples/watch.c
examples_hf_watch_LDADD = libholdfast.la
examples_hf_survive_SOURCES = examples/survive.c
examples_hf_survive_LDADD = libholdfast.la
examples_hf_events_SOURCES = examples/events.c
examples_hf_events_LDADD = libholdfast.la
noinst_PROGRAMS += $(examples_programs)

# Built from installed files only, by t/tree/example-provider.
EXTRA_DIST += \
	examples/soft-demo \
	examples/provider/Makefile \
	examples/provider/README.md \
	examples/provider/example.c \
	examples/provider/example.provider \
	examples/provider/loop.c \
	examples/provider/loop.h \
	examples/provider/segment.c \
	examples/provider/segment.h
