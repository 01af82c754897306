# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Generated sysfs trees for test scripts, like those of t/lib/tree.h. A device is built elsewhere and moved in,
# class/infiniband first; it is removed in the reverse order.

# tree_begin DIR: creates an empty tree; sets $tree and $HOLDFAST_ROOTS.
tree_begin()
{
	tree=$1
	mkdir -p "$tree"/{class/infiniband,class/infiniband_verbs,dev/infiniband,aside}
	echo 6 >"$tree/class/infiniband_verbs/abi_version"
	export HOLDFAST_ROOTS=$tree:$tree/dev
}

# tree_port DIR N: writes the attributes of a port of device N.
tree_port()
{
	mkdir -p "$1"/{gids,pkeys,gid_attrs/types,gid_attrs/ndevs}
	echo '4: ACTIVE' >"$1/state"
	echo '5: LinkUp' >"$1/phys_state"
	echo '10 Gb/sec (4X)' >"$1/rate"
	echo Ethernet >"$1/link_layer"
	echo 0xffff >"$1/pkeys/0"
	printf 'fe80:0000:0000:0000:0200:00ff:fe00:%04x\n' "$2" >"$1/gids/0"
	echo 'RoCE v2' >"$1/gid_attrs/types/0"
	echo 'hfnone0' >"$1/gid_attrs/ndevs/0"
	echo '0000:0000:0000:0000:0000:0000:0000:0000' >"$1/gids/1"
}

# tree_add N NAME [KERNEL-ABI [MODALIAS]]: adds a device as uverbsN. Its node is /dev/null; with a modalias it is a
# regular file, for a device without a kernel.
tree_add()
{
	local n=$1 name=$2 abi=${3:-2} modalias=${4-} device=$tree/aside/device verbs=$tree/aside/verbs
	mkdir -p "$device/ports" "$verbs"
	tree_port "$device/ports/1" "$n"
	echo '1: CA' >"$device/node_type"
	printf '0200:00ff:fe00:%04x\n' "$n" | tee "$device/node_guid" >"$device/sys_image_guid"
	echo 1.0.0 >"$device/fw_ver"
	echo "$name" >"$verbs/ibdev"
	echo 1:3 >"$verbs/dev"
	echo "$abi" >"$verbs/abi_version"
	mkfifo -m 644 "$verbs/removal"
	if [ -n "$modalias" ]; then
		mkdir "$verbs/device"
		echo "$modalias" >"$verbs/device/modalias"
		echo 0:0 >"$verbs/dev"
		rm "$device/ports/1/gids/1"
		: >"$tree/dev/infiniband/uverbs$n"
	else
		ln -sf /dev/null "$tree/dev/infiniband/uverbs$n"
	fi
	mv "$device" "$tree/class/infiniband/$name"
	mv "$verbs" "$tree/class/infiniband_verbs/uverbs$n"
}

# tree_remove N: removes a device; its files are kept elsewhere, so that no inode is reused.
tree_remove()
{
	local n=$1 name grave removal
	# Opened for writing before the removal: closing it notifies open contexts.
	exec {removal}<>"$tree/class/infiniband_verbs/uverbs$n/removal"
	name=$(<"$tree/class/infiniband_verbs/uverbs$n/ibdev")
	grave=$(mktemp -d "$tree/aside/removed.XXXXXX")
	mv "$tree/class/infiniband_verbs/uverbs$n" "$grave/verbs"
	exec {removal}>&-
	mv "$tree/class/infiniband/$name" "$grave/device"
	rm "$tree/dev/infiniband/uverbs$n"
}

# tree_rename N NAME: the same instance under another name.
tree_rename()
{
	local verbs=$tree/class/infiniband_verbs/uverbs$1 name
	name=$(<"$verbs/ibdev")
	mv "$tree/class/infiniband/$name" "$tree/class/infiniband/$2"
	printf '%s\n' "$2" >"$verbs/ibdev"
}

# Time-out for events that must happen: it only ends tests that hang.
hang_seconds=$(sed -n 's/.*HF_TEST_HANG_SECONDS = \([0-9]*\),.*/\1/p' \
	"$(dirname "${BASH_SOURCE[0]}")/../lib/hang.h")
: "${hang_seconds:?}"

# eventually COMMAND...: repeats it until it succeeds.
eventually()
{
	local end=$((SECONDS + hang_seconds))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# sleeps_in_poll PID: true if the process is blocked in poll(). A process that was woken is not blocked, even
# before it runs.
sleeps_in_poll()
{
	local wchan state
	{ read -r wchan <"/proc/$1/wchan" || [ -n "$wchan" ]; } 2>/dev/null || return 1
	case $wchan in
	*poll*) return 0 ;;
	0) state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status") ;;
	esac
	# The kernel does not show the system call.
	[[ ${state-} == S* ]]
}
