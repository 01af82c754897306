# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Benchmarks. The probe is not linked to the libraries it measures: it loads them with dlopen().
check_PROGRAMS += t/bench/bench t/bench/counts t/bench/probe
TESTS += t/bench/counts

bench_common = \
	t/bench/figures.c \
	t/bench/figures.h \
	t/bench/place.c \
	t/bench/place.h \
	t/bench/trace.c \
	t/bench/trace.h
t_bench_bench_SOURCES = t/bench/bench.c t/bench/growth.c t/bench/growth.h t/bench/report.c \
	t/bench/report.h t/bench/starts.c t/bench/starts.h $(bench_common)
t_bench_bench_LDADD = libhf-test-tree.la
t_bench_counts_SOURCES = t/bench/counts.c $(bench_common)
t_bench_counts_LDADD = libhf-test-tree.la
t_bench_probe_SOURCES = t/bench/probe.c t/bench/bare.c t/bench/bare.h t/bench/delay.c \
	t/bench/delay.h t/bench/trace.h
t_bench_probe_LDADD = libhf-test-tree.la

BENCH_ROUNDS = 7
bench: all t/bench/bench t/bench/probe
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		t/bench/bench -r $(BENCH_ROUNDS) -o bench.json || test $$? = 77
.PHONY: bench
CLEANFILES += bench.json

# Blocks over RTRS beside NBD, on a socket.
bench-rtrs: all
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(srcdir)/t/bench/rtrs-nbd || test $$? = 77
.PHONY: bench-rtrs
dist_noinst_SCRIPTS += t/bench/rtrs-nbd

# The soft device beside sockets, process_vm, UCX and libfabric.
check_PROGRAMS += t/bench/uroce_bench
t_bench_uroce_bench_SOURCES = t/bench/uroce_bench.c t/bench/uroce_bench.h t/bench/uroce_plain.c \
	t/bench/uroce_plain.h t/bench/uroce_verbs.c t/bench/uroce_verbs.h
t_bench_uroce_bench_LDADD = libholdfast.la
bench-uroce: all t/bench/uroce_bench
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(srcdir)/t/bench/uroce || test $$? = 77
.PHONY: bench-uroce
dist_noinst_SCRIPTS += t/bench/uroce
