/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the ELF file of a program or library: kind, loader, RPATH, versioned symbols. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common.h"
#include "tools/program.h"

struct image {
	int fd;
	Elf *elf; /* NULL: not ELF */
	GElf_Ehdr header;
	Elf_Data *dynamic;
	Elf_Data *symbols;
	Elf_Data *versions; /* a version number for each symbol */
	Elf_Data *needed;   /* versions imported from other files */
	Elf_Data *defined;  /* versions that this file defines */
	size_t strings, needed_strings, defined_strings, dynamic_strings;
	size_t num_symbols, num_dynamic;
	size_t num_needed, num_defined;
};

static void image_close(struct image *image)
{
	elf_end(image->elf);
	close(image->fd);
}

/* Reads without mmap: if the file shrinks meanwhile, a mapping would raise SIGBUS. */
static int image_open(const char *path, struct image *ret)
{
	struct image image = {0};
	struct stat status;
	char magic[SELFMAG];
	int err;

	elf_version(EV_CURRENT);
	image.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (image.fd < 0)
		return -errno;
	if (fstat(image.fd, &status) || !S_ISREG(status.st_mode)) {
		err = -EACCES;
		goto fail;
	}
	image.elf = elf_begin(image.fd, ELF_C_READ, NULL);
	if (image.elf && elf_kind(image.elf) != ELF_K_ELF) {
		elf_end(image.elf);
		image.elf = NULL;
	}
	/* libelf does not recognize an ELF file that ends within its header. Report it as invalid. */
	if (!image.elf && pread(image.fd, magic, SELFMAG, 0) == SELFMAG &&
	    !memcmp(magic, ELFMAG, SELFMAG)) {
		err = -ENOEXEC;
		goto fail;
	}
	if (image.elf && !gelf_getehdr(image.elf, &image.header)) {
		elf_end(image.elf);
		err = -ENOEXEC;
		goto fail;
	}
	*ret = image;
	return 0;

fail:
	close(image.fd);
	return err;
}

static void find_sections(struct image *image)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(image->elf, section))) {
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
			continue;
		data = elf_getdata(section, NULL);
		if (!data)
			continue;
		switch (header.sh_type) {
		case SHT_DYNAMIC:
			image->dynamic = data;
			image->dynamic_strings = header.sh_link;
			image->num_dynamic = header.sh_entsize ? header.sh_size / header.sh_entsize
							       : 0;
			break;
		case SHT_DYNSYM:
			image->symbols = data;
			image->strings = header.sh_link;
			image->num_symbols = header.sh_entsize ? header.sh_size / header.sh_entsize
							       : 0;
			break;
		case SHT_GNU_versym:
			image->versions = data;
			break;
		case SHT_GNU_verneed:
			image->needed = data;
			image->needed_strings = header.sh_link;
			image->num_needed = header.sh_info;
			break;
		case SHT_GNU_verdef:
			image->defined = data;
			image->defined_strings = header.sh_link;
			image->num_defined = header.sh_info;
			break;
		default:
			break;
		}
	}
}

static char *copy_of(const char *text)
{
	return text ? hfi_tool_print("%s", text) : NULL;
}

static void read_dynamic_entries(struct image *image, struct hf_program *program)
{
	GElf_Dyn entry;
	bool runpath = false;

	for (size_t i = 0; image->dynamic && i < image->num_dynamic; i++) {
		if (!gelf_getdyn(image->dynamic, (int)i, &entry) || entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_RUNPATH)
			runpath = true;
		if (entry.d_tag == DT_RPATH && !program->rpath)
			program->rpath = copy_of(
				elf_strptr(image->elf, image->dynamic_strings, entry.d_un.d_val));
	}
	if (runpath) {
		free(program->rpath);
		program->rpath = NULL;
	}
}

