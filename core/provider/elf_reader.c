/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads parts of an ELF file, none of which may lead outside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/reason.h"
#include "core/provider/elf_reader.h"

int hfi_elf_refuse(const struct hf_elf_reader *r, const char *wanted, const char *found)
{
	hfi_reason_set(r->reason, HF_REASON_LOAD, wanted, found,
		       "%s is damaged: %s where %s is needed", r->path, found, wanted);
	return -EACCES;
}

bool hfi_elf_inside(const struct hf_elf_reader *r, uint64_t offset, uint64_t length)
{
	return offset <= r->size && length <= r->size - offset;
}

int hfi_elf_read_at(const struct hf_elf_reader *r, void *to, size_t length, uint64_t offset)
{
	char *at = to;

	if (!hfi_elf_inside(r, offset, length))
		return hfi_elf_refuse(r, "a whole file", "an early end");
	while (length) {
		ssize_t got = pread(r->fd, at, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return hfi_elf_refuse(r, "a readable file",
					      got ? strerrordesc_np(errno) : "its end");
		at += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* The file offset of the bytes that are loaded at that address. */
static int offset_of(const struct hf_elf_reader *r, uint64_t address, uint64_t length,
		     uint64_t *ret)
{
	for (size_t i = 0; i < r->header.e_phnum; i++) {
		const ElfW(Phdr) *p = &r->segments[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
		    address - p->p_vaddr > p->p_filesz ||
		    length > p->p_filesz - (address - p->p_vaddr))
			continue;
		*ret = p->p_offset + (address - p->p_vaddr);
		return 0;
	}
	return hfi_elf_refuse(r, "tables within its segments", "one outside");
}

uint64_t hfi_elf_rest(const struct hf_elf_reader *r, uint64_t address)
{
	for (size_t i = 0; i < r->header.e_phnum; i++) {
		const ElfW(Phdr) *p = &r->segments[i];

		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz)
			return p->p_filesz - (address - p->p_vaddr);
	}
	return 0;
}

int hfi_elf_read_table(const struct hf_elf_reader *r, uint64_t address, uint64_t size, void *ret)
{
	uint64_t offset = 0;
	char *table;
	int err;

	if (!size || size > HF_ELF_TABLE_MAX)
		return hfi_elf_refuse(r, "tables of 1 byte to 4 MiB", "another size");
	err = offset_of(r, address, size, &offset);
	if (err)
		return err;
	table = calloc(1, size + 2);
	if (!table)
		return -ENOMEM;
	err = hfi_elf_read_at(r, table + 1, size, offset);
	if (err)
		free(table);
	else
		*(char **)ret = table;
	return err;
}
