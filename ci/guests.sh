# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the two tiers with guests share.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# One that only has to notice a guest that hangs; each script says in itself how long that may take.
guest_limit=3600

# Of the scripts below t/vm, those that want hardware of their own, another root or another clock.
wants_own_guest()
{
	sed -n '2,9s/^# vm: //p' "$1" | grep -q -e '--\(boot\|icount\|monitor\)' || grep -q '^# qemu: ' "$1"
}

# set_vm_run KERNEL: the command that runs a script of t/vm, in vm_run.
set_vm_run()
{
	vm_run=("$src/t/vm/run" --kernel "$1" --builddir "$PWD")
	[ "$long" = 0 ] || vm_run+=(--long)
}

# in_one_guest TEST...: in this order. What comes after one that fails has another guest, and what has
# failed one for itself.
in_one_guest()
{
	local word name status seconds cpu ended again=() todo=("$@")

	if [ -n "$HOLDFAST_CI_PLAN" ]; then
		for name in "${todo[@]##*/}"; do
			record pass "$name"
		done
		return
	fi
	while [ ${#todo[@]} -gt 0 ]; do
		say "$tier: a guest for ${todo[*]##*/}"
		ended=0
		while read -r word name status seconds cpu; do
			case $word:$status in
			begin:)
				say "$tier: $name ..."
				continue
				;;
			end:0 | end:77) conclude "$name" "$status" "$seconds" "$cpu" || : ;;
			end:*)
				say "$tier: $name: FAILED with status $status, once more (its log: $dir/$name.first.log)"
				cat "$dir/shared.log" >>"$dir/$name.log"
				mv "$dir/$name.log" "$dir/$name.first.log"
				again+=("${todo[ended]}")
				;;
			esac
			ended=$((ended + 1))
		done < <("${vm_run[@]}" --each "$dir" "${todo[@]}" </dev/null 2>"$dir/shared.log")
		# Not even the first one was begun.
		if [ $ended = 0 ]; then
			show_tail guest "$dir/shared.log"
			again+=("${todo[0]}")
			ended=1
		fi
		todo=("${todo[@]:ended}")
	done
	for name in "${again[@]}"; do
		step "${name##*/}" $guest_limit "${vm_run[@]}" "$name" || :
	done
}

# guests KERNEL [TEST...]: all guest scripts but those named.
guests()
{
	local kernel=$1 test alone=() shared=() vm_run
	local without=" ${*:2} "

	gcc_build
	step fetch 1800 "$src/t/vm/fetch" --kernel "$kernel" --siw --rtrs --plug || exit 0
	# For the guests that boot a root of their own. Where it cannot be made they say so, too.
	[ "$kernel" != 6.1 ] || step root 1800 "$src/t/vm/fetch" --root || :
	for test in $(make_variable VM_TESTS); do
		case $without in
		*" ${test##*/} "*) continue ;;
		esac
		if wants_own_guest "$src/$test"; then
			alone+=("$src/$test")
		else
			shared+=("$src/$test")
		fi
	done
	set_vm_run "$kernel"
	patient=1
	# The initrd first: it has a kernel and a root, and builds on nothing of what comes after.
	[ "$kernel" != 6.1 ] || step initrd 1800 "$src/t/vm/initrd" || :
	in_one_guest "${shared[@]}"
	for test in "${alone[@]}"; do
		step "${test##*/}" $guest_limit "${vm_run[@]}" "$test"
	done
	if [ "$kernel" = 6.1 ] && in_long selftest speed first-list rnbd-files next-release newest-release foreign-next; then
		step selftest $guest_limit "$src/t/vm/selftest"
		step speed $guest_limit "${vm_run[@]}" "$src/t/vm/speed"
		step rnbd-files $guest_limit "${vm_run[@]}" --rtrs "$src/t/vm/rnbd-files"
		step first-list $guest_limit "${vm_run[@]}" --plug "$src/t/vm/first-list"
		step next-release 600 "$src/abi/next-release" "$dir/next" trixie || :
		step newest-release 600 "$src/abi/next-release" "$dir/newest" sid || :
		step foreign-next $guest_limit "${vm_run[@]}" "$src/t/vm/foreign-next" "$dir/next/root" "$dir/newest/root"
	fi
	exit 0
}
