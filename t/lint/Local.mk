# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Reads the source without running it: `make lint`, or one of these by hand. Not part of `make check`.
# Those of BUILT_LINTS read the objects of a build as well.
LINTS = t/lint/spdx t/lint/shell t/lint/format t/lint/headers t/lint/names t/lint/names-self \
	t/lint/declarations t/lint/declarations-self t/lint/threads t/lint/cppcheck t/lint/tidy \
	t/lint/clocks t/lint/clocks-self
BUILT_LINTS = t/lint/walls t/lint/walls-self
EXTRA_DIST += t/.clang-tidy $(LINTS) $(BUILT_LINTS) t/lint/lib.sh t/lint/self.sh t/lint/rooms t/lint/symbols \
	t/lint/install t/lint/tarball

.PHONY: lint
lint:
	@failed=; for lint in $(LINTS) $(BUILT_LINTS); do \
		echo "== $$lint"; \
		top_builddir='$(abs_top_builddir)' $(srcdir)/$$lint || \
			{ test $$? = 77 || failed="$$failed $$lint"; }; \
	done; \
	if [ -n "$$failed" ]; then echo "lint failed:$$failed"; exit 1; fi
