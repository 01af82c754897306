/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The match tables of a foreign library: copies, prints and parses them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/foreign/tables.h"

enum { LINE_MAX_BYTES = 512, PATTERN_MAX = 255 };

void hfi_tables_clear(struct hf_tables *tables)
{
	for (size_t i = 0; i < tables->num_rules; i++)
		free(tables->rules[i].pattern);
	free(tables->rules);
	tables->rules = NULL;
	tables->num_rules = 0;
}

static int add_table_rule(struct hf_tables *tables, const struct hf_rule *rule)
{
	struct hf_rule *grown;

	if (tables->num_rules == HF_MANIFEST_RULES_MAX)
		return -EINVAL;
	grown = tables->rules;
	/* There is room up to the next power of 2. */
	if (!(tables->num_rules & (tables->num_rules - 1)))
		grown = reallocarray(grown, 2 * tables->num_rules + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tables->rules = grown;
	grown[tables->num_rules] = *rule;
	if (rule->pattern) {
		grown[tables->num_rules].pattern = strdup(rule->pattern);
		if (!grown[tables->num_rules].pattern)
			return -ENOMEM;
	}
	tables->num_rules++;
	return 0;
}

static bool is_plain(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (!length || length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	return true;
}

static void put_hex16(char *to, uint16_t number)
{
	for (int i = 3; i >= 0; i--, number >>= 4)
		to[i] = "0123456789ABCDEF"[number & 0xf];
}

static int add_pci(struct hf_tables *tables, uint16_t vendor, uint16_t device)
{
	/*
	 * The kernel's form: pci:v%08Xd%08Xsv... (scripts/mod/file2alias.c). By hand: snprintf() for some 200 of
	 * them was a sixth of the instructions of a first list.
	 */
	char pattern[] = "pci:v0000vvvvd0000ddddsv*";

	put_hex16(pattern + strlen("pci:v0000"), vendor);
	put_hex16(pattern + strlen("pci:v0000vvvvd0000"), device);
	return add_table_rule(tables,
			      &(struct hf_rule){.kind = HF_RULE_MODALIAS, .pattern = pattern});
}

static int take_driver(struct hf_tables *tables, char *rest)
{
	char *name = strsep(&rest, " ");
	char *min = strsep(&rest, " ");
	uint64_t low, high;

	if (tables->name[0] || !rest || !hfi_is_name(name, sizeof(tables->name) - 1) ||
	    hfi_parse_number(min, 10, UINT32_MAX, &low) ||
	    hfi_parse_number(rest, 10, UINT32_MAX, &high))
		return -EINVAL;
	tables->abi_min = (uint32_t)low;
	tables->abi_max = (uint32_t)high;
	return hfi_copy(tables->name, sizeof(tables->name), name);
}

static int take_id(struct hf_tables *tables, char *rest)
{
	uint64_t number;

	if (hfi_parse_number(rest, 10, UINT32_MAX, &number) || !number)
		return -EINVAL;
	return add_table_rule(tables, &(struct hf_rule){.kind = HF_RULE_DRIVER_ID,
							.driver_id = (uint32_t)number});
}

static int take_pci(struct hf_tables *tables, char *rest)
{
	char *vendor = strsep(&rest, " ");
	uint64_t v, d;

	if (!rest || hfi_parse_number(vendor, 16, UINT16_MAX, &v) ||
	    hfi_parse_number(rest, 16, UINT16_MAX, &d))
		return -EINVAL;
	return add_pci(tables, (uint16_t)v, (uint16_t)d);
}

static int take_alias(struct hf_tables *tables, char *rest)
{
	if (!is_plain(rest, PATTERN_MAX))
		return -EINVAL;
	return add_table_rule(tables, &(struct hf_rule){.kind = HF_RULE_EITHER, .pattern = rest});
}

static int take_asks(struct hf_tables *tables, char *rest)
{
	tables->asks = true;
	return *rest ? -EINVAL : 0;
}

static int take_file(struct hf_tables *tables, char *rest)
{
	if (rest[0] != '/' || !is_plain(rest, sizeof(tables->file) - 1))
		return -EINVAL;
	return hfi_copy(tables->file, sizeof(tables->file), rest);
}

static int take_error(struct hf_tables *tables, char *rest)
{
	if (!is_plain(rest, sizeof(tables->error) - 1))
		return -EINVAL;
	return hfi_copy(tables->error, sizeof(tables->error), rest);
}

static const struct {
	const char *word;
	int (*take)(struct hf_tables *tables, char *rest);
} lines[] = {
	{"driver", take_driver}, {"asks", take_asks}, {"id", take_id},	     {"pci", take_pci},
	{"alias", take_alias},	 {"file", take_file}, {"error", take_error},
};

/* 1: the block has ended. */
static int parse_table_line(struct hf_tables *tables, char *line)
{
	char *rest = line;
	char *word = strsep(&rest, " ");

	if (!rest)
		rest = word + strlen(word);
	if (!strcmp(word, "end"))
		return *rest || (!tables->name[0] && !tables->error[0]) ? -EINVAL : 1;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lines); i++)
		if (!strcmp(word, lines[i].word))
			return lines[i].take(tables, rest);
	return -EINVAL;
}

