/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses the manifest of a provider. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/reason.h"
#include "shared/text.h"
#include "core/provider/manifest.h"

/* What one line is parsed into; `line` counts from 1 for the message. */
struct parser {
	struct hf_manifest *manifest;
	struct hf_reason *reason;
	unsigned int line;
	bool have_abi;
	bool have_file;
};

static int refuse_line(struct parser *p, const char *wanted, const char *found)
{
	hfi_reason_set(p->reason, HF_REASON_BAD_MANIFEST, wanted, found, "%s line %u: wanted %s",
		       p->manifest->path, p->line, wanted);
	return -EINVAL;
}

static int add_rule(struct parser *p, enum hf_rule_kind kind, uint32_t driver_id,
		    const char *pattern)
{
	struct hf_manifest *m = p->manifest;
	struct hf_rule *rules;
	char *copy = NULL;

	if (m->num_rules == HF_MANIFEST_RULES_MAX)
		return refuse_line(p, "at most 1024 match lines", "more");
	if (pattern && !(copy = strdup(pattern)))
		return -ENOMEM;
	rules = reallocarray(m->rules, m->num_rules + 1, sizeof(*rules));
	if (!rules) {
		free(copy);
		return -ENOMEM;
	}
	m->rules = rules;
	rules[m->num_rules++] = (struct hf_rule){kind, driver_id, copy};
	return 0;
}

static int set_name(struct parser *p, const char *value)
{
	if (!hfi_is_name(value, sizeof(p->manifest->name) - 1))
		return refuse_line(p, "a name of up to 63 characters", value);
	return hfi_copy(p->manifest->name, sizeof(p->manifest->name), value);
}

static int set_version(struct parser *p, const char *value)
{
	if (hfi_copy(p->manifest->version, sizeof(p->manifest->version), value))
		return refuse_line(p, "a version of up to 31 characters", value);
	return 0;
}

static int set_file(struct parser *p, const char *value)
{
	struct hf_manifest *m = p->manifest;
	const char *slash = strrchr(m->path, '/');

	if (!hfi_is_name(value, HF_PATH_MAX - 1))
		return refuse_line(p, "the name of a file beside the manifest", value);
	if (hfi_print(m->file, sizeof(m->file), "%.*s%s", slash ? (int)(slash - m->path) + 1 : 0,
		      m->path, value))
		return refuse_line(p, "a path of up to 255 characters", value);
	p->have_file = true;
	return 0;
}

static int set_abi(struct parser *p, const char *value)
{
	uint64_t number;

	if (hfi_parse_number(value, 10, UINT32_MAX, &number))
		return refuse_line(p, "an ABI number", value);
	p->manifest->abi = (uint32_t)number;
	p->have_abi = true;
	return 0;
}

/* "N" or "MIN..MAX" */
static int set_kernel_abi(struct parser *p, const char *value)
{
	struct hf_manifest *m = p->manifest;
	char low[16];
	const char *dots = strstr(value, "..");
	const char *high = dots ? dots + 2 : value;
	uint64_t min, max;

	if (hfi_print(low, sizeof(low), "%.*s", dots ? (int)(dots - value) : 15, value) ||
	    hfi_parse_number(low, 10, UINT32_MAX, &min) ||
	    hfi_parse_number(high, 10, UINT32_MAX, &max) || min > max)
		return refuse_line(p, "a range MIN..MAX of kernel ABI numbers", value);
	m->kernel_abi_min = (uint32_t)min;
	m->kernel_abi_max = (uint32_t)max;
	return 0;
}

static int add_driver_id(struct parser *p, const char *value)
{
	uint64_t number;

	/* 0 is RDMA_DRIVER_UNKNOWN (rdma/ib_user_ioctl_verbs.h): it would match half-known devices. */
	if (hfi_parse_number(value, 0, UINT32_MAX, &number) || number == 0)
		return refuse_line(p, "a driver id greater than 0", value);
	return add_rule(p, HF_RULE_DRIVER_ID, (uint32_t)number, NULL);
}

static int add_name_rule(struct parser *p, const char *value)
{
	return add_rule(p, HF_RULE_NAME, 0, value);
}

static int add_modalias(struct parser *p, const char *value)
{
	return add_rule(p, HF_RULE_MODALIAS, 0, value);
}

static const struct {
	const char *key;
	int (*set)(struct parser *p, const char *value);
} keys[] = {
	{"name", set_name},
	{"file", set_file},
	{"abi", set_abi},
	{"version", set_version},
	{"kernel-abi", set_kernel_abi},
	{"driver-id", add_driver_id},
	{"match-name", add_name_rule},
	{"match-modalias", add_modalias},
};

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return text;
}

static int parse_manifest_line(struct parser *p, char *line)
{
	char *equals, *key;

	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return refuse_line(p, "KEY = VALUE", line);
	*equals = '\0';
	key = trim(line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *value;

		if (strcmp(key, keys[i].key) != 0)
			continue;
		value = trim(equals + 1);
		if (!*value)
			return refuse_line(p, "a value", key);
		return keys[i].set(p, value);
	}
	/* A later version's key must not make a provider unusable. */
	return 0;
}

static int parse_lines(struct parser *p, char *text)
{
	char *next = text;

	while (next) {
		char *line = strsep(&next, "\n");
		int err;

		p->line++;
		err = parse_manifest_line(p, line);
		if (err)
			return err;
	}
	if (!p->manifest->name[0])
		return refuse_line(p, "a line 'name = NAME'", "none");
	if (!p->have_file)
		return refuse_line(p, "a line 'file = NAME-hfN.so'", "none");
	if (!p->have_abi)
		return refuse_line(p, "a line 'abi = N'", "none");
	return 0;
}

int hfi_manifest_parse(const char *path, const char *text, size_t size, struct hf_manifest *ret,
		       struct hf_reason *reason)
{
	struct hf_manifest manifest = {.kernel_abi_max = UINT32_MAX};
	struct parser p = {.manifest = &manifest, .reason = reason};
	char *copy;
	int err;

	if (hfi_copy(manifest.path, sizeof(manifest.path), path))
		return refuse_line(&p, "a path of up to 255 characters", NULL);
	if (size > HF_MANIFEST_MAX)
		return refuse_line(&p, "at most 65536 bytes", NULL);
	if (memchr(text, '\0', size))
		return refuse_line(&p, "text", "a NUL byte");
	copy = strndup(text, size);
	if (!copy)
		return -ENOMEM;
	err = parse_lines(&p, copy);
	free(copy);
	if (err)
		hfi_manifest_clear(&manifest);
	else
		*ret = manifest;
	return err;
}

void hfi_manifest_clear(struct hf_manifest *manifest)
{
	for (size_t i = 0; i < manifest->num_rules; i++)
		free(manifest->rules[i].pattern);
	free(manifest->rules);
	manifest->rules = NULL;
	manifest->num_rules = 0;
}
