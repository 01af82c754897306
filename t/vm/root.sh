# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # $job is `guest`'s, which reads this
# The guest's own root directory before anything runs in it: whose boot files are active, and the
# units that make systemd run the script.
# shellcheck disable=SC2153 # VM_* are from env

# The boot files of the distribution's packages; their daemons stay. For comparisons the files are
# kept, out of everybody's sight.
without_distribution()
{
	local file kept=/run/vm/distribution

	mkdir -p "$kept"
	cat /var/lib/dpkg/info/{rdma-core,ibacm,srptools}.list | grep -E \
		'/udev/rules\.d/.|/systemd/system/.|^/etc/rdma/modules/.|^/etc/init\.d/.' |
		while read -r file; do
			[ ! -e "$file" ] || cp --parents "$file" "$kept"
			rm -f "$file"
		done
	# Their units were enabled when the packages were installed.
	for file in /etc/systemd/system/*.wants/*; do
		[ -e "$file" ] || rm -f "$file"
	done
}

# As after `make install` by root, and after a package's scripts: enabled.
with_own()
{
	local unit

	cp -r --no-preserve=ownership "$VM_BUILDDIR/t/vm/installed/root/." /
	ldconfig
	for unit in $(cd "$VM_BUILDDIR/t/vm/installed/root" &&
		find . -path '*/systemd/system/*' -name '*.*' -type f | sed 's,.*/,,'); do
		systemctl --quiet enable "$unit" 2>/dev/null || :
	done
}

case $VM_RULES in
none) without_distribution ;;
own) without_distribution; with_own ;;
esac

# The host's places may be below /tmp.
mkdir -p /etc/tmpfiles.d
ln -sf /dev/null /etc/tmpfiles.d/tmp.conf

if [ "$VM_BOOT" = systemd ]; then
	units=/run/systemd/system
	mkdir -p "$units"
	cat >"$units/holdfast-vm.target" <<-EOT
		[Unit]
		Requires=multi-user.target
		Wants=holdfast-vm.service
		After=multi-user.target
		AllowIsolate=yes
	EOT
	cat >"$units/holdfast-vm.service" <<-EOT
		[Unit]
		After=multi-user.target
		[Service]
		Type=exec
		ExecStart=/bin/bash $job/guest $job script
	EOT
	case " $VM_PHASES " in
	*' early '*)
		# After udevd has started, as devices come that are there at boot.
		cat >"$units/holdfast-early.service" <<-EOT
			[Unit]
			DefaultDependencies=no
			Before=sysinit.target
			After=systemd-udevd.service
			[Service]
			Type=oneshot
			RemainAfterExit=yes
			ExecStart=/bin/bash $job/guest $job early
		EOT
		mkdir -p "$units/sysinit.target.wants"
		ln -s ../holdfast-early.service "$units/sysinit.target.wants/"
		;;
	esac
	# Seconds each in an emulated machine, and nobody is there who logs in.
	for unit in getty.target systemd-udev-trigger.service systemd-journal-flush.service \
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer; do
		ln -s /dev/null "$units/$unit"
	done
	mkdir -p /etc/systemd/system
	ln -sf "$units/holdfast-vm.target" /etc/systemd/system/default.target
fi
