# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What an initrd by dracut needs. The number is where dracut's modules for hardware are.
boot_in += boot/dracut/module-setup.sh.in
if BOOT
dracutrdmadir = $(dracutmoduledir)/50rdma
dracutrdma_SCRIPTS = boot/dracut/module-setup.sh
endif
