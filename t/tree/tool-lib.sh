# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Shared by the tests of the holdfast command: a tree, the providers that were built, and checks.
# shellcheck source-path=SCRIPTDIR source=tree.sh
. "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

top_builddir=$(cd "${top_builddir:-.}" && pwd)
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
holdfast=$top_builddir/tools/holdfast
work=$(mktemp -d) || exit 1
checks=0
unset HOLDFAST_ROOTS HOLDFAST_LOG SYSFS_PATH NO_COLOR container
# Private copies: the library loads nothing that another user can write.
cp -r "$top_builddir/providers.d" "$work/providers.d" || exit 1
chmod -R go-w "$work/providers.d"
export HOLDFAST_PROVIDER_PATH=$work/providers.d LC_ALL=C.UTF-8
export HOLDFAST_DRIVER_CONFIG=off HOLDFAST_CACHE=off

# shellcheck disable=SC2317 # called by the trap
tool_end()
{
	local job
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null
	done
	rm -rf "$work"
}
trap tool_end EXIT

fail()
{
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
	timeout -k 5 "$hang_seconds" "$holdfast" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	[ $status -eq "$wanted" ] || fail "holdfast $*: status $status, wanted $wanted"
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

# matches REGEX: a complete line of the last output.
matches()
{
	grep -qE -e "^$1\$" "$work/out" || fail "no line \"$1\""
	checks=$((checks + 1))
}

# need_json: skips the test if jq is missing.
need_json()
{
	command -v jq >/dev/null || {
		echo "SKIP: no jq to read JSON with"
		exit 77
	}
}

# json_is FILTER WANTED: compares jq's results for the last output, one per line.
json_is()
{
	local got
	got=$(jq -c "$1" "$work/out" 2>&1) || fail "jq '$1': $got"
	[ "$got" = "$2" ] || fail "jq '$1': $got, wanted $2"
	checks=$((checks + 1))
}

# tool_done: prints the number of checks.
tool_done()
{
	echo "${0##*/}: $checks checks passed"
}
