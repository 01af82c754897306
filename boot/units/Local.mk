# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Units of systemd for the daemons and the hardware target, and udev rules that start them.
boot_in += \
	boot/units/60-srp_daemon.rules.in \
	boot/units/ibacm.service.in \
	boot/units/ibacm.socket.in \
	boot/units/iwpmd.service.in \
	boot/units/srp_daemon.service.in \
	boot/units/srp_daemon_port@.service.in \
	boot/units/examples/rdma-wait@.service.in

EXTRA_DIST += \
	boot/units/90-iwpmd.rules \
	boot/units/90-rdma-uverbs.rules \
	boot/units/rdma-hw.target \
	boot/units/infiniband-ports \
	boot/units/examples/rdma-any.service \
	boot/units/examples/rdma-device@.service \
	boot/units/examples/rdma-port@.service

if BOOT
udevrules_DATA += \
	boot/units/60-srp_daemon.rules \
	boot/units/90-iwpmd.rules \
	boot/units/90-rdma-uverbs.rules
systemdunit_DATA += \
	boot/units/ibacm.service \
	boot/units/ibacm.socket \
	boot/units/iwpmd.service \
	boot/units/rdma-hw.target \
	boot/units/srp_daemon.service \
	boot/units/srp_daemon_port@.service
iwpmddropindir = $(systemdunitdir)/iwpmd.service.d
iwpmddropin_DATA = boot/base/10-network-pre.conf
pkglibexec_SCRIPTS += boot/units/infiniband-ports
bootexamplesdir = $(docdir)/examples
bootexamples_DATA = \
	boot/units/examples/rdma-any.service \
	boot/units/examples/rdma-device@.service \
	boot/units/examples/rdma-port@.service \
	boot/units/examples/rdma-wait@.service
endif
