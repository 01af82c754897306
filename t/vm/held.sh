# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# For guest scripts about revocation: . "$VM_DIR/held.sh", after lib.sh.

# shellcheck disable=SC2154 # from run
holdfast=$top_builddir/tools/holdfast

# ended TEXT PID FILE: by itself, with an error, not by a signal.
ended()
{
	local status=0

	if ! eventually 20 gone kill -0 "$2"; then
		ok "$1: it ended" false
		kill -KILL "$2"
	fi
	wait "$2" 2>/dev/null || status=$?
	if [ "$status" -gt 0 ] && [ "$status" -lt 124 ]; then
		ok "$1: exit status $status" true
	else
		is "$1: exit status" "$status" "from 1 to 123"
		sed 's/^/  # /' "$3"
	fi
}

# What vm-held says once it woke up: the sorted words of its waits.
held_wakes='get_async_event 0 local catastrophic error, get_cq_event -1 EIO, '
held_wakes+='poll async_fd 1 readable, poll channel 1 readable'
held_leaves='post_recv EIO, post_send EIO (wr), poll_cq 1 wr_id 7 flushed, left 0, '
held_leaves+="${held_leaves}child was alive"

# held TEXT DEVICE OPTIONS...: vm-held under `holdfast run --revoke OPTIONS` does not hold up the unplug of
# DEVICE, and what it does afterwards answers as on a dead device: $held_leaves, or $held_with where that is
# set, as for a provider without ibv_wr_*. Leaves the time in $elapsed_ms.
held()
{
	local text=$1 device=$2 log=/run/vm/held pid children status=0

	shift 2
	rm -f /run/vm/held.in
	mkfifo /run/vm/held.in
	"$holdfast" run --revoke "$@" -- "$top_builddir/t/vm/vm-held" "$device" \
		>"$log" 2>&1 </run/vm/held.in &
	pid=$!
	exec 8>/run/vm/held.in
	if ! eventually 30 grep -q '^ready' "$log"; then
		sed 's/^/  # /' "$log"
		bail "$text: vm-held does not get ready"
	fi
	children=$(sed -n 's/^ready //p' "$log")
	is "$text: a program and its child hold it" \
		"$(find "/proc/$pid/fd" "/proc/$children/fd" -lname "/dev/infiniband/uverbs*" | wc -l)" 4
	elapsed timeout 60 rdma link delete "$device"
	is "$text: rdma link delete" "$?" 0
	ok "$text: every wait ends" eventually 10 grep -q '^woken' "$log"
	is "$text: what the waits said" "$(sed -n '/^ready/,/^woken/p' "$log" | sed '1d;$d' | sort |
		sed 's/ *$//' | paste -sd, | sed 's/,/, /g')" "$held_wakes"
	ok "$text: it lives, and has closed nothing" kill -0 "$pid"
	is "$text: rdma resource" "$(rdma resource show)" ""
	echo >&8
	exec 8>&-
	wait "$pid" || status=$?
	is "$text: exit status" "$status" 0
	is "$text: what came after" "$(sed '1,/^woken/d' "$log" | paste -sd, | sed 's/,/, /g')" \
		"${held_with:-$held_leaves}"
	[ "$status" = 0 ] || sed 's/^/  # /' "$log"
}
