# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # $work, $tested and $hang_seconds
# Runs a command and checks what it says. The script that takes this sets $work, and $tested to the name of the variable
# that has the path of the command; $hang_seconds is from tree.sh.
checks=0

fail()
{
	local file

	echo "FAIL: $*"
	for file in "$work/out" "$work/err"; do
		[ ! -s "$file" ] || sed "s,^,  ${file##*/}: ," "$file"
	done
	exit 1
}

# run STATUS WORD...: runs the command, which must end with that status; output in $work/out and $work/err.
run()
{
	local wanted=$1 status
	shift
	timeout -k 5 "$hang_seconds" "${!tested}" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ $status -eq "$wanted" ] || fail "$tested $*: status $status, wanted $wanted"
	checks=$((checks + 1))
}

# says TEXT, complains TEXT: the last output, or error output, contains it. never TEXT: the output does not.
says()
{
	grep -qF -e "$1" "$work/out" || fail "no \"$1\" in the output"
	checks=$((checks + 1))
}

complains()
{
	grep -qF -e "$1" "$work/err" || fail "no \"$1\" in the error output"
	checks=$((checks + 1))
}

never()
{
	! grep -qF -e "$1" "$work/out" || fail "\"$1\" is in the output"
	checks=$((checks + 1))
}
