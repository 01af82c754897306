# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Shared by the tests of the packages. They work in the current directory: `build` leaves the packages in
# ./debs, the others read them there.
set -u
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
PATH=$PATH:/usr/sbin:/sbin
top_srcdir=$(cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
debs=$PWD/debs
# For the tests. Each sets $work to its own directory.
checks=0 failures=0 cache=${HOLDFAST_VM_CACHE:-$top_srcdir/.cache}
: "$failures" "$cache" "${work=}"

need()
{
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		echo "$program is not installed"
		exit 77
	done
}

# check WHAT COMMAND...: reports whether the command succeeds.
check()
{
	local what=$1
	shift
	checks=$((checks + 1))
	if "$@" >"$work/check" 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what: $*"
		cat "$work/check"
		failures=$((failures + 1))
	fi
}

# deb NAME: prints the file of a package.
deb()
{
	local file=("$debs/$1"_*.deb)

	[ -e "${file[0]}" ] || { echo "there is no $1_*.deb in $debs" >&2; exit 1; }
	echo "${file[0]}"
}

# as_root SCRIPT ARGUMENT...: runs the script again in its own mount namespace, as root or as root of a user namespace.
as_root()
{
	local ids=()

	[ "${HF_AS_ROOT-}" != yes ] || return 0
	need unshare
	[ "$(id -u)" = 0 ] || ids=(--user --map-root-user --map-auto)
	unshare "${ids[@]}" --mount chroot / true 2>/dev/null || {
		echo "cannot change the root directory: neither root nor a user with subordinate ids"
		exit 77
	}
	HF_AS_ROOT=yes exec unshare "${ids[@]}" --mount --pid --fork --kill-child "$@"
}
