/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Checks the tables of an ELF library that the loader follows without checking them: hash chains and versions. */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/provider/elf_tables.h"

/* A table from its beginning to the end of its segment: the loader knows no other end. */
struct table {
	char *bytes; /* free() */
	const char *at;
	uint64_t size;
};

static int open_table(const struct hf_elf_reader *r, uint64_t address, struct table *ret)
{
	uint64_t size = hfi_elf_rest(r, address);
	int err;

	if (size > HF_ELF_TABLE_MAX)
		size = HF_ELF_TABLE_MAX;
	err = hfi_elf_read_table(r, address, size, &ret->bytes);
	if (err)
		return err;
	ret->at = ret->bytes + 1;
	ret->size = size;
	return 0;
}

/* Copies a record; false: it is not wholly within the table. */
static bool take_record(const struct table *table, uint64_t at, void *to, size_t size)
{
	if (at > table->size || size > table->size - at)
		return false;
	memcpy(to, table->at + at, size);
	return true;
}

static uint32_t word_at(const struct table *table, uint64_t number)
{
	uint32_t word = 0;

	memcpy(&word, table->at + number * sizeof(word), sizeof(word));
	return word;
}

/* Each symbol is in one chain at most, so all chains together are no longer than the table. */
static int check_chains(const struct hf_elf_reader *r, const struct table *table, uint64_t buckets,
			uint64_t symbols)
{
	uint64_t steps = 0;

	for (uint64_t i = 0; i < buckets; i++) {
		uint32_t symbol = word_at(table, 2 + i);

		while (symbol) {
			if (symbol >= symbols)
				return hfi_elf_refuse(r, "a hash table of its symbols",
						      "one that leads outside");
			if (++steps > symbols)
				return hfi_elf_refuse(r, "a hash table with an end", "a loop");
			symbol = word_at(table, 2 + buckets + symbol);
		}
	}
	return 0;
}

/* The older hash table. Returns the number of its symbols in *symbols. */
static int check_old_hash(const struct hf_elf_reader *r, uint64_t address, uint64_t *symbols)
{
	uint32_t counts[2] = {0}; /* buckets, symbols */
	struct table table;
	int err;

	err = open_table(r, address, &table);
	if (err)
		return err;
	if (!take_record(&table, 0, counts, sizeof(counts)) || !counts[0] ||
	    2 + (uint64_t)counts[0] + counts[1] > table.size / sizeof(uint32_t))
		err = hfi_elf_refuse(r, "a hash table of its symbols", "one of another size");
	else
		err = check_chains(r, &table, counts[0], counts[1]);
	*symbols = counts[1];
	free(table.bytes);
	return err;
}

/* The newer one: a chain ends where the lowest bit is set. False: one leads outside. */
static bool count_symbols(const struct table *table, uint64_t *symbols)
{
	struct {
		uint32_t buckets, first, bloom, shift;
	} header = {0};
	const uint64_t words = table->size / sizeof(uint32_t);
	uint64_t buckets, chains, last = 0;

	if (!take_record(table, 0, &header, sizeof(header)) || !header.buckets || !header.bloom ||
	    (header.bloom & (header.bloom - 1)))
		return false;
	buckets = sizeof(header) / sizeof(uint32_t) +
		  (uint64_t)header.bloom * (sizeof(void *) / sizeof(uint32_t));
	chains = buckets + header.buckets;
	if (chains > words)
		return false;
	for (uint64_t i = buckets; i < chains; i++) {
		const uint32_t symbol = word_at(table, i);

		if (symbol && symbol < header.first)
			return false;
		if (symbol > last)
			last = symbol;
	}
	*symbols = header.first;
	/* The chain that begins last ends last. */
	for (uint64_t i = last ? chains + last - header.first : words; i < words; i++)
		if (word_at(table, i) & 1) {
			*symbols = header.first + (i - chains) + 1;
			return true;
		}
	return !last;
}

static int check_gnu_hash(const struct hf_elf_reader *r, uint64_t address, uint64_t *symbols)
{
	struct table table;
	int err;

	err = open_table(r, address, &table);
	if (err)
		return err;
	if (!count_symbols(&table, symbols))
		err = hfi_elf_refuse(r, "a hash table of its symbols", "one that leads outside");
	free(table.bytes);
	return err;
}

static int refuse_versions(const struct hf_elf_reader *r)
{
	return hfi_elf_refuse(r, "a table of versions within its segment", "another one");
}

