# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the two tiers with guests share.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# guests KERNEL [TEST...]: all guest scripts but those named.
guests()
{
	local kernel=$1 test name

	shift

	gcc_build
	step fetch 900 "$src/t/vm/fetch" --kernel "$kernel" || exit 0
	# For the guests that boot a root of their own. Where it cannot be made they say so, too.
	[ "$kernel" != 6.1 ] || step root 900 "$src/t/vm/fetch" --root || :
	step vm-programs 300 make check-vm-programs || exit 0
	[ "$kernel" != 6.1 ] || step initrd 600 "$src/t/vm/initrd" || :
	patient=1
	for test in $(make_variable VM_TESTS); do
		name=${test##*/}
		case " $* " in
		*" $name "*) continue ;;
		esac
		# Each script says in itself how long its guest may run.
		step "$name" 900 "$src/t/vm/run" --kernel "$kernel" --env VM_ROUNDS=20 --builddir "$PWD" "$src/$test"
	done
	exit 0
}
