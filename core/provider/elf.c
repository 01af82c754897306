/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the dynamic section and symbols of an ELF library without loading it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"
#include "core/base/reason.h"
#include "core/provider/elf.h"
#include "core/provider/elf_reader.h"
#include "core/provider/elf_tables.h"

enum { DYNAMIC_MAX = 1024 };

/* A library must have the class, byte order and machine of this program. */
static int check_header(struct hf_elf_reader *r)
{
	const ElfW(Ehdr) *h = &r->header;
	const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	const uint16_t one = 1;
	const int data = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	int err;

	err = hfi_elf_read_at(r, &r->header, sizeof(r->header), 0);
	if (err)
		return err;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return hfi_elf_refuse(r, "an ELF library", "something else");
	if (h->e_ident[EI_CLASS] != class || h->e_ident[EI_DATA] != data)
		return hfi_elf_refuse(r, "a library for this machine",
				      "another word size or byte order");
	if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_type != ET_DYN)
		return hfi_elf_refuse(r, "a shared library", "another kind of ELF file");
	if (h->e_phentsize != sizeof(ElfW(Phdr)) || !h->e_phnum || h->e_phnum > HF_ELF_SEGMENTS_MAX)
		return hfi_elf_refuse(r, "a table of 1 to 64 segments", "another one");
	/* The loader ignores sections, but they are at the end of the file: they show whether it is cut off. */
	if (h->e_shoff && !hfi_elf_inside(r, h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize))
		return hfi_elf_refuse(r, "a whole file", "an early end");
	return hfi_elf_read_at(r, r->segments, h->e_phnum * sizeof(r->segments[0]), h->e_phoff);
}

static int check_segments(const struct hf_elf_reader *r, const ElfW(Phdr) * *dynamic)
{
	bool any = false;

	*dynamic = NULL;
	for (size_t i = 0; i < r->header.e_phnum; i++) {
		const ElfW(Phdr) *p = &r->segments[i];

		if (p->p_type == PT_DYNAMIC)
			*dynamic = p;
		if (p->p_type != PT_LOAD && p->p_type != PT_DYNAMIC)
			continue;
		if (!hfi_elf_inside(r, p->p_offset, p->p_filesz))
			return hfi_elf_refuse(r, "a whole file", "an early end");
		if (p->p_filesz > p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr)
			return hfi_elf_refuse(r, "sensible segments", "a segment that cannot be");
		if (p->p_type == PT_LOAD && p->p_align > 1 &&
		    ((p->p_align & (p->p_align - 1)) ||
		     (p->p_vaddr - p->p_offset) % p->p_align != 0))
			return hfi_elf_refuse(r, "sensible segments", "a segment out of line");
		any |= p->p_type == PT_LOAD;
	}
	return any && *dynamic ? 0 : hfi_elf_refuse(r, "segments to load", "none");
}

static int read_dynamic_section(const struct hf_elf_reader *r, const ElfW(Phdr) * segment,
				struct hf_elf_dynamic *ret)
{
	size_t count = segment->p_filesz / sizeof(ElfW(Dyn));
	ElfW(Dyn) * entries;
	int err;