/* The loader's path from PT_INTERP; NULL if it has no terminating NUL. */
static char *loader_of(const struct image *image, const GElf_Phdr *segment)
{
	char path[1024];
	ssize_t got;

	if (segment->p_filesz < 2 || segment->p_filesz > sizeof(path))
		return NULL;
	got = pread(image->fd, path, segment->p_filesz, (off_t)segment->p_offset);
	if (got != (ssize_t)segment->p_filesz || path[got - 1])
		return NULL;
	return hfi_tool_print("%s", path);
}

static enum hf_program_kind file_kind_of(struct image *image, char **ret_loader)
{
	bool dynamic = false;
	GElf_Phdr segment;
	size_t count;

	*ret_loader = NULL;
	if (elf_getphdrnum(image->elf, &count))
		return HF_PROGRAM_BROKEN;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(image->elf, (int)i, &segment))
			return HF_PROGRAM_BROKEN;
		if (segment.p_type == PT_DYNAMIC)
			dynamic = true;
		if (segment.p_type == PT_INTERP && !*ret_loader) {
			*ret_loader = loader_of(image, &segment);
			if (!*ret_loader)
				return HF_PROGRAM_BROKEN;
		}
	}
	if (*ret_loader)
		return HF_PROGRAM_DYNAMIC;
	if (image->header.e_type == ET_DYN && dynamic) {
		/* A static PIE is ET_DYN without a loader as well; DF_1_PIE tells it from a library. */
		GElf_Dyn entry;

		for (size_t i = 0; image->dynamic && i < image->num_dynamic; i++)
			if (gelf_getdyn(image->dynamic, (int)i, &entry) &&
			    entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE))
				return HF_PROGRAM_STATIC;
		return HF_PROGRAM_LIBRARY;
	}
	return image->header.e_type == ET_EXEC ? HF_PROGRAM_STATIC : HF_PROGRAM_BROKEN;
}

int hfi_program_read(const char *path, struct hf_program *ret)
{
	struct hf_program program = {.kind = HF_PROGRAM_SCRIPT};
	struct image image = {0};
	int err;

	err = image_open(path, &image);
	if (err == -ENOEXEC) {
		program.kind = HF_PROGRAM_BROKEN;
		*ret = program;
		return 0;
	}
	if (err)
		return err;
	if (image.elf) {
		find_sections(&image);
		program.bits = gelf_getclass(image.elf) == ELFCLASS64 ? 64 : 32;
		program.machine = image.header.e_machine;
		program.kind = file_kind_of(&image, &program.loader);
		read_dynamic_entries(&image, &program);
	}
	image_close(&image);
	*ret = program;
	return 0;
}

void hfi_program_free(struct hf_program *program)
{
	free(program->loader);
	free(program->rpath);
}

/* No real file has more version numbers than this. */
enum { VERSIONS_MAX = 1024 };

struct versions {
	const char *names[VERSIONS_MAX];
};

/* File offsets are untrusted: reject a sum that overflows libelf's int. */
static bool advance(int *at, GElf_Word distance)
{
	return !__builtin_add_overflow(*at, distance, at);
}

static void take_version(const struct image *image, struct versions *versions, size_t strings,
			 unsigned int number, GElf_Word name)
{
	number &= 0x7fff;
	if (number < VERSIONS_MAX)
		versions->names[number] = elf_strptr(image->elf, strings, name);
}

/* Collects the versions that the file imports from the library `soname`. */
static void imported_versions(const struct image *image, const char *soname,
			      struct versions *versions)
{
	size_t steps = 0;
	int at = 0;

	for (size_t i = 0; image->needed && i < image->num_needed; i++) {
		GElf_Verneed need;
		const char *file;
		int aux_at = at;

		if (!gelf_getverneed(image->needed, at, &need) || !advance(&aux_at, need.vn_aux))
			return;
		file = elf_strptr(image->elf, image->needed_strings, need.vn_file);
		for (unsigned int j = 0; j < need.vn_cnt; j++) {
			GElf_Vernaux aux;

			if (++steps > VERSIONS_MAX || !gelf_getvernaux(image->needed, aux_at, &aux))
				return;
			if (file && !strcmp(file, soname))
				take_version(image, versions, image->needed_strings, aux.vna_other,
					     aux.vna_name);
			if (!aux.vna_next || !advance(&aux_at, aux.vna_next))
				break;
		}
		if (!need.vn_next || ++steps > VERSIONS_MAX || !advance(&at, need.vn_next))
			return;
	}
}

