# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
if HAVE_CMOCKA
check_PROGRAMS += t/unit/release_file
TESTS += t/unit/release_file
t_unit_release_file_SOURCES = t/unit/release_file.c
t_unit_release_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_release_file_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/revoke
TESTS += t/unit/revoke
t_unit_revoke_SOURCES = t/unit/revoke.c t/unit/revoke_bed.c t/unit/revoke_bed.h
t_unit_revoke_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_revoke_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime
t_unit_revoke_LDADD = libhf-core.la libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/revoke_fork
TESTS += t/unit/revoke_fork
t_unit_revoke_fork_SOURCES = t/unit/revoke_fork.c t/unit/revoke_bed.c t/unit/revoke_bed.h
t_unit_revoke_fork_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_revoke_fork_LDADD = libhf-core.la libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/discovery_tree
TESTS += t/unit/discovery_tree
t_unit_discovery_tree_SOURCES = t/unit/discovery_tree.c
t_unit_discovery_tree_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_discovery_tree_LDADD = libhf-test-tree.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/discovery
TESTS += t/unit/discovery
t_unit_discovery_SOURCES = t/unit/discovery.c
t_unit_discovery_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_discovery_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/discovery_netlink
TESTS += t/unit/discovery_netlink
t_unit_discovery_netlink_SOURCES = t/unit/discovery_netlink.c
t_unit_discovery_netlink_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_discovery_netlink_LDADD = libhf-core.la libhf-test-tree.la libhf-test-fakenl.la \
	$(CMOCKA_LIBS)

