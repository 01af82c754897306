# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Libraries and providers for tests.
check_LTLIBRARIES += libhf-test-tree.la
libhf_test_tree_la_SOURCES = \
	t/lib/pci_tree.c \
	t/lib/pci_tree.h \
	t/lib/tree.c \
	t/lib/tree.h
libhf_test_tree_la_LIBADD = libhf-soft.la

check_LTLIBRARIES += libhf-test-asleep.la
libhf_test_asleep_la_SOURCES = t/lib/asleep.c t/lib/asleep.h t/lib/hang.h

# A provider that needs no kernel, in a directory like the installed one.
noinst_LTLIBRARIES += fake-hf1.la
fake_hf1_la_SOURCES = t/lib/fake/fake.c t/lib/fake/counters.h
fake_hf1_la_LDFLAGS = $(provider_ldflags) -rpath /nowhere
fake_hf1_la_LIBADD = libholdfast.la
EXTRA_DIST += t/lib/process.h t/lib/fake/fake.provider

noinst_DATA += t/providers.d/stamp
t/providers.d/stamp: fake-hf1.la t/lib/fake/fake.provider
	$(AM_V_GEN)rm -rf t/providers.d && $(MKDIR_P) t/providers.d && \
	cp .libs/fake-hf1.so $(srcdir)/t/lib/fake/fake.provider t/providers.d && \
	chmod go-w t/providers.d t/providers.d/* && touch $@

clean-local: clean-fake-provider
clean-fake-provider:
	rm -rf t/providers.d

# As a module for LD_PRELOAD, and as a library for tests to link.
check_LTLIBRARIES += t/lib/fakenl.la
t_lib_fakenl_la_SOURCES = t/lib/fakenl.c
t_lib_fakenl_la_LDFLAGS = $(AM_LDFLAGS) -module -shared -avoid-version -rpath /nowhere
check_LTLIBRARIES += libhf-test-fakenl.la
libhf_test_fakenl_la_SOURCES = t/lib/fakenl.c