/* Collects the versions that the file defines. */
static void own_versions(const struct image *image, struct versions *versions)
{
	int at = 0;

	for (size_t i = 0; image->defined && i < image->num_defined && i < VERSIONS_MAX; i++) {
		GElf_Verdef definition;
		GElf_Verdaux aux;
		int aux_at = at;

		if (!gelf_getverdef(image->defined, at, &definition) ||
		    !advance(&aux_at, definition.vd_aux) ||
		    !gelf_getverdaux(image->defined, aux_at, &aux))
			return;
		/* The base version is the file's own name. */
		if (!(definition.vd_flags & VER_FLG_BASE))
			take_version(image, versions, image->defined_strings, definition.vd_ndx,
				     aux.vda_name);
		if (!definition.vd_next || !advance(&at, definition.vd_next))
			return;
	}
}

static void add_symbol(struct hf_symbols *list, const char *name, const char *version, bool weak)
{
	list->v = hfi_tool_alloc(list->v, list->count + 1, sizeof(*list->v));
	list->v[list->count++] =
		(struct hf_symbol){hfi_tool_print("%s", name), hfi_tool_print("%s", version), weak};
}

int hfi_program_symbols(const char *path, const char *soname, struct hf_symbols *ret)
{
	struct versions versions = {0};
	struct hf_symbols list = {0};
	struct image image = {0};
	int err;

	err = image_open(path, &image);
	if (err)
		return err;
	if (!image.elf) {
		image_close(&image);
		return -ENOEXEC;
	}
	find_sections(&image);
	if (soname)
		imported_versions(&image, soname, &versions);
	else
		own_versions(&image, &versions);
	for (size_t i = 1; image.symbols && image.versions && i < image.num_symbols; i++) {
		const char *name, *version;
		GElf_Versym number;
		GElf_Sym symbol;

		if (!gelf_getsym(image.symbols, (int)i, &symbol) ||
		    !gelf_getversym(image.versions, (int)i, &number))
			break;
		if ((symbol.st_shndx == SHN_UNDEF) != !!soname)
			continue;
		number &= 0x7fff;
		version = number < VERSIONS_MAX ? versions.names[number] : NULL;
		name = elf_strptr(image.elf, image.strings, symbol.st_name);
		if (name && version)
			add_symbol(&list, name, version, GELF_ST_BIND(symbol.st_info) == STB_WEAK);
	}
	image_close(&image);
	*ret = list;
	return 0;
}

int hfi_program_data(const char *path, void (*take)(void *arg, const char *bytes, size_t size),
		     void *arg)
{
	struct image image = {0};
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int err;

	err = image_open(path, &image);
	if (err)
		return err;
	if (!image.elf)
		err = -ENOEXEC;
	while (!err && (section = elf_nextscn(image.elf, section))) {
		Elf_Data *data = NULL;

		/* DT_NEEDED's names are in a section of another type. */
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_PROGBITS &&
		    (header.sh_flags & SHF_ALLOC) && !(header.sh_flags & SHF_EXECINSTR))
			data = elf_rawdata(section, NULL);
		if (data && data->d_buf)
			take(arg, data->d_buf, data->d_size);
	}
	image_close(&image);
	return err;
}

const struct hf_symbol *hfi_symbol_find(const struct hf_symbols *list, const char *name,
					const char *version)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->v[i].name, name) && !strcmp(list->v[i].version, version))
			return &list->v[i];
	return NULL;
}

void hfi_symbols_free(struct hf_symbols *symbols)
{
	for (size_t i = 0; i < symbols->count; i++) {
		free(symbols->v[i].name);
		free(symbols->v[i].version);
	}
	free(symbols->v);
}