check_PROGRAMS += t/unit/discovery_attrs
TESTS += t/unit/discovery_attrs
t_unit_discovery_attrs_SOURCES = t/unit/discovery_attrs.c
t_unit_discovery_attrs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_discovery_attrs_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/netlink_parse
TESTS += t/unit/netlink_parse
t_unit_netlink_parse_SOURCES = t/unit/netlink_parse.c
t_unit_netlink_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_netlink_parse_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/safety
TESTS += t/unit/safety
t_unit_safety_SOURCES = t/unit/safety.c
t_unit_safety_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_safety_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/text t/unit/file
TESTS += t/unit/text t/unit/file
t_unit_text_SOURCES = t/unit/text.c
t_unit_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_text_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_file_SOURCES = t/unit/file.c
t_unit_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_file_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/discovery_race
TESTS += t/unit/discovery_race
t_unit_discovery_race_SOURCES = t/unit/discovery_race.c
t_unit_discovery_race_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_discovery_race_LDADD = libhf-core.la libhf-test-tree.la libhf-test-fakenl.la \
	$(CMOCKA_LIBS) -lpthread
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/soft_address
TESTS += t/unit/soft_address
t_unit_soft_address_SOURCES = t/unit/soft_address.c
t_unit_soft_address_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_soft_address_LDADD = libhf-soft.la libhf-shared.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/manifest t/unit/roots t/unit/runtime_dir
TESTS += t/unit/manifest t/unit/roots t/unit/runtime_dir
t_unit_manifest_SOURCES = t/unit/manifest.c
t_unit_manifest_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_manifest_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_roots_SOURCES = t/unit/roots.c
t_unit_roots_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_roots_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_runtime_dir_SOURCES = t/unit/runtime_dir.c
t_unit_runtime_dir_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_runtime_dir_LDADD = libhf-core.la libhf-soft.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/stream_hints t/unit/stream_queue t/unit/watch t/unit/watch_kernel
TESTS += t/unit/stream_hints t/unit/stream_queue t/unit/watch t/unit/watch_kernel
t_unit_stream_hints_SOURCES = t/unit/stream_hints.c
t_unit_stream_hints_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MNL_CFLAGS)
t_unit_stream_hints_LDADD = libhf-core.la $(CMOCKA_LIBS) $(MNL_LIBS)
t_unit_stream_queue_SOURCES = t/unit/stream_queue.c
t_unit_stream_queue_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_stream_queue_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)
t_unit_watch_kernel_SOURCES = t/unit/watch_kernel.c
t_unit_watch_kernel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_watch_kernel_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_watch_SOURCES = t/unit/watch.c
t_unit_watch_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_watch_LDADD = libhf-core.la libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/fork
TESTS += t/unit/fork
t_unit_fork_SOURCES = t/unit/fork.c
t_unit_fork_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_fork_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS) -lpthread
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/scan_lock
TESTS += t/unit/scan_lock
t_unit_scan_lock_SOURCES = t/unit/scan_lock.c
t_unit_scan_lock_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_scan_lock_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS) -lpthread
check_PROGRAMS += t/unit/node_check
TESTS += t/unit/node_check
t_unit_node_check_SOURCES = t/unit/node_check.c
t_unit_node_check_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_node_check_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/fork_ranges
TESTS += t/unit/fork_ranges
t_unit_fork_ranges_SOURCES = t/unit/fork_ranges.c
t_unit_fork_ranges_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_fork_ranges_LDADD = libhf-core.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/layout
TESTS += t/unit/layout
t_unit_layout_SOURCES = t/unit/layout.c abi/private34-layout.def
t_unit_layout_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_layout_LDADD = $(CMOCKA_LIBS) -ldl
check_PROGRAMS += t/unit/foreign_layouts
TESTS += t/unit/foreign_layouts
t_unit_foreign_layouts_SOURCES = t/unit/foreign_layouts.c abi/private-next-layout.def
t_unit_foreign_layouts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_foreign_layouts_LDADD = libhf-core.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/like_libibverbs
TESTS += t/unit/like_libibverbs
t_unit_like_libibverbs_SOURCES = t/unit/like_libibverbs.c
t_unit_like_libibverbs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_like_libibverbs_LDADD = libhf-core.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/uverbs_memory
TESTS += t/unit/uverbs_memory
t_unit_uverbs_memory_SOURCES = t/unit/uverbs_memory.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_uverbs_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_memory_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_cq
TESTS += t/unit/uverbs_cq
t_unit_uverbs_cq_SOURCES = t/unit/uverbs_cq.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/queues.h
t_unit_uverbs_cq_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_cq_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_srq
TESTS += t/unit/uverbs_srq
t_unit_uverbs_srq_SOURCES = t/unit/uverbs_srq.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/queues.h
t_unit_uverbs_srq_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_srq_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_qp
TESTS += t/unit/uverbs_qp
t_unit_uverbs_qp_SOURCES = t/unit/uverbs_qp.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/queues.h
t_unit_uverbs_qp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_qp_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_qp_attr
TESTS += t/unit/uverbs_qp_attr
t_unit_uverbs_qp_attr_SOURCES = t/unit/uverbs_qp_attr.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/queues.h
t_unit_uverbs_qp_attr_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_qp_attr_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/closed
TESTS += t/unit/closed
t_unit_closed_SOURCES = t/unit/closed.c
t_unit_closed_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_closed_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/log
TESTS += t/unit/log
t_unit_log_SOURCES = t/unit/log.c
t_unit_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_log_LDADD = libhf-core.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/wait
TESTS += t/unit/wait
t_unit_wait_SOURCES = t/unit/wait.c
t_unit_wait_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_wait_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=hfi_read_uncancelled -Wl,--wrap=poll
t_unit_wait_LDADD = libhf-core.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/no_kernel t/unit/no_kernel_threads
TESTS += t/unit/no_kernel t/unit/no_kernel_threads
t_unit_no_kernel_SOURCES = t/unit/no_kernel.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/others.c t/lib/others.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/no_kernel_bed.h t/unit/queues.h
t_unit_no_kernel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_no_kernel_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_no_kernel_threads_SOURCES = t/unit/no_kernel_threads.c t/lib/fake_uverbs.c \
	t/lib/fake_uverbs.h t/lib/fake_kernel.c t/lib/fake_kernel.h t/unit/no_kernel_bed.h t/unit/queues.h
t_unit_no_kernel_threads_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_no_kernel_threads_LDADD = libhf-core.la $(CMOCKA_LIBS) -lpthread

