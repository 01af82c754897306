/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What names the distribution's providers, and what is kept of them: by the input's first byte. */
#include "core/foreign/cache.h"
#include "core/foreign/drivers.h"
#include "core/foreign/scan.h"
#include "core/foreign/tables.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "foreign";

static void count_message(void *arg, const char *message)
{
	fuzz_check(message[0] && strlen(message) < 1024);
	++*(int *)arg;
}

static void try_drivers(const char *text, size_t size)
{
	int messages = 0;
	struct hf_drivers drivers = {.say = count_message, .arg = &messages};
	int err;

	err = hfi_drivers_parse(&drivers, "/etc/libibverbs.d/fuzz.driver", text, size);
	fuzz_check(!err || err == -7);
	err = hfi_drivers_add_list(&drivers, "RDMAV_DRIVERS", text);
	fuzz_check(!err || err == -7);
	fuzz_check(drivers.count <= HF_DRIVERS_MAX);
	for (size_t i = 0; i < drivers.count; i++) {
		fuzz_check(fuzz_is_string(drivers.v[i].name));
		fuzz_check(fuzz_is_string(drivers.v[i].from));
		fuzz_check(!strchr(drivers.v[i].name, '\n') || drivers.v[i].from[0] == 'R');
	}
	hfi_drivers_clear(&drivers);
}

static void check_tables(const struct hf_tables *tables)
{
	fuzz_check(fuzz_is_string(tables->name) && fuzz_is_string(tables->error));
	fuzz_check(fuzz_is_string(tables->file));
	fuzz_check(tables->name[0] || tables->error[0]);
	fuzz_check(tables->num_rules <= HF_MANIFEST_RULES_MAX);
	for (size_t i = 0; i < tables->num_rules; i++)
		fuzz_check(tables->rules[i].kind == HF_RULE_DRIVER_ID ||
			   tables->rules[i].pattern[0]);
}

static void try_scan(const char *text)
{
	struct hf_scan_item items[3] = {{.file = "a"}, {.file = "b"}, {.file = "c"}};
	int done = hfi_scan_take(text, items, 3);

	fuzz_check(done >= 0 && done <= 3);
	for (int i = 0; i < 3; i++) {
		fuzz_check(items[i].done == (i < done));
		if (items[i].done)
			check_tables(&items[i].tables);
		hfi_tables_clear(&items[i].tables);
	}
}

/* What was taken is written as it is taken again. */
static void try_cache(const char *text)
{
	struct hf_cache cache = {0}, again;
	const char *at = text;
	struct hf_tables tables;
	char *printed;
	size_t size;

	if (hfi_cache_parse(text, &cache))
		cache = (struct hf_cache){0};
	if (hfi_tables_parse(&at, &tables) == 0) {
		const struct hf_file_identity identity = {.ino = 1};

		fuzz_check(hfi_cache_add(&cache, &identity, &tables) == 0);
		hfi_tables_clear(&tables);
	}
	fuzz_check(hfi_cache_print(&cache, &printed, &size) == 0 && strlen(printed) == size);
	fuzz_check(hfi_cache_parse(printed, &again) == 0);
	fuzz_check(again.count == cache.count);
	for (size_t i = 0; i < cache.count; i++) {
		check_tables(&cache.v[i].tables);
		fuzz_check(again.v[i].tables.error[0] ||
			   again.v[i].tables.num_rules == cache.v[i].tables.num_rules);
	}
	free(printed);
	hfi_cache_clear(&again);
	hfi_cache_clear(&cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 3) {
	case 0:
		try_drivers(text, size - 1);
		break;
	case 1:
		try_scan(text);
		break;
	default:
		try_cache(text);
	}
	free(text);
	return 0;
}
