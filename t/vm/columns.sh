# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # for the scripts that take this
# For guest scripts that compare libraries: . "$VM_DIR/columns.sh", after lib.sh.

columns=(incumbent distribution holdfast)

# on COLUMN COMMAND...: leaves in $with the command on that column's library and provider. The build
# directory's face, not `holdfast run`: what has to work is the library, however one comes to it.
# What the distribution's providers match is kept, as it is by an installed Holdfast.
on()
{
	# shellcheck disable=SC2154 # from run
	local face=$top_builddir/compat/.libs:$top_builddir/.libs

	case $1 in
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
