# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A provider is a module NAME-hfN.so, where N is its private ABI, and a manifest.
provider_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(top_srcdir)/abi/maps/provider.map
provider_cppflags = $(AM_CPPFLAGS) -DPROVIDER_VERSION='"$(PACKAGE_VERSION)"'

provider_LTLIBRARIES += rxe-hf1.la siw-hf1.la uroce-hf1.la
dist_provider_DATA = providers/rxe/rxe.provider providers/siw/siw.provider providers/uroce/uroce.provider

provider_common = \
	providers/common/cq_ex.c \
	providers/common/cq_ex.h \
	providers/common/default_ops.c \
	providers/common/default_ops.h \
	providers/common/lock.h \
	providers/common/util.h

rxe_hf1_la_SOURCES = \
	providers/rxe/ah.c \
	providers/rxe/cq.c \
	providers/rxe/poll.c \
	providers/rxe/qp.c \
	providers/rxe/queue.c \
	providers/rxe/queue.h \
	providers/rxe/rq.c \
	providers/rxe/rxe.c \
	providers/rxe/rxe.h \
	providers/rxe/send.c \
	providers/rxe/srq.c \
	providers/rxe/wr.c \
	$(provider_common)
rxe_hf1_la_CPPFLAGS = $(provider_cppflags)
rxe_hf1_la_LDFLAGS = $(provider_ldflags)
rxe_hf1_la_LIBADD = libholdfast.la

siw_hf1_la_SOURCES = \
	providers/siw/array.c \
	providers/siw/cq.c \
	providers/siw/poll.c \
	providers/siw/qp.c \
	providers/siw/rq.c \
	providers/siw/send.c \
	providers/siw/siw.c \
	providers/siw/siw.h \
	providers/siw/wr.c \
	$(provider_common)
siw_hf1_la_CPPFLAGS = $(provider_cppflags)
siw_hf1_la_LDFLAGS = $(provider_ldflags)
siw_hf1_la_LIBADD = libholdfast.la

uroce_hf1_la_SOURCES = \
	providers/uroce/access.c \
	providers/uroce/complete.c \
	providers/uroce/copy.c \
	providers/uroce/cq.c \
	providers/uroce/counters.c \
	providers/uroce/create.c \
	providers/uroce/datagram.c \
	providers/uroce/direct.c \
	providers/uroce/engine.c \
	providers/uroce/flush.c \
	providers/uroce/gather.c \
	providers/uroce/heap.c \
	providers/uroce/key.c \
	providers/uroce/message.c \
	providers/uroce/modify.c \
	providers/uroce/mr.c \
	providers/uroce/mw.c \
	providers/uroce/multicast.c \
	providers/uroce/node.c \
	providers/uroce/path.c \
	providers/uroce/path.h \
	providers/uroce/payload.c \
	providers/uroce/pd.c \
	providers/uroce/peer.c \
	providers/uroce/poll.c \
	providers/uroce/qp.h \
	providers/uroce/query.c \
	providers/uroce/request.h \
	providers/uroce/request.h \
	providers/uroce/rq.c \
	providers/uroce/segment.h \
	providers/uroce/send.c \
	providers/uroce/shared_lock.c \
	providers/uroce/slot.c \
	providers/uroce/srq.c \
	providers/uroce/target.c \
	providers/uroce/uroce.c \
	providers/uroce/uroce.h \
	providers/uroce/visit.c \
	providers/uroce/watch.c \
	providers/uroce/wire.h \
	providers/uroce/wire/socket.c \
	providers/uroce/wire/socket.h \
	providers/uroce/wire_calls.c \
	providers/uroce/wire_context.c \
	providers/uroce/wire_inbox.c \
	providers/uroce/wire_inbox.h \
	providers/uroce/wire_pacer.c \
	providers/uroce/wire_pacer.h \
	providers/uroce/wire_path.c \
	providers/uroce/wire_receive.c \
	providers/uroce/wire_receive.h \
	providers/uroce/wr.c \
	providers/uroce/writes.c \
	$(provider_common)
uroce_hf1_la_CPPFLAGS = $(provider_cppflags)
uroce_hf1_la_LDFLAGS = $(provider_ldflags)
uroce_hf1_la_LIBADD = liburoce-transport.la libholdfast.la -lpthread

# Directories that are Holdfast's alone have this mode whatever the umask is: every user reads in them, and
# from one that every user could write nothing is loaded.
own_dirs_mode = for dir in '$(pkglibdir)' '$(providerdir)' '$(compatdir)' '$(pkglibexecdir)' '$(pkgdatadir)' \
		'$(pkgincludedir)' '$(provider_includedir)' '$(rtrsdir)' '$(rtrs_includedir)'; do \
		test ! -d "$(DESTDIR)$$dir" || chmod 755 "$(DESTDIR)$$dir" || exit 1; done
install-data-hook: own-data-dirs
own-data-dirs:
	@$(own_dirs_mode)
install-exec-hook: own-exec-dirs
own-exec-dirs:
	@$(own_dirs_mode)

# A provider directory like the installed one, for running from the build tree.
noinst_DATA += providers.d/stamp
providers.d/stamp: rxe-hf1.la siw-hf1.la uroce-hf1.la $(dist_provider_DATA)
	$(AM_V_GEN)rm -rf providers.d && $(MKDIR_P) providers.d && \
	cp .libs/rxe-hf1.so .libs/siw-hf1.so .libs/uroce-hf1.so providers.d && \
	cp $(srcdir)/providers/rxe/rxe.provider $(srcdir)/providers/siw/siw.provider \
		$(srcdir)/providers/uroce/uroce.provider providers.d && \
	chmod go-w providers.d providers.d/* && touch $@

clean-local: clean-providers
clean-providers:
	rm -rf providers.d

# RoCEv2 for software devices, as far as it needs no socket, thread or clock: for the provider and for tests.
noinst_LTLIBRARIES += liburoce-transport.la
liburoce_transport_la_SOURCES = \
	providers/uroce/wire/answer.c \
	providers/uroce/wire/answer.h \
	providers/uroce/wire/headers.c \
	providers/uroce/wire/headers.h \
	providers/uroce/wire/icrc.c \
	providers/uroce/wire/icrc.h \
	providers/uroce/wire/requester.c \
	providers/uroce/wire/requester.h \
	providers/uroce/wire/responder.c \
	providers/uroce/wire/responder.h \
	providers/uroce/wire/response.c \
	providers/uroce/wire/response.h \
	providers/uroce/wire/transport.c \
	providers/uroce/wire/transport.h \
	providers/uroce/wire/window.h
liburoce_transport_la_CFLAGS = $(AM_CFLAGS) $(CRC_CFLAGS)
liburoce_transport_la_LIBADD = $(CRC_LIBS)
