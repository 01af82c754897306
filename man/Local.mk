# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
dist_man_MANS += \
	man/holdfast.1 \
	man/holdfast-address.3 \
	man/holdfast-context.3 \
	man/holdfast-device.3 \
	man/holdfast-later.3 \
	man/holdfast-memory.3 \
	man/holdfast-provider-list.3 \
	man/holdfast-queues.3 \
	man/holdfast-reason.3 \
	man/holdfast-stream.3 \
	man/holdfast-verbs.3 \
	man/rtrs-blk.1 \
	man/rtrs-client.3 \
	man/rtrs-server.3 \
	man/rtrs.7 \
	man/rtrsctl.1 \
	man/holdfast.7 \
	man/holdfast-hotplug.7 \
	man/holdfast-json.7 \
	man/holdfast-names.7 \
	man/holdfast-provider.7 \
	man/holdfast-provider-events.7 \
	man/holdfast-provider-later.7 \
	man/holdfast-provider-memory.7 \
	man/holdfast-provider-queues.7 \
	man/holdfast-provider-steering.7 \
	man/holdfast-roots.7 \
	man/libholdfast-compat.7 \
	man/uroce.7
if HAVE_FUSE
dist_man_MANS += man/rtrsfs.8
else
EXTRA_DIST += man/rtrsfs.8
endif
# Not holdfast-names(7): the command, too, tells names.
if BOOT
dist_man_MANS += \
	man/holdfast-boot.7 \
	man/holdfast-services.7 \
	man/rdma-ndd.8 \
	man/rdma_rename.8
endif

if HAVE_NBDKIT
dist_man_MANS += man/nbdkit-rtrs-plugin.1
else
EXTRA_DIST += man/nbdkit-rtrs-plugin.1
endif

# So that man(1) finds a function: each is a line that leads to its page. None for ibv_*, whose pages
# belong to libibverbs.
man_links = \
	man/hf_new.3 \
	man/hf_default.3 \
	man/hf_ref.3 \
	man/hf_unref.3 \
	man/hf_version.3 \
	man/hf_reason_name.3 \
	man/hf_device_list.3 \
	man/hf_device_list_free.3 \
	man/hf_device_by_name.3 \
	man/hf_device_ref.3 \
	man/hf_device_unref.3 \
	man/hf_device_generation.3 \
	man/hf_device_is_gone.3 \
	man/hf_device_get_info.3 \
	man/hf_device_name.3 \
	man/hf_device_read_attr.3 \
	man/hf_device_write_attr.3 \
	man/hf_device_get_port.3 \
	man/hf_device_get_gids.3 \
	man/hf_device_open.3 \
	man/hf_device_close.3 \
	man/hf_stream_new.3 \
	man/hf_stream_fd.3 \
	man/hf_stream_next.3 \
	man/hf_stream_unref.3 \
	man/hf_event_type.3 \
	man/hf_event_changes.3 \
	man/hf_event_device.3 \
	man/hf_event_name.3 \
	man/hf_event_generation.3 \
	man/hf_event_sequence.3 \
	man/hf_event_type_name.3 \
	man/hf_event_unref.3 \
	man/hf_provider_list.3 \
	man/rtrs_version.3 \
	man/rtrs_session_open.3 \
	man/rtrs_session_close.3 \
	man/rtrs_session_fd.3 \
	man/rtrs_session_dispatch.3 \
	man/rtrs_session_run.3 \
	man/rtrs_session_add_path.3 \
	man/rtrs_session_disconnect_path.3 \
	man/rtrs_session_reconnect_path.3 \
	man/rtrs_session_remove_path.3 \
	man/rtrs_session_set_policy.3 \
	man/rtrs_session_path_info.3 \
	man/rtrs_session_limits.3 \
	man/rtrs_session_completion.3 \
	man/rtrs_permit_get.3 \
	man/rtrs_permit_put.3 \
	man/rtrs_read.3 \
	man/rtrs_write.3 \
	man/rtrs_service_open.3 \
	man/rtrs_service_close.3 \
	man/rtrs_service_listen.3 \
	man/rtrs_service_fd.3 \
	man/rtrs_service_dispatch.3 \
	man/rtrs_service_run.3 \
	man/rtrs_service_disconnect.3 \
	man/rtrs_job_is_read.3 \
	man/rtrs_job_session.3 \
	man/rtrs_job_data.3 \
	man/rtrs_job_header.3 \
	man/rtrs_job_answer.3
nodist_man_MANS = $(man_links)
CLEANFILES += $(man_links)

$(man_links): man/Local.mk
	$(AM_V_GEN)$(MKDIR_P) man; name=`basename $@ .3`; \
	page=`cd $(srcdir)/man && grep -lx "\.Nm $$name\( ,\)*" *.3`; \
	test -n "$$page" && echo ".so man3/$$page" >$@

EXTRA_DIST += man/libibverbs.pages
TESTS += man/lint man/lint-self
dist_check_SCRIPTS += man/lint man/lint-self
