# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The dracut module. 50 is the number of dracut's modules for hardware.
boot_in += boot/dracut/module-setup.sh.in
if BOOT
dracutrdmadir = $(dracutmoduledir)/50rdma
dracutrdma_SCRIPTS = boot/dracut/module-setup.sh
endif
