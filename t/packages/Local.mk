# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Debian packages, and their tests: ci/tier/packages runs them.
EXTRA_DIST += t/packages/lib.sh t/packages/build t/packages/lint t/packages/install t/packages/boot
EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/diverted \
	debian/holdfast-boot.README.Debian \
	debian/holdfast-boot.install \
	debian/holdfast-boot.lintian-overrides \
	debian/holdfast-boot.postinst \
	debian/holdfast-boot.postrm \
	debian/holdfast-boot.preinst \
	debian/holdfast-boot.prerm \
	debian/holdfast-boot.triggers \
	debian/holdfast-compat.README.Debian \
	debian/holdfast-compat.install \
	debian/holdfast-compat.lintian-overrides \
	debian/holdfast-compat.triggers \
	debian/holdfast-doc.docs \
	debian/holdfast-doc.examples \
	debian/holdfast-doc.install \
	debian/holdfast-providers.install \
	debian/holdfast.install \
	debian/libholdfast-dev.install \
	debian/libholdfast0.install \
	debian/librtrs-dev.install \
	debian/librtrs-rdma.install \
	debian/librtrs0.install \
	debian/librtrs0.symbols \
	debian/rtrs-tools.install \
	debian/libholdfast0.postrm \
	debian/libholdfast0.symbols \
	debian/nbdkit-plugin-rtrs.install \
	debian/not-installed \
	debian/rtrs-blk.install \
	debian/rules \
	debian/source/format
