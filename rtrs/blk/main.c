/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrs-blk: blocks over RTRS, served and used. See rtrs-blk(1). */
#include <locale.h>
#include <string.h>

#include "rtrs/blk/blk.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct blk_options *options);
	} commands[] = {
		{"serve", rtrsi_blk_serve}, {"info", rtrsi_blk_info},	{"read", rtrsi_blk_read},
		{"write", rtrsi_blk_write}, {"bench", rtrsi_blk_bench},
	};
	static struct blk_options options;
	int status;

	setlocale(LC_CTYPE, "");
	status = rtrsi_blk_parse(argc, argv, &options);
	for (size_t i = 0; status < 0 && i < HF_ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, options.command))
			status = commands[i].run(&options);
	}
	return status;
}
