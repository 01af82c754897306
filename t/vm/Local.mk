# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Tests on a real kernel: `make check-vm`, for the other kernel `make check-vm KERNEL=6.12`.
# Not part of `make check`: they download a kernel and take minutes.
KERNEL = 6.1

VM_TESTS = \
	t/vm/boot-smoke

dist_noinst_SCRIPTS += $(VM_TESTS) t/vm/demo t/vm/fetch t/vm/run t/vm/selftest
dist_noinst_DATA += t/vm/common.sh t/vm/guest t/vm/init t/vm/lib.sh

.PHONY: check-vm check-vm-selftest
check-vm: all
	@failed=; for test in $(VM_TESTS); do \
		echo "== $$test, kernel $(KERNEL)"; \
		bash $(srcdir)/t/vm/run --kernel $(KERNEL) --builddir . $(srcdir)/$$test || \
			failed="$$failed $$test"; \
	done; \
	if [ -n "$$failed" ]; then echo "check-vm failed:$$failed"; exit 1; fi

check-vm-selftest:
	bash $(srcdir)/t/vm/selftest
