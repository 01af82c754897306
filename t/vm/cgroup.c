/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-cgroup DIRECTORY MAJOR MINOR deny|allow: what a container engine and systemd do with DeviceAllow=. Gives a
 * control group of version 2 a program that denies one character device, or one that denies nothing in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#define LOAD(to, member)                                                                  \
	{                                                                                 \
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = BPF_REG_1, \
		.off = offsetof(struct bpf_cgroup_dev_ctx, member)                        \
	}
#define SET(to, value)                                                                    \
	{                                                                                 \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (int)(value) \
	}
#define JUMP_UNLESS(reg, value, over)                                               \
	{                                                                           \
		.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (reg), .off = (over), \
		.imm = (int)(value)                                                 \
	}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	const unsigned long major = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
	const unsigned long minor = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	const struct bpf_insn program[] = {
		LOAD(BPF_REG_2, major),
		LOAD(BPF_REG_3, minor),
		SET(BPF_REG_0, 1),
		JUMP_UNLESS(BPF_REG_2, major, 2),
		JUMP_UNLESS(BPF_REG_3, minor, 1),
		SET(BPF_REG_0, argc == 5 && !strcmp(argv[4], "deny") ? 0 : 1),
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (unsigned long)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (unsigned long)"Dual BSD/GPL",
	};
	union bpf_attr attach = {.attach_type = BPF_CGROUP_DEVICE};
	int group, fd;

	if (argc != 5) {
		fprintf(stderr, "usage: vm-cgroup DIRECTORY MAJOR MINOR deny|allow\n");
		return 2;
	}
	group = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = group < 0 ? -1 : bpf(BPF_PROG_LOAD, &load);
	attach.target_fd = (unsigned int)group;
	attach.attach_bpf_fd = (unsigned int)fd;
	if (fd < 0 || bpf(BPF_PROG_ATTACH, &attach) < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return 0;
}
