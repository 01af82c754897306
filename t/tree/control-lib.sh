# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Shared by the tests of rtrsctl and rtrsfs: processes with sessions, in a directory of control sockets of its own.
# shellcheck source-path=SCRIPTDIR source=tree.sh
. "$(dirname "${BASH_SOURCE[0]}")/tree.sh"
# shellcheck source-path=SCRIPTDIR source=check-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/check-lib.sh"

set -u
top_builddir=$(cd "${top_builddir:-.}" && pwd)
bed=$top_builddir/t/tree/control-bed
# shellcheck disable=SC2034 # for check-lib.sh, by name
rtrsctl=$top_builddir/rtrsctl tested=rtrsctl
work=$(mktemp -d) || exit 1
export HOLDFAST_RTRS_CONTROL=$work/control LC_ALL=C.UTF-8
mkdir -m 700 "$HOLDFAST_RTRS_CONTROL"
mounted=
pids=()
coprocs=0

# shellcheck disable=SC2317 # called by the trap
control_end()
{
	local pid
	[ -z "$mounted" ] || fusermount3 -u "$mounted" 2>/dev/null || umount -l "$mounted" 2>/dev/null
	for pid in "${pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "$work"
}
trap control_end EXIT

# start NAME OPTION...: a process, whose orders are said with `tell NAME`. Waits until it is ready.
declare -A input output pid_of
start()
{
	local name=$1 line in out
	shift
	coprocs=$((coprocs + 1))
	mkfifo "$work/in.$coprocs" "$work/out.$coprocs" || exit 1
	"$bed" "$@" <"$work/in.$coprocs" >"$work/out.$coprocs" &
	pid_of[$name]=$!
	pids+=($!)
	exec {in}>"$work/in.$coprocs" {out}<"$work/out.$coprocs"
	input[$name]=$in
	output[$name]=$out
	IFS= read -r -t "$hang_seconds" -u "$out" line || line="nothing"
	[ "$line" = ready ] || fail "$name says: $line"
}

# tell NAME ORDER [ANSWER]
tell()
{
	local line
	echo "$2" >&"${input[$1]}"
	IFS= read -r -t "$hang_seconds" -u "${output[$1]}" line || line="nothing"
	[ "$line" = "${3-ok}" ] || fail "$1: $2: $line"
}

# stop NAME: in order.
stop()
{
	echo quit >&"${input[$1]}"
	wait "${pid_of[$1]}" || fail "$1 ends with status $?"
}

is()
{
	[ "$1" = "$2" ] || fail "${3-}: \"$1\", expected \"$2\""
	checks=$((checks + 1))
}
