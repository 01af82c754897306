# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# Tests udev rules: a generated /sys and our rules, in mount namespaces of their own, where the machine's
# udevadm runs them. Only these rules and the programs of the build tree take part, and the only right needed
# is to create a user namespace.

# A kernel or container may forbid namespaces.
if [ "${HF_BED-}" != "$0" ]; then
	udevadm=$(command -v udevadm /sbin/udevadm | head -n 1)
	[ -n "$udevadm" ] || { echo "SKIP: no udevadm"; exit 77; }
	why=$(unshare -rm mount -t tmpfs none /mnt 2>&1) || { echo "SKIP: no namespaces: $why"; exit 77; }
	HF_BED=$0 udevadm=$udevadm exec unshare -rm "$BASH" "$0" "$@"
fi

top_builddir=$(cd "${top_builddir:-.}" && pwd)
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
sys=$work/sys
checks=0

fail()
{
	echo "FAIL: $*"
	[ ! -s "$work/out" ] || sed 's/^/  /' "$work/out"
	exit 1
}

# bed_begin RULES...: starts with these files; in a NAME.in the directories are substituted.
bed_begin()
{
	local file name program dir

	mkdir -p "$work"/{rules,udev,run/udev,empty} "$sys"/{class/{infiniband,net},bus/{pci,auxiliary}/{devices,drivers}} \
		"$sys/devices/virtual/"{infiniband,net}
	for program in "$top_builddir"/boot/*/rdma_*; do
		[ ! -f "$program" ] || [ ! -x "$program" ] || ln -sf "$program" "$work/udev/"
	done
	for file; do
		name=${file##*/}
		sed "s|@udevdir@|$work/udev|g; s|@UDEVADM@|$udevadm|g; s|@[a-z]*dir@|$work/empty|g" "$file" \
			>"$work/rules/${name%.in}"
	done
	# Hides the machine's rules and database. Everything ends with the namespace.
	for dir in /etc/udev/rules.d /usr/local/lib/udev/rules.d; do
		[ ! -d $dir ] || mount --bind "$work/empty" $dir || exit 1
	done
	for dir in $(realpath -qe /usr/lib/udev/rules.d /lib/udev/rules.d | sort -u); do
		mount --bind "$work/rules" "$dir" || exit 1
	done
	mount --rbind "$sys" /sys && mount --bind "$work/run" /run || exit 1
}

# add_pci ADDRESS DRIVER [VENDOR DEVICE]: a PCI function; sets $device to its directory.
add_pci()
{
	local address=$1 driver=$2 vendor=${3:-0x15b3} model=${4:-0x1017} alias

	device=$sys/devices/pci0000:00/$address
	mkdir -p "$device" "$sys/bus/pci/drivers/$driver"
	printf -v alias 'pci:v%08Xd%08Xsv00000000sd00000000bc02sc00i00' "$vendor" "$model"
	echo "$vendor" >"$device/vendor"
	echo "$model" >"$device/device"
	echo "$alias" >"$device/modalias"
	printf 'DRIVER=%s\nPCI_SLOT_NAME=%s\nMODALIAS=%s\n' "$driver" "$address" "$alias" >"$device/uevent"
	ln -sfn "$sys/bus/pci" "$device/subsystem"
	ln -sfn "$sys/bus/pci/drivers/$driver" "$device/driver"
	ln -sfn "$device" "$sys/bus/pci/devices/$address"
	real_links "$device" subsystem driver
}

# real_links DIR NAME...: makes the links relative, as in sysfs.
real_links()
{
	local dir=$1 name
	shift
	for name; do
		ln -sfn "$(realpath -m --relative-to="$dir" "$(readlink "$dir/$name")")" "$dir/$name"
	done
}

# add_aux PARENT NAME DRIVER: a device of the auxiliary bus; sets $device.
add_aux()
{
	device=$1/$2
	mkdir -p "$device" "$sys/bus/auxiliary/drivers/$3"
	printf 'DRIVER=%s\nMODALIAS=auxiliary:%s\n' "$3" "${2%.*}" >"$device/uevent"
	ln -sfn "$sys/bus/auxiliary" "$device/subsystem"
	ln -sfn "$sys/bus/auxiliary/drivers/$3" "$device/driver"
	real_links "$device" subsystem driver
}

# add_rdma PARENT NAME NODE-TYPE LINK-LAYER...: a device with a port for each link layer. PARENT "": no parent.
add_rdma()
{
	local parent=${1:-$sys/devices/virtual} name=$2 type=$3 port=0 layer

	device=$parent/infiniband/$name
	shift 3
	mkdir -p "$device"
	printf 'NAME=%s\n' "$name" >"$device/uevent"
	echo "$type" >"$device/node_type"
	for layer; do
		port=$((port + 1))
		mkdir -p "$device/ports/$port"
		echo "$layer" >"$device/ports/$port/link_layer"
	done
	ln -sfn "$sys/class/infiniband" "$device/subsystem"
	ln -sfn "$device" "$sys/class/infiniband/$name"
	real_links "$device" subsystem
}

# add_net PARENT NAME DRIVER: a network device. udev asks for its driver's name by an ioctl, which fails for a
# generated device: a rule of this file sets it instead.
add_net()
{
	device=${1:-$sys/devices/virtual}/net/$2
	mkdir -p "$device"
	printf 'INTERFACE=%s\nIFINDEX=4711\n' "$2" >"$device/uevent"
	ln -sfn "$sys/class/net" "$device/subsystem"
	ln -sfn "$device" "$sys/class/net/$2"
	real_links "$device" subsystem
	printf 'KERNEL=="%s", OPTIONS="string_escape=none", ENV{ID_NET_DRIVER}="%s"\n' "$2" "$3" \
		>"$work/rules/81-bed.rules"
}

# udev_event ACTION DEVICE: writes udev's result to $work/out: properties, and what would be run.
udev_event()
{
	# statfs(2) shows that a generated tree is not sysfs.
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 "$udevadm" test --action="$1" "/sys${2#"$sys"}" >"$work/out" 2>&1 ||
		fail "udevadm test --action=$1 $2"
	# Errors about a rules file begin with its name; those about an event begin with the device.
	if grep -E '^/[^ ]*\.rules(:[0-9]+:?)? ' "$work/out"; then
		fail "a rules file with mistakes"
	fi
	checks=$((checks + 1))
}

# property NAME [VALUE]: checks it in the last event; without VALUE it must be unset.
property()
{
	local value

	value=$(sed -n "s/^$1=//p" "$work/out")
	[ "$value" = "${2-}" ] || fail "$1 is \"$value\", wanted \"${2-}\""
	checks=$((checks + 1))
}

# runs TEXT: the last event would run this; runs_nothing: it would run nothing.
runs()
{
	grep -qFx "run: '$1'" "$work/out" || fail "does not run \"$1\""
	checks=$((checks + 1))
}

runs_nothing()
{
	! grep '^run: ' "$work/out" || fail "runs something"
	checks=$((checks + 1))
}

bed_done()
{
	echo "$checks checks"
	[ $checks -gt 0 ]
}
