# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Records and compares the ABI, for abi/check, abi/check-self and abi/record.

set -u
export LC_ALL=C.UTF-8
top_srcdir=$(cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
# The built libraries, and the recorded ABI of each.
# shellcheck disable=SC2034 # for the scripts
libraries=("$top_builddir/.libs/libholdfast.so" "$top_builddir/compat/.libs/libibverbs.so.1"
	"$top_builddir/.libs/librtrs.so")
# shellcheck disable=SC2034
baselines=("$top_srcdir/abi/baseline/libholdfast-0.1.abi" "$top_srcdir/abi/baseline/libibverbs-1.14.abi"
	"$top_srcdir/abi/baseline/librtrs-0.1.abi")

for program in abidw abidiff; do
	command -v $program >/dev/null || { echo "$program is not installed (abigail-tools)"; exit 77; }
done

# record LIBRARY OUT: records the types of installed headers only, and no paths of the build.
record()
{
	abidw --suppressions "$top_srcdir/abi/public-types.ini" \
		--drop-undefined-syms --exported-interfaces-only \
		--no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
		--no-architecture --type-id-style hash --out-file "$2" "$1" &&
		sed -Ei "s,path='[^']*/(core|compat|rtrs)/,path='\\1/," "$2"
}

# compare OLD NEW: compares two records. Added symbols and enumerators pass; any other change fails.
compare()
{
	abidiff --no-added-syms "$1" "$2"
}