	if (count > DYNAMIC_MAX)
		return hfi_elf_refuse(r, "a dynamic section of at most 1024 entries",
				      "a longer one");
	/* Not on the stack: threads may have as little as PTHREAD_STACK_MIN. */
	entries = calloc(count + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	err = hfi_elf_read_at(r, entries, count * sizeof(*entries), segment->p_offset);
	for (size_t i = 0; i < count && !err && entries[i].d_tag != DT_NULL; i++) {
		uint64_t value = entries[i].d_un.d_val;

		switch (entries[i].d_tag) {
		case DT_STRTAB:
			ret->strings = value;
			break;
		case DT_STRSZ:
			ret->strings_size = value;
			break;
		case DT_SYMTAB:
			ret->symbols = value;
			break;
		case DT_RELA:
			ret->relocations[0] = value;
			break;
		case DT_RELASZ:
			ret->relocations_size[0] = value;
			break;
		case DT_JMPREL:
			ret->relocations[1] = value;
			break;
		case DT_PLTRELSZ:
			ret->relocations_size[1] = value;
			break;
		case DT_HASH:
			ret->hash = value;
			break;
		case DT_GNU_HASH:
			ret->gnu_hash = value;
			break;
		case DT_VERSYM:
			ret->versions_of = value;
			break;
		case DT_VERNEED:
			ret->needed = value;
			break;
		case DT_VERDEF:
			ret->defined = value;
			break;
		default:
			break;
		}
	}
	free(entries);
	return err;
}

static bool in_image(const struct hf_elf_reader *r, uint64_t address, uint64_t length,
		     bool to_write)
{
	for (size_t i = 0; i < r->header.e_phnum; i++) {
		const ElfW(Phdr) *p = &r->segments[i];

		if (p->p_type == PT_LOAD && (!to_write || (p->p_flags & PF_W)) &&
		    address >= p->p_vaddr && address - p->p_vaddr <= p->p_memsz &&
		    length <= p->p_memsz - (address - p->p_vaddr))
			return true;
	}
	return false;
}

static uint64_t symbol_of(const ElfW(Rela) * entry)
{
	return sizeof(void *) == 8 ? ELF64_R_SYM(entry->r_info) : ELF32_R_SYM(entry->r_info);
}

/* The loader writes to the addresses in relocations without checking them. */
static int check_relocations(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			     int which)
{
	uint64_t size = d->relocations_size[which], last = 0;
	char *table;
	int err;

	if (!size)
		return 0;
	err = hfi_elf_read_table(r, d->relocations[which], size, &table);
	if (err)
		return err;
	for (uint64_t at = 0; at + sizeof(ElfW(Rela)) <= size && !err; at += sizeof(ElfW(Rela))) {
		ElfW(Rela) entry;
		uint64_t symbol;

		memcpy(&entry, table + 1 + at, sizeof(entry));
		symbol = symbol_of(&entry);
		if (!in_image(r, entry.r_offset, sizeof(void *), true))
			err = hfi_elf_refuse(r, "relocations within its data", "one outside");
		else if (!symbol && !in_image(r, (uint64_t)entry.r_addend, 0, false))
			err = hfi_elf_refuse(r, "pointers into itself", "one to elsewhere");
		if (symbol > last)
			last = symbol;
	}
	free(table);
	return !err && last ? hfi_elf_check_symbols(r, d, last) : err;
}

static int read_strings(const struct hf_elf_reader *r, const ElfW(Phdr) * segment, bool thorough,
			struct hf_elf *ret)
{
	struct hf_elf_dynamic d = {0};
	char *strings;
	int err;

	err = read_dynamic_section(r, segment, &d);
	for (int which = 0; which < 2 && !err; which++)
		err = check_relocations(r, &d, which);
	if (!err && thorough)
		err = hfi_elf_check_tables(r, &d);
	if (!err)
		err = hfi_elf_read_table(r, d.strings, d.strings_size, &strings);
	if (err)
		return err;
	ret->strings = strings;
	ret->size = d.strings_size + 2;
	return 0;
}

static int read_elf(const char *path, bool thorough, struct hf_elf *ret, struct hf_reason *reason)
{
	/* Not on the stack, which a thread may have made small. */
	struct hf_elf_reader *r = calloc(1, sizeof(*r));
	const ElfW(Phdr) * dynamic;
	struct stat st;
	int err;

	if (!r)
		return -ENOMEM;
	r->path = path;
	r->reason = reason;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd < 0 || fstat(r->fd, &st) < 0) {
		err = errno;
		hfi_reason_set(reason, err == ENOENT ? HF_REASON_FILE_MISSING : HF_REASON_LOAD,
			       "a readable file", strerrordesc_np(err), "%s: %s", path,
			       strerrordesc_np(err));
		err = -EACCES;
		goto close_file;
	}
	r->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	err = check_header(r);
	if (!err)
		err = check_segments(r, &dynamic);
	if (!err && ret)
		err = read_strings(r, dynamic, thorough, ret);
close_file:
	hfi_close(&r->fd);
	free(r);
	return err;
}

int hfi_elf_read(const char *path, struct hf_elf *ret, struct hf_reason *reason)
{
	return read_elf(path, false, ret, reason);
}

int hfi_elf_read_to_load(const char *path, struct hf_elf *ret, struct hf_reason *reason)
{
	return read_elf(path, true, ret, reason);
}

void hfi_elf_clear(struct hf_elf *elf)
{
	free(elf->strings);
	*elf = (struct hf_elf){0};
}

bool hfi_elf_names(const struct hf_elf *elf, const char *string)
{
	size_t length = strlen(string) + 1;

	if (elf->size < length + 1)
		return false;
	for (const char *at = elf->strings; at;) {
		size_t left = elf->size - (size_t)(at - elf->strings);

		/* Strings may share their ends ("x" within "max"). The strings searched for have a prefix that no other has. */
		at = memmem(at, left, string, length);
		if (!at || at[-1] == '\0')
			return at != NULL;
		at++;
	}
	return false;
}
