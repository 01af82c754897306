# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # VM_CACHE and tell are from `guest`, which reads this
# Sets a guest in order after a script, for the next one that shares it.

modules_now()
{
	cut -d ' ' -f 1 /proc/modules | sort
}

mounts_now()
{
	cut -d ' ' -f 5 /proc/self/mountinfo | sort
}

# Before the first script: what there should be.
remember()
{
	mkdir -p /run/before
	modules_now >/run/before/modules
	mounts_now >/run/before/mounts
}

# Kernel threads have no program.
processes()
{
	local dir pid

	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		[ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || [ ! -e "$dir/exe" ] || echo "$pid"
	done
}

end_processes()
{
	local pid left try

	for ((try = 0; try < 100; try++)); do
		left=$(processes)
		[ -n "$left" ] || return 0
		for pid in $left; do
			kill -KILL "$pid" 2>/dev/null
		done
		sleep 0.1
	done
}

remove_devices()
{
	local device name

	for device in /sys/class/infiniband/*; do
		[ -e "$device" ] || continue
		timeout 120 rdma link delete "${device##*/}" 2>/dev/null
	done
	ip -all netns delete
	for device in /sys/class/net/*; do
		name=${device##*/}
		# A veth takes its other end along.
		[ "$name" = lo ] || [ ! -e "$device" ] || ip link delete "$name"
	done
}

restore_modules()
{
	local module try

	# One may need another: the order is found by trying.
	for try in 1 2 3 4 5 6; do
		modules_now | comm -13 /run/before/modules - >/run/before/more
		[ -s /run/before/more ] || break
		while read -r module; do
			rmmod "$module" 2>/dev/null
		done </run/before/more
	done
	modules_now | comm -23 /run/before/modules - | while read -r module; do
		modprobe "$module"
	done
}

# tidy: fails, and tells why, where the guest is not as it was.
tidy()
{
	local mount wrong=

	end_processes
	remove_devices
	mounts_now | comm -13 /run/before/mounts - | sort -r | while read -r mount; do
		umount "$mount"
	done
	rdma system set netns shared 2>/dev/null
	restore_modules
	sysctl -qw net.ipv6.conf.default.disable_ipv6=0
	echo vm >/proc/sys/kernel/hostname
	ip link set lo up
	rm -rf /run/vm /run/udev
	mkdir -p /run/vm

	[ -z "$(processes)" ] || wrong="$wrong processes"
	[ -z "$(ls /sys/class/infiniband 2>/dev/null)" ] || wrong="$wrong RDMA devices"
	[ "$(ls /sys/class/net)" = lo ] || wrong="$wrong network devices"
	modules_now | cmp -s - /run/before/modules || wrong="$wrong modules"
	mounts_now | cmp -s - /run/before/mounts || wrong="$wrong mounts"
	[ -n "$wrong" ] || return 0
	tell "disorder $wrong"
	return 1
}
