# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# RTRS. It stands on public headers and shared/ alone.
noinst_LTLIBRARIES += librtrs-internal.la
# Not all of shared/, which needs libmnl.
librtrs_internal_la_SOURCES = \
	rtrs/control/endpoint.c \
	rtrs/control/endpoint.h \
	rtrs/control/place.c \
	rtrs/control/place.h \
	rtrs/control/text.c \
	rtrs/control/text.h \
	rtrs/control/wire.c \
	rtrs/control/wire.h \
	rtrs/driver/server.c \
	rtrs/driver/server.h \
	rtrs/driver/server_internal.h \
	rtrs/driver/server_path.c \
	rtrs/driver/server_send.c \
	rtrs/engine/client.c \
	rtrs/engine/client.h \
	rtrs/engine/client_internal.h \
	rtrs/engine/client_requests.c \
	rtrs/engine/handshake.c \
	rtrs/engine/handshake.h \
	rtrs/engine/heartbeat.c \
	rtrs/engine/heartbeat.h \
	rtrs/engine/path_state.c \
	rtrs/engine/path_state.h \
	rtrs/engine/permits.c \
	rtrs/engine/permits.h \
	rtrs/engine/policy.c \
	rtrs/engine/policy.h \
	rtrs/engine/server.c \
	rtrs/engine/server.h \
	rtrs/engine/server_internal.h \
	rtrs/engine/server_requests.c \
	rtrs/engine/turns.c \
	rtrs/engine/turns.h \
	rtrs/link/link.h \
	rtrs/link/stream/connection.c \
	rtrs/link/stream/frame.c \
	rtrs/link/stream/frame.h \
	rtrs/link/stream/keys.c \
	rtrs/link/stream/link.c \
	rtrs/link/stream/listen.c \
	rtrs/link/stream/memory.c \
	rtrs/link/stream/private.h \
	rtrs/link/stream/receive.c \
	rtrs/link/stream/send.c \
	rtrs/link/stream/socket_file.c \
	rtrs/link/stream/stream.h \
	rtrs/protocol/connect.c \
	rtrs/protocol/connect.h \
	rtrs/protocol/fault.c \
	rtrs/protocol/fault.h \
	rtrs/protocol/geometry.c \
	rtrs/protocol/geometry.h \
	rtrs/protocol/imm.c \
	rtrs/protocol/imm.h \
	rtrs/protocol/info.c \
	rtrs/protocol/info.h \
	rtrs/protocol/le.h \
	rtrs/protocol/message_type.h \
	rtrs/protocol/request.c \
	rtrs/protocol/request.h \
	shared/file.c \
	shared/file.h \
	shared/runtime_dir.c \
	shared/runtime_dir.h \
	shared/text.c \
	shared/text.h \
	shared/userns.c \
	shared/userns.h

# What programs use, but for the link of verbs.
noinst_LTLIBRARIES += librtrs-lib.la
librtrs_lib_la_LIBADD = librtrs-internal.la
librtrs_lib_la_SOURCES = \
	rtrs/lib/address.c \
	rtrs/lib/address.h \
	rtrs/lib/client.c \
	rtrs/lib/client_internal.h \
	rtrs/lib/client_path.c \
	rtrs/lib/client_permits.c \
	rtrs/lib/client_send.c \
	rtrs/lib/control_attach.c \
	rtrs/lib/control_attach.h \
	rtrs/lib/control_client.c \
	rtrs/lib/control_server.c \
	rtrs/lib/control_tree.c \
	rtrs/lib/control_tree.h \
	rtrs/lib/devices.c \
	rtrs/lib/devices.h \
	rtrs/lib/ends.c \
	rtrs/lib/ends.h \
	rtrs/lib/links.c \
	rtrs/lib/links.h \
	rtrs/lib/server.c \
	rtrs/lib/server_internal.h \
	rtrs/lib/server_jobs.c \
	rtrs/lib/spare.c \
	rtrs/lib/spare.h \
	rtrs/lib/version.c \
	rtrs/lib/wait.c \
	rtrs/lib/wait.h

# For what is fuzzed without verbs, too.
noinst_LTLIBRARIES += librtrs-tcp-message.la
librtrs_tcp_message_la_SOURCES = rtrs/link/rdma/tcp_message.c rtrs/link/rdma/tcp_message.h

