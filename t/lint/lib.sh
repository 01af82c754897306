# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the lint scripts share. They work on a clone and on an unpacked tarball.

set -u
export LC_ALL=C.UTF-8
top_srcdir=$(cd "${top_srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
cd "$top_srcdir" || exit 1

# sources: every file that people wrote, one a line.
sources()
{
	if [ -e .git ] && command -v git >/dev/null && git ls-files >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . \( -name 'build*' -o -name .cache -o -name autom4te.cache -o -name .git \) \
			-prune -o -type f ! -name configure ! -name aclocal.m4 \
			! -name 'config.h.in*' ! -name Makefile.in ! -path './m4/l*.m4' -printf '%P\n'
	fi | while IFS= read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done | sort
}

# need PROGRAM...: the lint is skipped, with the reason, where a program is missing.
need()
{
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		echo "$program is not installed"
		exit 77
	done
}
