# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# For guest scripts that make RDMA devices with t/vm/module/board.c on QEMU's PCI functions:
# . "$VM_DIR/hardware.sh", after lib.sh.

[ "$VM_KERNEL" = 6.1 ] || skip "hfboard.ko is built for 6.1 only"

# pci_bind ADDRESS DRIVER: whatever the function's own driver would be.
pci_bind()
{
	local dir=/sys/bus/pci/devices/$1

	pci_unbind "$1"
	echo "$2" >"$dir/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$dir/driver")")" = "$2" ]
}

pci_unbind()
{
	local driver=/sys/bus/pci/devices/$1/driver

	[ ! -e "$driver" ] || echo "$1" >"$driver/unbind"
}

# vfs ADDRESS NUMBER: without drivers of their own.
vfs()
{
	echo 0 >"/sys/bus/pci/devices/$1/sriov_drivers_autoprobe"
	echo "$2" >"/sys/bus/pci/devices/$1/sriov_numvfs"
}
