# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# A bed for udev rules: a made-up /sys and our rules, in mount namespaces of their own, where the machine's
# own udevadm runs them. Nothing but these rules and the programs of the build tree takes part, and no
# right is needed but that to make a user namespace.

# A kernel, or a container, may keep namespaces for itself.
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

# bed_begin RULES...: with these files; a NAME.in has its directories put in.
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
	# Rules of the machine are hidden, and so is its database. All ends with the namespace.
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

# real_links DIR NAME...: as sysfs has them, relative.
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

# add_rdma PARENT NAME NODE-TYPE LINK-LAYER...: a device, with a port for each link layer. PARENT "" is none.
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

# add_net PARENT NAME DRIVER: a network device. Its driver's name comes from an ioctl, which a made-up one
# cannot answer: a rule of the bed's says it.
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

# udev_event ACTION DEVICE: what udev makes of it, in $work/out: properties, and what would be run.
udev_event()
{
	# A made-up tree is no sysfs to statfs(2).
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 "$udevadm" test --action="$1" "/sys${2#"$sys"}" >"$work/out" 2>&1 ||
		fail "udevadm test --action=$1 $2"
	# Complaints about a rules file begin with its name; about an event, with the device.
	if grep -E '^/[^ ]*\.rules(:[0-9]+:?)? ' "$work/out"; then
		fail "a rules file with mistakes"
	fi
	checks=$((checks + 1))
}

# property NAME [VALUE]: of the last event; without VALUE: it has none.
property()
{
	local value

	value=$(sed -n "s/^$1=//p" "$work/out")
	[ "$value" = "${2-}" ] || fail "$1 is \"$value\", wanted \"${2-}\""
	checks=$((checks + 1))
}

# runs TEXT: the last event asks for that; runs_nothing: for nothing.
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
