# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What `fetch` and `run` share on the host: places, messages, kernels.

PATH=$PATH:/usr/sbin:/sbin
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_top=$(cd "$vm_dir/../.." && pwd)
# An out-of-tree build names its own directory; a plain checkout keeps its kernels in .cache.
# shellcheck disable=SC2034 # for the two
vm_cache=${HOLDFAST_VM_CACHE:-$vm_top/.cache}

# Exit codes of the harness itself; everything else is the guest script's own.
VM_TIMEOUT=124	# the guest was still running when its time was up
VM_BROKEN=125	# the guest could not be built, did not start, or died
VM_SPLAT=126	# the script passed but the kernel complained meanwhile
export VM_TIMEOUT VM_BROKEN VM_SPLAT

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "error: $*"
	exit "$VM_BROKEN"
}

# need PROGRAM PACKAGE: fails with the package to install.
need()
{
	command -v "$1" >/dev/null 2>&1 || die "$1 is missing: install the package $2"
}

# The metapackage that always depends on the current ABI of a kernel series.
kernel_metapackage()
{
	case $1 in
	6.1) echo linux-image-amd64 ;;
	6.12) echo linux-image-6.12-amd64 ;;
	*) die "kernel $1: only 6.1 and 6.12 are known" ;;
	esac
}
