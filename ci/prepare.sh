# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What must be there before anything is built: packages, and ./configure.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# missing_packages KIND...: those of the lists `run`, `vm` and `check` that are not there.
missing_packages()
{
	local kind package sign

	while read -r kind package sign; do
		case " $* " in
		*" $kind "*) ;;
		*) continue ;;
		esac
		# By what a package gives, so that a newer or self-built one counts too.
		case $sign in
		/*) compgen -G "$sign" >/dev/null || echo "$package" ;;
		*) command -v "$sign" >/dev/null || echo "$package" ;;
		esac
	done <"$src/ci/packages"
}

install_missing()
{
	local missing log
	mapfile -t missing < <(missing_packages "$@")

	if [ ${#missing[@]} = 0 ]; then
		say "all packages are there"
		return 0
	fi
	say "missing Debian packages: ${missing[*]}"
	command -v apt-get >/dev/null || die "no apt-get here: install these by hand"
	if [ "$(id -u)" != 0 ]; then
		say "as root: apt-get install --no-install-recommends ${missing[*]}"
		exit 1
	fi
	log=$(mktemp) || die "cannot write to ${TMPDIR:-/tmp}"
	say "installing them"
	export DEBIAN_FRONTEND=noninteractive
	if ! timeout -k 10 300 apt-get -qq -o Acquire::Retries=3 update </dev/null >"$log" 2>&1 ||
		! timeout -k 10 900 apt-get -qq -y --no-install-recommends -o Acquire::Retries=3 \
			-o DPkg::Lock::Timeout=300 install "${missing[@]}" </dev/null >>"$log" 2>&1; then
		cat "$log"
		die "apt-get failed"
	fi
	rm -f "$log"
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} = 0 ] || die "installed, and still not there: ${missing[*]}"
}

# The guests see this machine's own directories, as root and as nobody: what they cannot read fails late
# there, and does not say why.
check_machine()
{
	local place free

	for place in / /usr /usr/bin /usr/sbin /usr/lib /usr/share /etc "/usr/lib/$(gcc -print-multiarch)"; do
		[ -z "$(find -L "$place" -maxdepth 0 ! -perm -005)" ] ||
			die "ordinary users cannot read $place, which the guests need: chmod o+rx $place"
	done
	place=$(find -L /usr/bin/env /lib64/ld-linux-x86-64.so.2 "/lib/$(gcc -print-multiarch)/libc.so.6" ! -perm -005)
	[ -z "$place" ] || die "ordinary users cannot run ${place//$'\n'/, }, which the guests need"
	qemu-system-x86_64 -accel help 2>/dev/null | grep -qx tcg ||
		die "this qemu-system-x86_64 does not run, or cannot emulate (tcg)"
	for place in "$src:6000" "${TMPDIR:-/tmp}:1000"; do
		free=$(df -m --output=avail "${place%:*}" | tail -n 1)
		[ "$free" -ge "${place##*:}" ] ||
			die "too little space in ${place%:*}: $((free)) MB, and ${place##*:} are needed"
	done
	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	[ "$free" -ge 2000 ] || die "too little memory: $free MB are free, and 2000 are needed"
	say "the machine has what the guests need"
}

# quietly LOG COMMAND...: shows the output only if the command fails.
quietly()
{
	local log=$1
	shift
	timeout -k 10 900 "$@" </dev/null >"$log" 2>&1 && return
	tail -n 40 "$log"
	die "failed: $* (all of it: $PWD/$log)"
}

# A release's tarball brings ./configure along; a clone makes it.
generate_configure()
{
	[ -w "$src" ] || die "$src is read-only: copy the tree to a place you can write to"
	[ -w "${TMPDIR:-/tmp}/." ] ||
		die "${TMPDIR:-/tmp} is not writable: set TMPDIR"
	cd "$src" || exit 1
	if [ -x configure ] && [ -f Makefile.in ] &&
		[ -z "$(find configure.ac Makefile.am ./*/Local.mk ./*/*/Local.mk -newer configure)" ]; then
		return
	fi
	say "generating ./configure"
	mkdir -p build-aux m4
	timeout -k 10 300 autoreconf -fi </dev/null >autoreconf.log 2>&1 ||
		{ cat autoreconf.log; die "autoreconf failed"; }
	rm -f autoreconf.log
}