check_PROGRAMS += t/unit/uverbs_events
TESTS += t/unit/uverbs_events
t_unit_uverbs_events_SOURCES = t/unit/uverbs_events.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h \
	t/unit/async_context.h t/unit/queues.h
t_unit_uverbs_events_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_events_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=hfi_read_uncancelled \
	-Wl,--wrap=pthread_cond_clockwait -Wl,--wrap=clock_gettime
t_unit_uverbs_events_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/cache_limit
TESTS += t/unit/cache_limit
t_unit_cache_limit_SOURCES = t/unit/cache_limit.c
t_unit_cache_limit_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_cache_limit_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_wait
TESTS += t/unit/uverbs_wait
t_unit_uverbs_wait_SOURCES = t/unit/uverbs_wait.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h \
	t/unit/async_context.h t/unit/queues.h
t_unit_uverbs_wait_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_wait_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/uverbs_post
TESTS += t/unit/uverbs_post
t_unit_uverbs_post_SOURCES = t/unit/uverbs_post.c t/lib/fake_kernel.c t/lib/fake_kernel.h \
	t/lib/fake_kernel_write.c
t_unit_uverbs_post_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_post_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=hfi_write_uncancelled
t_unit_uverbs_post_LDADD = libhf-core.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/private34_queues
TESTS += t/unit/private34_queues
t_unit_private34_queues_SOURCES = t/unit/private34_queues.c t/unit/queues.h \
	compat/private34/cq.c compat/private34/private34.h compat/private34/post.c \
	compat/private34/qp.c compat/private34/srq.c \
	t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_private34_queues_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_private34_queues_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/neighbour