/* Goes on to the next record of a list: 1; 0: that was the last; negative: it would overlap this one. */
static int next_record(const struct hf_elf_reader *r, uint64_t *at, uint32_t distance, size_t size)
{
	if (!distance)
		return 0;
	*at += distance;
	return distance < size ? refuse_versions(r) : 1;
}

/* What it wants of one library. */
static int check_wanted(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			const struct table *table, uint64_t at, uint32_t *highest)
{
	ElfW(Vernaux) name = {0};
	int more;

	do {
		if (!take_record(table, at, &name, sizeof(name)) ||
		    name.vna_name >= d->strings_size)
			return refuse_versions(r);
		if ((name.vna_other & 0x7fff) > *highest)
			*highest = name.vna_other & 0x7fff;
		more = next_record(r, &at, name.vna_next, sizeof(name));
	} while (more > 0);
	return more;
}

/* Versions that it wants of other libraries. The highest number is left in *highest. */
static int check_needed(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			uint32_t *highest)
{
	struct table table;
	uint64_t at = 0;
	ElfW(Verneed) file = {0};
	int more;

	more = open_table(r, d->needed, &table);
	if (more)
		return more;
	do {
		if (!take_record(&table, at, &file, sizeof(file)) ||
		    file.vn_file >= d->strings_size)
			more = refuse_versions(r);
		else
			more = check_wanted(r, d, &table, at + file.vn_aux, highest);
		if (!more)
			more = next_record(r, &at, file.vn_next, sizeof(file));
	} while (more > 0);
	free(table.bytes);
	return more;
}

static int check_defined(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			 uint32_t *highest)
{
	struct table table;
	uint64_t at = 0;
	ElfW(Verdef) version = {0};
	int more;

	more = open_table(r, d->defined, &table);
	if (more)
		return more;
	do {
		ElfW(Verdaux) name = {0};

		if (!take_record(&table, at, &version, sizeof(version)) ||
		    !take_record(&table, at + version.vd_aux, &name, sizeof(name)) ||
		    name.vda_name >= d->strings_size) {
			more = refuse_versions(r);
			break;
		}
		if ((version.vd_ndx & 0x7fff) > *highest)
			*highest = version.vd_ndx & 0x7fff;
		more = next_record(r, &at, version.vd_next, sizeof(version));
	} while (more > 0);
	free(table.bytes);
	return more;
}

/* The number of each symbol's version must be one of those. */
static int check_numbers(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			 uint64_t symbols, uint32_t highest)
{
	char *table;
	int err;

	if (!symbols)
		return 0;
	err = hfi_elf_read_table(r, d->versions_of, symbols * sizeof(uint16_t), &table);
	if (err)
		return err;
	for (uint64_t i = 0; i < symbols && !err; i++) {
		uint16_t number;

		memcpy(&number, table + 1 + i * sizeof(number), sizeof(number));
		if ((number & 0x7fff) > highest)
			err = hfi_elf_refuse(r, "symbols of versions that it names", "another one");
	}
	free(table);
	return err;
}

static int check_versions(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			  uint64_t symbols)
{
	uint32_t highest = 1; /* 0 and 1 are no version */
	int err = 0;

	if (d->needed)
		err = check_needed(r, d, &highest);
	if (!err && d->defined)
		err = check_defined(r, d, &highest);
	if (!err && d->versions_of && (d->needed || d->defined))
		err = check_numbers(r, d, symbols, highest);
	return err;
}

int hfi_elf_check_symbols(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d,
			  uint64_t last)
{
	char *table;
	int err = hfi_elf_read_table(r, d->symbols, (last + 1) * sizeof(ElfW(Sym)), &table);

	if (err)
		return err;
	for (uint64_t number = 1; number <= last && !err; number++) {
		ElfW(Sym) symbol;

		memcpy(&symbol, table + 1 + number * sizeof(symbol), sizeof(symbol));
		if (symbol.st_name >= d->strings_size)
			err = hfi_elf_refuse(r, "symbols with names", "one without");
	}
	free(table);
	return err;
}

int hfi_elf_check_tables(const struct hf_elf_reader *r, const struct hf_elf_dynamic *d)
{
	uint64_t symbols = 0, more = 0;
	int err = 0;

	if (!d->hash && !d->gnu_hash)
		return hfi_elf_refuse(r, "a hash table of its symbols", "none");
	if (d->hash)
		err = check_old_hash(r, d->hash, &symbols);
	if (!err && d->gnu_hash)
		err = check_gnu_hash(r, d->gnu_hash, &more);
	if (more > symbols)
		symbols = more;
	if (!err && symbols > 1)
		err = hfi_elf_check_symbols(r, d, symbols - 1);
	return err ? err : check_versions(r, d, symbols);
}
