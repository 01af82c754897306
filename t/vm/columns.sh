# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # for the scripts that take this
# For guest scripts that compare libraries: . "$VM_DIR/columns.sh", after lib.sh.

columns=(incumbent distribution holdfast)

# take_release ROOT: "incumbent" is from now on the libibverbs.so.1 of the release that abi/next-release has unpacked
# there, with its provider and the C library that it wants, and "distribution" that provider on Holdfast. Sets $release.
take_release()
{
	local root=$1 core

	core=$(find "$root" -name 'libibverbs.so.1.*' | head -n 1)
	[ -n "$core" ] || bail "no libibverbs.so.1 below $root"
	release=${core##*.so.1.}
	release=${release#*.}
	# Root in the guest may not be who unpacked them, and a provider of another user's is refused.
	release_dir=/run/vm/rdma-core-$release
	mkdir -p "$release_dir/config"
	cp -r "${core%/*}" "$release_dir/lib" || bail "cannot copy ${core%/*}"
	chown -R root: "$release_dir"
	for name in rxe siw; do
		echo "driver $release_dir/lib/libibverbs/lib$name" >"$release_dir/config/$name.driver"
	done
	columns=(incumbent distribution)
}
release=
release_dir=

# on COLUMN COMMAND...: leaves in $with the command on that column's library and provider. The build
# directory's face, not `holdfast run`: what has to work is the library, however one comes to it.
# What the distribution's providers match is kept, as it is by an installed Holdfast.
on()
{
	# shellcheck disable=SC2154 # from run
	local face=$top_builddir/compat/.libs:$top_builddir/.libs

	case $1${release:+:release} in
	# One mount for all: a C library and a loader of two releases do not work together.
	incumbent:release)
		# shellcheck disable=SC2016 # for that shell
		with=(unshare -m bash -c 'mount -t overlay -o "ro,lowerdir=$0" overlay "${0#*:}" && exec "$@"'
			"$release_dir/lib:/usr/lib/$(basename "$(dirname "$(compgen -G '/usr/lib/*/libc.so.6')")")"
			"${@:2}")
		;;
	distribution:release)
		with=(env "LD_LIBRARY_PATH=$face" HOLDFAST_PROVIDER_PATH=/run/vm/none
			"HOLDFAST_DRIVER_CONFIG=$release_dir/config" HOLDFAST_CACHE=/run/vm/cache "${@:2}")
		;;
	incumbent) with=("${@:2}") ;;
	distribution)
		with=(env "LD_LIBRARY_PATH=$face" HOLDFAST_PREFER=distribution
			HOLDFAST_CACHE=/run/vm/cache "${@:2}")
		;;
	holdfast) with=(env "LD_LIBRARY_PATH=$face" "${@:2}") ;;
	esac
}

# library_of PID: the libibverbs that a process really has mapped, and its provider for rxe.
library_of()
{
	sed -n 's,.*/compat/\.libs/libibverbs.*,holdfast,p; s,.*/lib/.*/libibverbs\.so.*,incumbent,p;
		s,.*/librxe-rdmav[0-9]*\.so,distribution-rxe,p; s,.*/rxe-hf[0-9]*\.so,our-rxe,p' \
		"/proc/$1/maps" | sort -u | tr '\n' ' '
}

# What library_of says in each column.
declare -A library=([incumbent]="distribution-rxe incumbent "
	[distribution]="distribution-rxe holdfast " [holdfast]="holdfast our-rxe ")
