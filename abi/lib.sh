# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# How the ABI is recorded and compared: in one place, so that both see the same.

set -u
export LC_ALL=C.UTF-8
top_srcdir=$(cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
# Each library that was built, and what is recorded of it.
# shellcheck disable=SC2034 # for the scripts
libraries=("$top_builddir/.libs/libholdfast.so" "$top_builddir/compat/.libs/libibverbs.so.1")
# shellcheck disable=SC2034
baselines=("$top_srcdir/abi/baseline/libholdfast-0.1.abi" "$top_srcdir/abi/baseline/libibverbs-1.14.abi")

for program in abidw abidiff; do
	command -v $program >/dev/null || { echo "$program is not installed (abigail-tools)"; exit 77; }
done

# record LIBRARY OUT: only what the installed headers say, and nothing of where it was built.
record()
{
	abidw --suppressions "$top_srcdir/abi/public-types.ini" \
		--drop-undefined-syms --exported-interfaces-only \
		--no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
		--no-architecture --type-id-style hash --out-file "$2" "$1" &&
		sed -Ei "s,path='[^']*/(core|compat)/,path='\\1/," "$2"
}

# compare OLD NEW: both recorded. Symbols and enumerators may be added; anything else fails.
compare()
{
	abidiff --no-added-syms "$1" "$2"
}