# The only part that uses verbs: those of libibverbs.so.1, whoever provides it.
noinst_LTLIBRARIES += librtrs-rdma.la
librtrs_rdma_la_LIBADD = librtrs-tcp-message.la -libverbs
librtrs_rdma_la_SOURCES = \
	rtrs/link/rdma/cm.h \
	rtrs/link/rdma/connection.c \
	rtrs/link/rdma/device.c \
	rtrs/link/rdma/kernel_cm.c \
	rtrs/link/rdma/link.c \
	rtrs/link/rdma/listen.c \
	rtrs/link/rdma/memory.c \
	rtrs/link/rdma/private.h \
	rtrs/link/rdma/rdma.h \
	rtrs/link/rdma/tcp_address.c \
	rtrs/link/rdma/tcp_cm.c \
	rtrs/link/rdma/tcp_internal.h \
	rtrs/link/rdma/tcp_events.c \
	rtrs/link/rdma/work.c

# For the tests: no program uses it.
check_LTLIBRARIES += librtrs-sim.la
librtrs_sim_la_SOURCES = \
	rtrs/link/sim/connect.c \
	rtrs/link/sim/keys.c \
	rtrs/link/sim/link.c \
	rtrs/link/sim/messages.c \
	rtrs/link/sim/private.h \
	rtrs/link/sim/time.c \
	rtrs/link/sim/sim.h

rtrs_includedir = $(includedir)/rtrs
rtrs_include_HEADERS = \
	include/rtrs/client.h \
	include/rtrs/rtrs.h \
	include/rtrs/server.h

lib_LTLIBRARIES += librtrs.la
librtrs_la_SOURCES =
librtrs_la_LIBADD = librtrs-lib.la
librtrs_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBRTRS_VERSION_INFO) -Wl,-Bsymbolic \
	-Wl,--version-script=$(top_srcdir)/abi/maps/librtrs.map
EXTRA_librtrs_la_DEPENDENCIES = $(top_srcdir)/abi/maps/librtrs.map

# The library loads it for an address of RDMA.
rtrsdir = $(pkglibdir)/rtrs
rtrs_LTLIBRARIES = rtrs-rdma.la rtrs-devices.la
rtrs_rdma_la_SOURCES = rtrs/rdma_module.c
rtrs_rdma_la_LIBADD = librtrs-rdma.la
rtrs_rdma_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared
# And this one while a path waits for its device.
rtrs_devices_la_SOURCES = rtrs/devices_module.c
rtrs_devices_la_LIBADD = libholdfast.la
rtrs_devices_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared

pkgconfig_DATA += rtrs/rtrs.pc
EXTRA_DIST += rtrs/rtrs.pc.in

# The control socket's other end, and the programs that use it.
noinst_LTLIBRARIES += librtrs-control.la
librtrs_control_la_LIBADD = libhf-shared.la
librtrs_control_la_SOURCES = \
	rtrs/control/place.c \
	rtrs/control/place.h \
	rtrs/control/query.c \
	rtrs/control/query.h \
	rtrs/control/wire.c \
	rtrs/control/wire.h

bin_PROGRAMS += rtrsctl
rtrsctl_CFLAGS = $(AM_CFLAGS) $(SMARTCOLS_CFLAGS)
rtrsctl_LDADD = librtrs-control.la $(SMARTCOLS_LIBS)
rtrsctl_SOURCES = \
	rtrs/tools/ctl.h \
	rtrs/tools/ctl_commands.c \
	rtrs/tools/ctl_find.c \
	rtrs/tools/print.c \
	rtrs/tools/print.h \
	rtrs/tools/rtrsctl.c \
	rtrs/tools/sessions.c \
	rtrs/tools/sessions.h \
	rtrs/tools/tool.c \
	rtrs/tools/tool.h \
	rtrs/tools/top.c \
	rtrs/tools/top.h

if HAVE_FUSE
sbin_PROGRAMS += rtrsfs
endif
rtrsfs_CFLAGS = $(AM_CFLAGS) $(FUSE_CFLAGS)
rtrsfs_LDADD = librtrs-control.la librtrs-blocks.la librtrs.la $(FUSE_LIBS)
rtrsfs_SOURCES = \
	rtrs/tools/device_files.c \
	rtrs/tools/device_files.h \
	rtrs/tools/map.c \
	rtrs/tools/map.h \
	rtrs/tools/map_words.c \
	rtrs/tools/rtrsfs.c \
	rtrs/tools/tool.c \
	rtrs/tools/tool.h \
	rtrs/tools/tree.c \
	rtrs/tools/tree_internal.h \
	rtrs/tools/tree_process.c \
	rtrs/tools/tree.h

