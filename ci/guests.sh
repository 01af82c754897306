# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the two tiers with guests share.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

guests()
{
	local test

	gcc_build
	step fetch 900 "$src/t/vm/fetch" --kernel "$1" || exit 0
	step programs 300 make check-vm-programs || exit 0
	patient=1
	for test in $(make_variable VM_TESTS); do
		# Each script says in itself how long its guest may run.
		step "${test##*/}" 900 "$src/t/vm/run" --kernel "$1" --builddir "$PWD" "$src/$test"
	done
	exit 0
}
