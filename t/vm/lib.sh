# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# For scripts that `run` starts in the guest: . "$VM_DIR/lib.sh"

checks=0
failures=0

# A copy of root's own: the library loads nothing that somebody else could have written, and the
# build tree may belong to an ordinary user. A guest that has booted its own root has them installed.
# shellcheck disable=SC2154 # from run
if [ -z "$VM_BOOT" ] && [ -d "$top_builddir/providers.d" ]; then
	cp -r "$top_builddir/providers.d" /run/vm/providers
	chown -R root: /run/vm/providers
	export HOLDFAST_PROVIDER_PATH=/run/vm/providers
fi

# is TEXT GOT WANT
is()
{
	checks=$((checks + 1))
	if [ "$2" = "$3" ]; then
		printf 'ok %d - %s\n' "$checks" "$1"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s: got "%s", want "%s"\n' "$checks" "$1" "$2" "$3"
	fi
}

# ok TEXT COMMAND...: the command succeeds; its output is shown only when it does not.
ok()
{
	local text=$1 output status=0

	shift
	checks=$((checks + 1))
	output=$("$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		printf 'ok %d - %s\n' "$checks" "$text"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s: exit %d from: %s\n' "$checks" "$text" "$status" "$*"
		printf '%s\n' "$output" | sed 's/^/  # /'
	fi
}

# below TEXT GOT LIMIT: a number under a limit, shown either way.
below()
{
	checks=$((checks + 1))
	if [ "$2" -lt "$3" ]; then
		printf 'ok %d - %s (%d, limit %d)\n' "$checks" "$1" "$2" "$3"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s: %d, limit %d\n' "$checks" "$1" "$2" "$3"
	fi
}

# pick SHORT LONG: the first, or the second where `run` was told --long.
pick()
{
	echo "${*:1 + ${VM_LONG:-0}:1}"
}

figure()
{
	printf 'figure: %s\n' "$*"
}

skip()
{
	printf 'skipped: %s\n' "$*"
	exit 77
}

# needs PACKAGE PROGRAM...: the guest has what the machine has.
needs()
{
	local package=$1 program

	shift
	for program; do
		command -v "$program" >/dev/null || skip "no $program: install the package $package"
	done
}

bail()
{
	printf 'Bail out! %s\n' "$*"
	exit 1
}

# The last line of each script. No check at all is a failure, too.
finish()
{
	printf '%d checks, %d failed, on kernel %s\n' "$checks" "$failures" "$(uname -r)"
	[ "$checks" -gt 0 ] && [ "$failures" = 0 ]
	exit
}

now_ms()
{
	local up

	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# pause SECONDS: as sleep does, without a process.
pause()
{
	[ -p /run/vm/pause ] || mkfifo /run/vm/pause
	read -rt "$1" <>/run/vm/pause || :
}

# elapsed COMMAND...: its exit status; the time it took is left in $elapsed_ms.
elapsed()
{
	local start=${EPOCHREALTIME/./} status=0

	"$@" || status=$?
	# shellcheck disable=SC2034 # for the caller
	elapsed_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	return "$status"
}

# eventually SECONDS COMMAND...: until it succeeds or the time is up, which is five minutes at least: it only
# guards against hanging. What takes longer is looked at less often: each look costs an emulated processor much.
eventually()
{
	local end=$((SECONDS + ($1 > 300 ? $1 : 300))) looks=0 time=0.05

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1 # clock: the guard itself
		[ $((looks++)) -lt 6 ] || time=0.25
		pause $time
	done
}

gone()
{
	! "$@"
}

dummy_add()	# NAME [ADDRESS/LEN]
{
	ip link add "$1" type dummy && ip link set "$1" up || return
	[ -z "${2-}" ] || ip address add "$2" dev "$1"
}

veth_add()	# NAME PEER [ADDRESS/LEN]
{
	ip link add "$1" type veth peer name "$2" && ip link set "$1" up && ip link set "$2" up ||
		return
	[ -z "${3-}" ] || ip address add "$3" dev "$1"
}

uverbs_of()
{
	local dir

	for dir in /sys/class/infiniband_verbs/uverbs*; do
		if [ "$(cat "$dir/ibdev" 2>/dev/null)" = "$1" ]; then
			echo "${dir##*/}"
			return 0
		fi
	done
	return 1
}

rdma_ready()
{
	local node

	node=$(uverbs_of "$1") && [ -e "/dev/infiniband/$node" ]
}

rdma_add()	# NAME TYPE NETDEV
{
	rdma link add "$1" type "$2" netdev "$3" && eventually 5 rdma_ready "$1"
}

rxe_add()	# NAME NETDEV
{
	rdma_add "$1" rxe "$2"
}

rxe_del()
{
	rdma link delete "$1"
}

siw_load()
{
	[ -e "$VM_CACHE/siw.ko" ] || bail "no siw.ko: give run the option --siw"
	modprobe libcrc32c
	insmod "$VM_CACHE/siw.ko"
}

# rtrs_server_load [PARAMETER=VALUE...]: RNBD's server, with these parameters of rtrs-server.
rtrs_server_load()
{
	[ -e "$VM_CACHE/rtrs-server.ko" ] || bail "no rtrs-server.ko: give run the option --rtrs"
	modprobe rdma_cm && insmod "$VM_CACHE/rtrs-core.ko" && insmod "$VM_CACHE/rtrs-server.ko" "$@" &&
		insmod "$VM_CACHE/rnbd-server.ko"
}

# It goes once the last session has ended, which takes a moment after the client.
rtrs_server_unload()
{
	eventually 60 rmmod rnbd-server && eventually 60 rmmod rtrs-server && rmmod rtrs-core
}

rtrs_client_load()
{
	[ -e "$VM_CACHE/rtrs-client.ko" ] || bail "no rtrs-client.ko: give run the option --rtrs"
	modprobe rdma_cm && insmod "$VM_CACHE/rtrs-core.ko" && insmod "$VM_CACHE/rtrs-client.ko" &&
		insmod "$VM_CACHE/rnbd-client.ko"
}

rtrs_client_unload()
{
	eventually 60 rmmod rnbd-client && eventually 60 rmmod rtrs-client && rmmod rtrs-core
}

plug_load()
{
	[ -e "$VM_CACHE/hfplug.ko" ] || bail "no hfplug.ko: give run the option --plug"
	insmod "$VM_CACHE/hfplug.ko" && eventually 5 test -e /dev/hfplug
}

plug()	# add NUMBER, del NAME, del all
{
	echo "$*" >/dev/hfplug
}

board_load()
{
	[ -e "$VM_CACHE/hfboard.ko" ] || bail "no hfboard.ko: give run the option --plug"
	modprobe ib_uverbs && insmod "$VM_CACHE/hfboard.ko" && eventually 5 test -e /dev/hfboard
}

# board VERB WORDS...: see t/vm/module/board.c.
board()
{
	echo "$*" >/dev/hfboard
}

# domain_load NUMBER...: PCI domains, each with a bus e1 on which 00.0 and, with two functions, 01.0 are.
domain_load()
{
	[ -e "$VM_CACHE/hfdomain.ko" ] || bail "no hfdomain.ko: give run the option --plug"
	insmod "$VM_CACHE/hfdomain.ko" "domains=$(IFS=,; echo "$*")"
}

# monitor WORDS...: an order to QEMU; its answers are in /run/vm/monitor.
monitor()
{
	if [ -z "${monitor_fd-}" ]; then
		exec {monitor_fd}<>"$(echo /dev/vport*p3)" || bail "no monitor: the script does not wish for it"
		cat <&"$monitor_fd" >/run/vm/monitor &
	fi
	echo "$*" >&"$monitor_fd"
}

# Until the kernel has no more uevents to send and udevd, if there is one, has handled them.
settle()
{
	[ ! -e /run/udev/control ] || udevadm settle --timeout=10
	sleep 0.1
}

fds_of()
{
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

# The verbs objects the kernel counts on all devices together; three of each device are its own.
rdma_objects()
{
	rdma resource show 2>/dev/null | tr ' ' '\n' |
		awk '/^(pd|cq|qp|cm_id|mr|ctx|srq)$/ { getline n; sum += n } END { print sum + 0 }'
}

start_udevd()
{
	local udevd

	for udevd in /lib/systemd/systemd-udevd /usr/lib/systemd/systemd-udevd; do
		[ -x "$udevd" ] || continue
		"$udevd" --daemon && udevadm trigger --subsystem-match=infiniband_verbs \
			--subsystem-match=infiniband && udevadm settle --timeout=20
		return
	done
	return 1
}

stop_udevd()
{
	# A worker that is still at it may make a file while they are removed.
	udevadm control --exit && eventually 60 gone pidof systemd-udevd &&
		eventually 10 rm -rf /run/udev
}

# splat_ok REGEX: kernel messages that this test provokes.
splat_ok()
{
	printf '%s\n' "$1" >>/run/vm/splat_ok
}

# --- vm-watch ------------------------------------------------------------------------------------

# start_watch LOG [COMMAND...]: vm-watch, or what is given, in the background, its lines in LOG.
# Returns when the first SYNCED is there; its process is left in $watch_pid.
start_watch()
{
	local log=$1

	shift
	[ $# -gt 0 ] || set -- "$top_builddir/t/vm/vm-watch"
	: >"$log"
	"$@" >"$log" 2>&1 &
	# shellcheck disable=SC2034 # for the caller
	watch_pid=$!
	eventually 20 grep -q ' synced ' "$log" || { cat "$log"; bail "no stream: $*"; }
}

# lines_are NUMBER FILE REGEX, for `eventually`
lines_are()
{
	[ "$(grep -Ec "$3" "$2")" = "$1" ]
}

# stop_watch TEXT PID LOG: it must end well, by its own judgement.
stop_watch()
{
	local status=0

	kill -TERM "$2"
	wait "$2" || status=$?
	is "$1" "$status" 0
	[ "$status" = 0 ] || sed 's/^/  # /' "$3"
}

# mark LOG: `saw` looks at what comes after this.
mark()
{
	marked=$(wc -l <"$1")
}

seen()
{
	tail -n "+$((marked + 1))" "$1" | grep -Eq "$2"
}

# saw TEXT LOG REGEX: a line after the mark.
saw()
{
	local text=$1

	shift
	if eventually 15 seen "$@"; then
		ok "$text" true
	else
		ok "$text" false
		echo "  # no line like: $2; there were:"
		tail -n "+$((marked + 1))" "$1" | sed 's/^/  # /'
	fi
}
