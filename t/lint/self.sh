# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the proofs of lint scripts share: NAME-self plants breaches in a copy of the sources, $tree, and runs
# NAME on it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

lint=$top_srcdir/t/lint/$(basename "$0" -self)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
failed=0 tried=0

# fresh: the copy is as the sources are.
fresh()
{
	rm -rf "$tree"
	mkdir "$tree"
	sources | grep -E '\.([ch]|map)$' | xargs cp --parents -t "$tree"
	chmod -R u+w "$tree"
}

# plant FILE TEXT: adds TEXT to the end of a file of the copy.
plant()
{
	[ -f "$tree/$1" ] || { echo "FAILED: no file $1 to plant a breach in"; exit 1; }
	printf '%b' "$2" >>"$tree/$1"
}

# passes: the lint finds nothing in the copy.
passes()
{
	tried=$((tried + 1))
	"$lint" >"$work/out" && return
	echo "FAILED: expected no breach, got:"
	cat "$work/out"
	failed=1
}

# fails TEXT: the lint ends with a status other than 0 and prints TEXT, and that is the only breach.
fails()
{
	tried=$((tried + 1))
	if "$lint" >"$work/out"; then
		echo "FAILED: not found: $1"
	elif ! grep -qxF "$1" "$work/out" || [ "$(wc -l <"$work/out")" != 2 ]; then
		echo "FAILED: expected '$1' alone, got:"
		cat "$work/out"
	else
		return
	fi
	failed=1
}

# end_self: says how many copies were tried, and ends with the result.
end_self()
{
	echo "copies read: $tried"
	exit $failed
}