TESTS += t/unit/neighbour
t_unit_neighbour_SOURCES = t/unit/neighbour.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_neighbour_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MNL_CFLAGS)
t_unit_neighbour_LDADD = libhf-core.la $(CMOCKA_LIBS) $(MNL_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/verbs_memory
TESTS += t/unit/verbs_memory
t_unit_verbs_memory_SOURCES = t/unit/verbs_memory.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_verbs_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_verbs_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ibv_dontfork_range \
	-Wl,--wrap=ibv_dofork_range
t_unit_verbs_memory_LDADD = libhf-core.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/later_commands t/unit/later_verbs
TESTS += t/unit/later_commands t/unit/later_verbs
t_unit_later_commands_SOURCES = t/unit/later_commands.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_later_commands_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_later_commands_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_later_verbs_SOURCES = t/unit/later_verbs.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_later_verbs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_later_verbs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ibv_dontfork_range \
	-Wl,--wrap=ibv_dofork_range -Wl,--wrap=calloc
t_unit_later_verbs_LDADD = libhf-core.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/shared_heap
TESTS += t/unit/shared_heap
t_unit_shared_heap_SOURCES = t/unit/shared_heap.c
t_unit_shared_heap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_shared_heap_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open -Wl,--wrap=malloc
t_unit_shared_heap_LDADD = libhf-core.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/port_speed
TESTS += t/unit/port_speed
t_unit_port_speed_SOURCES = t/unit/port_speed.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_port_speed_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_port_speed_LDADD = libhf-core.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/flow_specs t/unit/uverbs_steering
TESTS += t/unit/flow_specs t/unit/uverbs_steering
t_unit_flow_specs_SOURCES = t/unit/flow_specs.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_flow_specs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_flow_specs_LDADD = libhf-core.la $(CMOCKA_LIBS)
t_unit_uverbs_steering_SOURCES = t/unit/uverbs_steering.c t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_uverbs_steering_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uverbs_steering_LDADD = libhf-core.la libhf-test-asleep.la $(CMOCKA_LIBS) -lpthread
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/private34_memory
TESTS += t/unit/private34_memory
t_unit_private34_memory_SOURCES = t/unit/private34_memory.c compat/private34/memory.c \
	compat/private34/private34.h t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_private34_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_private34_memory_LDADD = libhf-core.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/rxe_ring t/unit/rxe_send
TESTS += t/unit/rxe_ring t/unit/rxe_send
t_unit_rxe_ring_SOURCES = t/unit/rxe_ring.c providers/common/cq_ex.c providers/rxe/poll.c \
	providers/rxe/queue.c providers/rxe/rq.c
t_unit_rxe_ring_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rxe_ring_LDADD = $(CMOCKA_LIBS) -lpthread
t_unit_rxe_send_SOURCES = t/unit/rxe_send.c providers/rxe/queue.c providers/rxe/rq.c \
	providers/rxe/send.c providers/rxe/wr.c
t_unit_rxe_send_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rxe_send_LDADD = $(CMOCKA_LIBS) -lpthread
check_PROGRAMS += t/unit/siw_queues t/unit/siw_send
TESTS += t/unit/siw_queues t/unit/siw_send
t_unit_siw_queues_SOURCES = t/unit/siw_queues.c t/unit/siw_kernel.c t/unit/siw_kernel.h \
	providers/common/cq_ex.c providers/siw/array.c providers/siw/cq.c providers/siw/poll.c \
	providers/siw/rq.c
t_unit_siw_queues_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_siw_queues_LDADD = $(CMOCKA_LIBS) -lpthread
t_unit_siw_send_SOURCES = t/unit/siw_send.c t/unit/siw_kernel.c t/unit/siw_kernel.h \
	providers/siw/array.c providers/siw/qp.c providers/siw/rq.c providers/siw/send.c \
	providers/siw/wr.c
t_unit_siw_send_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_siw_send_LDADD = $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/private34_steering
TESTS += t/unit/private34_steering
t_unit_private34_steering_SOURCES = t/unit/private34_steering.c compat/private34/context.c \
	compat/private34/private34.h compat/private34/log.c compat/private34/log.h \
	compat/private34/steering.c compat/private34/strings.c \
	t/lib/fake_uverbs.c t/lib/fake_uverbs.h \
	t/lib/fake_kernel.c t/lib/fake_kernel.h
t_unit_private34_steering_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_private34_steering_LDADD = libhf-core.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/naming t/unit/naming_refused
TESTS += t/unit/naming t/unit/naming_refused
t_unit_naming_SOURCES = t/unit/naming.c t/unit/naming_bed.c t/unit/naming_bed.h
t_unit_naming_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_naming_LDADD = libhf-naming.la libhf-test-tree.la $(CMOCKA_LIBS)
t_unit_naming_refused_SOURCES = t/unit/naming_refused.c t/unit/naming_bed.c t/unit/naming_bed.h
t_unit_naming_refused_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_naming_refused_LDADD = libhf-naming.la libhf-test-tree.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/describe t/unit/nldev t/unit/replug_names
TESTS += t/unit/describe t/unit/nldev t/unit/replug_names
t_unit_replug_names_SOURCES = t/unit/replug_names.c
t_unit_replug_names_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_replug_names_LDADD = libhf-replug.la $(CMOCKA_LIBS)
t_unit_describe_SOURCES = t/unit/describe.c
t_unit_describe_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_describe_LDADD = libhf-describe.la libhf-test-tree.la $(CMOCKA_LIBS)
t_unit_nldev_SOURCES = t/unit/nldev.c
t_unit_nldev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_nldev_LDADD = libhf-shared.la libhf-test-tree.la libhf-test-fakenl.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/rtrs_chunks t/unit/rtrs_connect t/unit/rtrs_info t/unit/rtrs_handshake t/unit/rtrs_rnbd t/unit/rtrs_request t/unit/rtrs_paths t/unit/rtrs_model t/unit/rtrs_client t/unit/rtrs_server t/unit/rtrs_server_requests t/unit/rtrs_rnbd_server
TESTS += t/unit/rtrs_chunks t/unit/rtrs_connect t/unit/rtrs_info t/unit/rtrs_handshake t/unit/rtrs_rnbd t/unit/rtrs_request t/unit/rtrs_paths t/unit/rtrs_model t/unit/rtrs_client t/unit/rtrs_server t/unit/rtrs_server_requests t/unit/rtrs_rnbd_server
check_PROGRAMS += t/unit/rtrs_stream t/unit/rtrs_hostile t/unit/rtrs_library t/unit/rtrs_kill t/unit/rtrs_sim
TESTS += t/unit/rtrs_stream t/unit/rtrs_hostile t/unit/rtrs_library t/unit/rtrs_kill t/unit/rtrs_sim
check_PROGRAMS += t/unit/rtrs_fault t/unit/rtrs_torture
TESTS += t/unit/rtrs_fault t/unit/rtrs_torture
t_unit_rtrs_torture_SOURCES = t/unit/rtrs_torture.c t/unit/rtrs_disk.c t/unit/rtrs_disk.h
t_unit_rtrs_torture_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_torture_LDADD = librtrs-lib.la $(CMOCKA_LIBS)
t_unit_rtrs_fault_SOURCES = t/unit/rtrs_fault.c t/lib/rtrs_fails.c t/lib/rtrs_fails.h
t_unit_rtrs_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_fault_LDADD = librtrs-lib.la $(CMOCKA_LIBS)
wrap = -Wl,--wrap=
rtrs_fault_wraps = $(wrap)malloc $(wrap)calloc $(wrap)reallocarray $(wrap)mmap \
	$(wrap)socket $(wrap)bind $(wrap)listen $(wrap)connect $(wrap)accept4 $(wrap)setsockopt \
	$(wrap)getsockopt $(wrap)epoll_create1 $(wrap)epoll_ctl $(wrap)eventfd $(wrap)timerfd_create \
	$(wrap)getrandom $(wrap)readv $(wrap)sendmsg $(wrap)flock $(wrap)fstat $(wrap)lstat \
	$(wrap)getsockname $(wrap)getpeername $(wrap)recv $(wrap)send $(wrap)epoll_wait
t_unit_rtrs_fault_LDFLAGS = $(AM_LDFLAGS) $(rtrs_fault_wraps)
t_unit_rtrs_sim_SOURCES = t/unit/rtrs_sim.c t/unit/rtrs_sim_bed.c t/unit/rtrs_sim_bed.h
t_unit_rtrs_sim_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_sim_LDADD = librtrs-lib.la librtrs-sim.la $(CMOCKA_LIBS)
t_unit_rtrs_hostile_SOURCES = t/unit/rtrs_hostile.c
t_unit_rtrs_hostile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_hostile_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/rtrs_control
TESTS += t/unit/rtrs_control
t_unit_rtrs_control_SOURCES = t/unit/rtrs_control.c t/unit/rtrs_disk.c t/unit/rtrs_disk.h
t_unit_rtrs_control_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_control_LDADD = librtrs-lib.la librtrs-control.la $(CMOCKA_LIBS)
t_unit_rtrs_kill_SOURCES = t/unit/rtrs_kill.c t/unit/rtrs_disk.c t/unit/rtrs_disk.h t/lib/rtrs_modules.c
t_unit_rtrs_kill_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=dlopen
t_unit_rtrs_kill_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_kill_LDADD = librtrs-lib.la $(CMOCKA_LIBS)
t_unit_rtrs_library_SOURCES = t/unit/rtrs_library.c t/unit/rtrs_disk.c t/unit/rtrs_disk.h t/lib/rtrs_modules.c
t_unit_rtrs_library_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=dlopen
t_unit_rtrs_library_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_library_LDADD = librtrs-lib.la $(CMOCKA_LIBS)
t_unit_rtrs_chunks_SOURCES = t/unit/rtrs_chunks.c
t_unit_rtrs_chunks_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_chunks_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_client_SOURCES = t/unit/rtrs_client.c
t_unit_rtrs_client_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_client_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_server_SOURCES = t/unit/rtrs_server.c t/unit/rtrs_server_bed.c t/unit/rtrs_server_bed.h
t_unit_rtrs_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_server_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_server_requests_SOURCES = t/unit/rtrs_server_requests.c t/unit/rtrs_server_bed.c t/unit/rtrs_server_bed.h
t_unit_rtrs_server_requests_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_server_requests_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_model_SOURCES = t/unit/rtrs_model.c t/unit/rtrs_world.c t/unit/rtrs_world.h \
	t/unit/rtrs_world_internal.h t/unit/rtrs_world_server.c
t_unit_rtrs_model_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_model_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_paths_SOURCES = t/unit/rtrs_paths.c
t_unit_rtrs_paths_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_paths_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_connect_SOURCES = t/unit/rtrs_connect.c
t_unit_rtrs_connect_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_connect_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_handshake_SOURCES = t/unit/rtrs_handshake.c
t_unit_rtrs_handshake_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_handshake_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_rnbd_SOURCES = t/unit/rtrs_rnbd.c
t_unit_rtrs_rnbd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_rnbd_LDADD = librtrs-rnbd.la librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_rnbd_server_SOURCES = t/unit/rtrs_rnbd_server.c
t_unit_rtrs_rnbd_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_rnbd_server_LDADD = librtrs-rnbd.la librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_info_SOURCES = t/unit/rtrs_info.c
t_unit_rtrs_info_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_info_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_stream_SOURCES = t/unit/rtrs_stream.c
t_unit_rtrs_stream_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_stream_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
t_unit_rtrs_request_SOURCES = t/unit/rtrs_request.c
t_unit_rtrs_request_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_request_LDADD = librtrs-internal.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/uroce_packets t/unit/uroce_limits t/unit/uroce_responder t/unit/uroce_requester t/unit/uroce_link
TESTS += t/unit/uroce_packets t/unit/uroce_limits t/unit/uroce_responder t/unit/uroce_requester t/unit/uroce_link
t_unit_uroce_limits_SOURCES = t/unit/uroce_limits.c t/unit/uroce_bed.c t/unit/uroce_bed.h
t_unit_uroce_limits_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_limits_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
t_unit_uroce_responder_SOURCES = t/unit/uroce_responder.c t/unit/uroce_bed.c t/unit/uroce_bed.h
t_unit_uroce_responder_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_responder_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
t_unit_uroce_requester_SOURCES = t/unit/uroce_requester.c t/unit/uroce_bed.c t/unit/uroce_bed.h
t_unit_uroce_requester_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_requester_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
t_unit_uroce_link_SOURCES = t/unit/uroce_link.c t/unit/uroce_bed.c t/unit/uroce_bed.h
t_unit_uroce_link_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_link_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
t_unit_uroce_packets_SOURCES = t/unit/uroce_packets.c
t_unit_uroce_packets_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_packets_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
check_PROGRAMS += t/unit/uroce_pacer
TESTS += t/unit/uroce_pacer
t_unit_uroce_pacer_SOURCES = t/unit/uroce_pacer.c providers/uroce/wire_pacer.c providers/uroce/wire/socket.c
t_unit_uroce_pacer_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_uroce_pacer_LDADD = liburoce-transport.la $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += t/unit/rtrs_directory t/unit/rtrs_pattern t/unit/rtrs_volume
TESTS += t/unit/rtrs_directory t/unit/rtrs_pattern t/unit/rtrs_volume
t_unit_rtrs_directory_SOURCES = t/unit/rtrs_directory.c
t_unit_rtrs_directory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_directory_LDADD = librtrs-export.la $(CMOCKA_LIBS)
t_unit_rtrs_pattern_SOURCES = t/unit/rtrs_pattern.c rtrs/blk/pattern.c rtrs/blk/pattern.h shared/text.c shared/text.h
t_unit_rtrs_pattern_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_pattern_LDADD = $(CMOCKA_LIBS)
t_unit_rtrs_volume_SOURCES = t/unit/rtrs_volume.c
t_unit_rtrs_volume_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_volume_LDADD = librtrs-export.la librtrs-blocks.la librtrs-lib.la $(CMOCKA_LIBS)

check_PROGRAMS += t/unit/rtrs_calls
TESTS += t/unit/rtrs_calls
t_unit_rtrs_calls_SOURCES = t/unit/rtrs_calls.c
t_unit_rtrs_calls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_unit_rtrs_calls_LDADD = librtrs-lib.la $(CMOCKA_LIBS)
t_unit_rtrs_calls_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=epoll_wait -Wl,--wrap=readv -Wl,--wrap=sendmsg \
	-Wl,--wrap=read -Wl,--wrap=write
endif
