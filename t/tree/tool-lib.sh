# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Shared by the tests of the holdfast command: a tree, the providers that were built, and checks.
# shellcheck source-path=SCRIPTDIR source=tree.sh
. "$(dirname "${BASH_SOURCE[0]}")/tree.sh"
# shellcheck source-path=SCRIPTDIR source=check-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/check-lib.sh"

top_builddir=$(cd "${top_builddir:-.}" && pwd)
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
# shellcheck disable=SC2034 # for check-lib.sh, by name
holdfast=$top_builddir/tools/holdfast tested=holdfast
work=$(mktemp -d) || exit 1
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