int hfi_tables_parse(const char **text, struct hf_tables *ret)
{
	struct hf_tables tables = {0};
	const char *at = *text;
	int err = 0;

	while (!err) {
		char line[LINE_MAX_BYTES];
		size_t length = strcspn(at, "\n");

		if (!at[length] || length >= sizeof(line)) {
			err = -EINVAL;
			break;
		}
		memcpy(line, at, length);
		line[length] = '\0';
		at += length + 1;
		err = parse_table_line(&tables, line);
	}
	if (err < 0) {
		hfi_tables_clear(&tables);
		return err;
	}
	*text = at;
	*ret = tables;
	return 0;
}

static int take_entry(struct hf_tables *tables, const struct verbs_match_ent *entry)
{
	switch (entry->kind) {
	case HF_MATCH_PCI:
		return add_pci(tables, entry->vendor, entry->device);
	case HF_MATCH_MODALIAS:
		if (!entry->u.modalias || !is_plain(entry->u.modalias, PATTERN_MAX))
			return -EINVAL;
		/* NOLINTNEXTLINE(clang-analyzer-*): add_table_rule() copies it */
		return add_table_rule(
			tables, &(struct hf_rule){.kind = HF_RULE_EITHER,
						  .pattern = (char *)(uintptr_t)entry->u.modalias});
	case HF_MATCH_DRIVER_ID:
		if (!entry->u.driver_id || entry->u.driver_id > UINT32_MAX)
			return 0; /* no kernel reports such a number */
		return add_table_rule(tables,
				      &(struct hf_rule){.kind = HF_RULE_DRIVER_ID,
							.driver_id = (uint32_t)entry->u.driver_id});
	default:
		return -EINVAL;
	}
}

int hfi_tables_take(const struct verbs_device_ops *ops, struct hf_tables *ret)
{
	struct hf_tables tables = {
		.abi_min = ops->match_min_abi_version,
		.abi_max = ops->match_max_abi_version,
		.asks = ops->match_device != NULL,
	};
	int err = -EINVAL;

	if (ops->name && hfi_is_name(ops->name, sizeof(tables.name) - 1))
		err = hfi_copy(tables.name, sizeof(tables.name), ops->name);
	for (const struct verbs_match_ent *e = ops->match_table; !err && e && e->kind; e++)
		err = take_entry(&tables, e);
	if (err)
		hfi_tables_clear(&tables);
	else
		*ret = tables;
	return err;
}

static void print_rule(const struct hf_rule *rule, FILE *to)
{
	unsigned int vendor, device;

	if (rule->kind == HF_RULE_DRIVER_ID)
		fprintf(to, "id %" PRIu32 "\n", rule->driver_id);
	else if (rule->kind == HF_RULE_EITHER)
		fprintf(to, "alias %s\n", rule->pattern);
	else if (sscanf(rule->pattern, "pci:v%8Xd%8Xsv", &vendor, &device) == 2)
		fprintf(to, "pci %x %x\n", vendor, device);
}

int hfi_tables_print(const struct hf_tables *tables, FILE *to)
{
	if (tables->error[0])
		fprintf(to, "error %s\n", tables->error);
	else
		fprintf(to, "driver %s %" PRIu32 " %" PRIu32 "\n%s", tables->name, tables->abi_min,
			tables->abi_max, tables->asks ? "asks\n" : "");
	if (tables->file[0])
		fprintf(to, "file %s\n", tables->file);
	for (size_t i = 0; i < tables->num_rules && !tables->error[0]; i++)
		print_rule(&tables->rules[i], to);
	fputs("end\n", to);
	return ferror(to) ? -EIO : 0;
}
