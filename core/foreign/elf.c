/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/reason.h"
#include "core/foreign/elf.h"

enum { SEGMENTS_MAX = 64, DYNAMIC_MAX = 1024, STRINGS_MAX = 4 << 20 };

struct reader {
	const char *path;
	int fd;
	uint64_t size;
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[SEGMENTS_MAX];
	struct hf_reason *reason;
};

static int refuse(const struct reader *r, const char *wanted, const char *found)
{
	hf_reason_set(r->reason, HF_REASON_LOAD, wanted, found,
		      "%s is damaged: %s where %s is needed", r->path, found, wanted);
	return -EACCES;
}

static bool inside(const struct reader *r, uint64_t offset, uint64_t length)
{
	return offset <= r->size && length <= r->size - offset;
}

static int read_at(const struct reader *r, void *to, size_t length, uint64_t offset)
{
	char *at = to;

	if (!inside(r, offset, length))
		return refuse(r, "a whole file", "an early end");
	while (length) {
		ssize_t got = pread(r->fd, at, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return refuse(r, "a readable file",
				      got ? strerrordesc_np(errno) : "its end");
		at += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* Of the program's own kind: what runs this code was built for it. */
static int check_header(struct reader *r)
{
	const ElfW(Ehdr) *h = &r->header;
	const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	const uint16_t one = 1;
	const int data = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	int err;

	err = read_at(r, &r->header, sizeof(r->header), 0);
	if (err)
		return err;
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(r, "an ELF library", "something else");
	if (h->e_ident[EI_CLASS] != class || h->e_ident[EI_DATA] != data)
		return refuse(r, "a library for this machine", "another word size or byte order");
	if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_type != ET_DYN)
		return refuse(r, "a shared library", "another kind of ELF file");
	if (h->e_phentsize != sizeof(ElfW(Phdr)) || !h->e_phnum || h->e_phnum > SEGMENTS_MAX)
		return refuse(r, "a table of 1 to 64 segments", "another one");
	/* The loader does not look at sections; but they end the file, so they show that it is cut. */
	if (h->e_shoff && !inside(r, h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize))
		return refuse(r, "a whole file", "an early end");
	return read_at(r, r->segments, h->e_phnum * sizeof(r->segments[0]), h->e_phoff);
}

static int check_segments(const struct reader *r, const ElfW(Phdr) * *dynamic)
{
	bool any = false;

	*dynamic = NULL;
	for (size_t i = 0; i < r->header.e_phnum; i++) {
		const ElfW(Phdr) *p = &r->segments[i];

		if (p->p_type == PT_DYNAMIC)
			*dynamic = p;
		if (p->p_type != PT_LOAD && p->p_type != PT_DYNAMIC)
			continue;
		if (!inside(r, p->p_offset, p->p_filesz))
			return refuse(r, "a whole file", "an early end");
		if (p->p_filesz > p->p_memsz || p->p_vaddr + p->p_memsz < p->p_vaddr)
			return refuse(r, "sensible segments", "a segment that cannot be");
		if (p->p_type == PT_LOAD && p->p_align > 1 &&
		    ((p->p_align & (p->p_align - 1)) ||
		     (p->p_vaddr - p->p_offset) % p->p_align != 0))
			return refuse(r, "sensible segments", "a segment out of line");
		any |= p->p_type == PT_LOAD;
	}
	return any && *dynamic ? 0 : refuse(r, "segments to load", "none");
}

/* Where in the file the bytes are that will stand at that address. */
static int offset_of(const struct reader *r, uint64_t address, uint64_t length, uint64_t *ret)
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
	return refuse(r, "tables within its segments", "one outside");
}

static int read_strings(const struct reader *r, const ElfW(Phdr) * dynamic, struct hf_elf *ret)
{
	ElfW(Dyn) entries[DYNAMIC_MAX];
	uint64_t table = 0, size = 0, offset;
	size_t count = dynamic->p_filesz / sizeof(entries[0]);
	char *strings;
	int err;

	if (count > DYNAMIC_MAX)
		return refuse(r, "a dynamic section of at most 1024 entries", "a longer one");
	err = read_at(r, entries, count * sizeof(entries[0]), dynamic->p_offset);
	if (err)
		return err;
	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		if (entries[i].d_tag == DT_STRTAB)
			table = entries[i].d_un.d_ptr;
		if (entries[i].d_tag == DT_STRSZ)
			size = entries[i].d_un.d_val;
	}
	if (!size || size > STRINGS_MAX)
		return refuse(r, "a table of names of at most 4 MiB", "another one");
	err = offset_of(r, table, size, &offset);
	if (err)
		return err;
	strings = calloc(1, size + 2);
	if (!strings)
		return -ENOMEM;
	err = read_at(r, strings + 1, size, offset);
	if (err) {
		free(strings);
		return err;
	}
	ret->strings = strings;
	ret->size = size + 2;
	return 0;
}

int hf_elf_read(const char *path, struct hf_elf *ret, struct hf_reason *reason)
{
	struct reader r = {.path = path, .reason = reason};
	const ElfW(Phdr) * dynamic;
	struct stat st;
	int err;

	r.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r.fd < 0 || fstat(r.fd, &st) < 0) {
		err = errno;
		hf_reason_set(reason, err == ENOENT ? HF_REASON_FILE_MISSING : HF_REASON_LOAD,
			      "a readable file", strerrordesc_np(err), "%s: %s", path,
			      strerrordesc_np(err));
		err = -EACCES;
		goto close_file;
	}
	r.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	err = check_header(&r);
	if (!err)
		err = check_segments(&r, &dynamic);
	if (!err)
		err = read_strings(&r, dynamic, ret);
close_file:
	hf_close(&r.fd);
	return err;
}

void hf_elf_clear(struct hf_elf *elf)
{
	free(elf->strings);
	*elf = (struct hf_elf){0};
}

bool hf_elf_names(const struct hf_elf *elf, const char *string)
{
	size_t length = strlen(string) + 1;

	if (elf->size < length + 1)
		return false;
	for (const char *at = elf->strings; at;) {
		size_t left = elf->size - (size_t)(at - elf->strings);

		/* Tables share tails ("x" within "max"), but what is looked for has a prefix none has. */
		at = memmem(at, left, string, length);
		if (!at || at[-1] == '\0')
			return at != NULL;
		at++;
	}
	return false;
}
