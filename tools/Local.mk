# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
bin_PROGRAMS += tools/holdfast
tools_holdfast_CFLAGS = $(AM_CFLAGS) $(SMARTCOLS_CFLAGS) $(ELF_CFLAGS)
tools_holdfast_LDADD = libholdfast.la libhf-naming.la libhf-soft.la $(SMARTCOLS_LIBS) $(ELF_LIBS)
tools_holdfast_SOURCES = \
	tools/bounded.c \
	tools/bounded.h \
	tools/common.c \
	tools/common.h \
	tools/counters.c \
	tools/counters.h \
	tools/doctor.c \
	tools/doctor-device.c \
	tools/doctor-hardware.c \
	tools/doctor-host.c \
	tools/doctor-netns.c \
	tools/doctor-providers.c \
	tools/doctor.h \
	tools/holders.c \
	tools/info.c \
	tools/list.c \
	tools/main.c \
	tools/monitor.c \
	tools/monitor-exec.c \
	tools/monitor-print.c \
	tools/monitor.h \
	tools/name.c \
	tools/names.c \
	tools/names.h \
	tools/opened.c \
	tools/opened.h \
	tools/output.c \
	tools/output.h \
	tools/port-reason.c \
	tools/port-reason.h \
	tools/processes.c \
	tools/processes.h \
	tools/program.c \
	tools/program.h \
	tools/providers.c \
	tools/roots.c \
	tools/roots.h \
	tools/run-check.c \
	tools/run-paths.c \
	tools/run.c \
	tools/run.h \
	tools/soft-add.c \
	tools/soft-list.c \
	tools/soft.c \
	tools/soft.h \
	tools/wait.c

# Bash looks for a file of the command's own name.
dist_bashcompletion_DATA += tools/bash-completion/holdfast