# Blocks over the library, which itself knows nothing of them.
noinst_LTLIBRARIES += librtrs-rnbd.la
librtrs_rnbd_la_SOURCES = \
	rtrs/rnbd/message.c \
	rtrs/rnbd/message.h \
	rtrs/rnbd/server.c \
	rtrs/rnbd/server.h

# A control socket for what stands on the library.
noinst_LTLIBRARIES += librtrs-endpoint.la
librtrs_endpoint_la_SOURCES = \
	rtrs/control/endpoint.c \
	rtrs/control/endpoint.h \
	rtrs/control/place.c \
	rtrs/control/place.h \
	rtrs/control/text.c \
	rtrs/control/text.h \
	rtrs/control/thread.c \
	rtrs/control/thread.h \
	rtrs/control/visit.c \
	rtrs/control/visit.h \
	rtrs/control/wire.c \
	rtrs/control/wire.h \
	shared/file.c \
	shared/file.h \
	shared/runtime_dir.c \
	shared/runtime_dir.h \
	shared/text.c \
	shared/text.h \
	shared/userns.c \
	shared/userns.h

noinst_LTLIBRARIES += librtrs-blocks.la
librtrs_blocks_la_LIBADD = librtrs-rnbd.la librtrs-endpoint.la
librtrs_blocks_la_SOURCES = \
	rtrs/blocks/volume_control.c \
	rtrs/blocks/volume_device.c \
	rtrs/blocks/volume_keeper.c \
	rtrs/blocks/volume_request.c \
	rtrs/blocks/volume_session.c \
	rtrs/blocks/volume.c \
	rtrs/blocks/volume.h \
	rtrs/blocks/volume_internal.h

noinst_LTLIBRARIES += librtrs-export.la
librtrs_export_la_CFLAGS = $(AM_CFLAGS) $(NBD_CFLAGS)
librtrs_export_la_LIBADD = librtrs-rnbd.la librtrs-endpoint.la $(NBD_LIBS)
librtrs_export_la_SOURCES = \
	rtrs/export/backing.h \
	rtrs/export/directory.c \
	rtrs/export/directory.h \
	rtrs/export/file.c \
	rtrs/export/memory.c \
	rtrs/export/pool.c \
	rtrs/export/pool.h \
	rtrs/export/service.c \
	rtrs/export/service.h \
	rtrs/export/service_control.c \
	rtrs/export/service_internal.h
if HAVE_LIBNBD
librtrs_export_la_SOURCES += rtrs/export/nbd.c
else
librtrs_export_la_SOURCES += rtrs/export/no_nbd.c
endif
EXTRA_DIST += rtrs/export/nbd.c rtrs/export/no_nbd.c

bin_PROGRAMS += rtrs/rtrs-blk
rtrs_rtrs_blk_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
rtrs_rtrs_blk_LDADD = librtrs-export.la librtrs-blocks.la librtrs.la $(SYSTEMD_LIBS)
rtrs_rtrs_blk_SOURCES = \
	rtrs/blk/bench.c \
	rtrs/blk/blk.h \
	rtrs/blk/copy.c \
	rtrs/blk/info.c \
	rtrs/blk/main.c \
	rtrs/blk/open.c \
	rtrs/blk/options.c \
	rtrs/blk/pattern.c \
	rtrs/blk/pattern.h \
	rtrs/blk/progress.c \
	rtrs/blk/report.c \
	rtrs/blk/report.h \
	rtrs/blk/serve.c \
	rtrs/blk/size.c \
	shared/json.c \
	shared/json.h \
	shared/printed.c \
	shared/printed.h

# nbdkit itself has the functions that a plug-in calls.
if HAVE_NBDKIT
nbdkitplugin_LTLIBRARIES = nbdkit-rtrs-plugin.la
nbdkit_rtrs_plugin_la_CFLAGS = $(AM_CFLAGS) $(NBDKIT_CFLAGS)
nbdkit_rtrs_plugin_la_LIBADD = librtrs-blocks.la librtrs.la
nbdkit_rtrs_plugin_la_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,undefs -module -avoid-version -shared
nbdkit_rtrs_plugin_la_SOURCES = rtrs/nbdkit/plugin.c
endif
EXTRA_DIST += rtrs/nbdkit/plugin.c
