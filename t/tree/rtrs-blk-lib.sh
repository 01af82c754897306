# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the tests of block devices over RTRS share: a server of files in $files, and relays before it.
set -u
builddir=$(cd "${top_builddir:-.}" && pwd)
blk=$builddir/rtrs/rtrs-blk
work=$(mktemp -d) || exit 1
files=$work/files
pids=()
trap '[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$work"' EXIT
mkdir "$files"

fail()
{
	echo "FAIL: $*"
	tail -n 20 "$work"/*.log
	exit 1
}

# until COMMAND...: as long as what it waits for can come.
until_ok()
{
	until "$@"; do
		kill -0 "${pids[@]}" 2>/dev/null || fail "a process has ended before: $*"
		sleep 0.02
	done
}

# serve NAME OPTION...: listens at $work/NAME and $work/NAME.2
serve()
{
	local name=$1

	shift
	"$blk" serve "$@" "unix:$work/$name" "unix:$work/$name.2" >"$work/$name.log" 2>&1 &
	pids+=($!)
	# shellcheck disable=SC2034 # the tests stop it
	server=$!
	until_ok grep -qs '^serving' "$work/$name.log"
}

# relay NAME TO BYTES: cuts all connections each time that it has passed on so much.
relay()
{
	"$builddir/t/tree/rtrs-relay" "$work/$1" "$work/$2" "$3" >"$work/$1.log" &
	pids+=($!)
	until_ok test -S "$work/$1"
}

# stop PID: it ends well.
stop()
{
	local pid rest=()

	kill -TERM "$1"
	wait "$1" || fail "exit status of process $1: $?"
	for pid in "${pids[@]}"; do
		[ "$pid" = "$1" ] || rest+=("$pid")
	done
	pids=("${rest[@]}")
}
