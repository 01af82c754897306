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

# functions: every function below this directory, as "static|global|declared NAME FILE": defined in a source or
# header, or declared in a header.
functions()
{
	# shellcheck disable=SC2016 # the program is awk's
	find . \( -name 'build*' -o -name .git \) -prune -o -name '*.[ch]' -printf '%P\n' | sort | xargs awk '
	function ended() {
		# Not a function: a macro with an attribute, or one that makes a table.
		while (sub(/(^|[ \t])[A-Z][A-Z_0-9]*\([^()]*(\([^()]*\)[^()]*)*\)/, " ", head))
			;
		if (head !~ /=[^(]*\{/ && match(head, /[A-Za-z_][A-Za-z_0-9]*\(/)) {
			name = substr(head, RSTART, RLENGTH - 1)
			kind = head ~ /(^|[ \t])static[ \t]/ ? "static" : head ~ /\{/ ? "global" : "declared"
			if (head ~ /\{/ || (kind == "declared" && FILENAME ~ /\.h$/ && head !~ /^ *typedef|=/))
				print kind, name, FILENAME
		}
		head = ""
	}
	FNR == 1 { head = ""; comment = 0 }
	{
		line = $0
		gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
		if (comment) {
			if (!sub(/^.*\*\//, "", line))
				next
			comment = 0
		}
		if (sub(/\/\*.*$/, "", line))
			comment = 1
		gsub(/__attribute__\(\([^()]*(\([^()]*\)[^()]*)*\)\)/, "", line)
	}
	head == "" && line !~ /^[A-Za-z_]/ { next }
	{
		head = head " " line
		if (head ~ /[{;]/)
			ended()
	}'
}
