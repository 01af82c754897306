# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The provider uroce, on made-up devices.
dist_check_SCRIPTS += t/tree/uroce-captures t/tree/uroce-programs
EXTRA_DIST += t/tree/uroce_captures.py
TESTS += t/tree/uroce-programs
if HAVE_CMOCKA
uroce_bed = t/tree/uroce_bed.c t/tree/uroce_bed.h t/lib/one_device.c t/lib/one_device.h
check_PROGRAMS += t/tree/uroce_deaths t/tree/uroce_devices t/tree/uroce_errors t/tree/uroce_kills t/tree/uroce_messages t/tree/uroce_short t/tree/uroce_stops
TESTS += t/tree/uroce_deaths t/tree/uroce_devices t/tree/uroce_errors t/tree/uroce_kills t/tree/uroce_messages t/tree/uroce_short t/tree/uroce_stops

check_PROGRAMS += t/tree/uroce_verbs
TESTS += t/tree/uroce_verbs
check_PROGRAMS += t/tree/uroce_traffic
TESTS += t/tree/uroce-captures
t_tree_uroce_traffic_SOURCES = t/tree/uroce_traffic.c $(uroce_bed)
t_tree_uroce_traffic_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_traffic_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
check_PROGRAMS += t/tree/uroce_arming t/tree/uroce_withdrawn
TESTS += t/tree/uroce_arming t/tree/uroce_withdrawn
# Functions of these programs stand in for the ones of libc that the provider calls.
t_tree_uroce_arming_SOURCES = t/tree/uroce_arming.c $(uroce_bed)
t_tree_uroce_arming_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_arming_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
t_tree_uroce_arming_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
t_tree_uroce_withdrawn_SOURCES = t/tree/uroce_withdrawn.c $(uroce_bed)
t_tree_uroce_withdrawn_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_withdrawn_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
t_tree_uroce_withdrawn_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
check_PROGRAMS += t/tree/uroce_buffers
TESTS += t/tree/uroce_buffers
t_tree_uroce_buffers_SOURCES = t/tree/uroce_buffers.c $(uroce_bed)
t_tree_uroce_buffers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_buffers_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_deaths_SOURCES = t/tree/uroce_deaths.c $(uroce_bed)
t_tree_uroce_deaths_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_deaths_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_devices_SOURCES = t/tree/uroce_devices.c $(uroce_bed)
t_tree_uroce_devices_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_devices_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_errors_SOURCES = t/tree/uroce_errors.c $(uroce_bed)
t_tree_uroce_errors_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_errors_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
t_tree_uroce_kills_SOURCES = t/tree/uroce_kills.c $(uroce_bed)
t_tree_uroce_kills_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_kills_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_messages_SOURCES = t/tree/uroce_messages.c $(uroce_bed)
t_tree_uroce_messages_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_messages_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_short_SOURCES = t/tree/uroce_short.c $(uroce_bed)
t_tree_uroce_short_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_short_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_stops_SOURCES = t/tree/uroce_stops.c $(uroce_bed)
t_tree_uroce_stops_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_stops_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_uroce_verbs_SOURCES = t/tree/uroce_verbs.c $(uroce_bed)
t_tree_uroce_verbs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_uroce_verbs_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
endif
