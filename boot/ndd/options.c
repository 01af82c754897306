/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses the command line of rdma-ndd. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <holdfast/holdfast.h>

#include "boot/ndd/options.h"

enum { EXIT_USAGE = 2, SYSTEMD = 256, VERSION };

static const char usage[] =
	"usage: rdma-ndd [options]\n"
	"Keeps the node descriptions of RDMA devices up to date.\n"
	"  -f, --foreground         do not go into the background\n"
	"      --systemd            the same\n"
	"  -o, --once               describe the devices that exist, and exit\n"
	"  -T, --template TEXT      %h host name, %H with its domain, %d device, %% a\n"
	"                           percent sign; default: $RDMA_NDD_ND_FORMAT, or\n"
	"                           \"%h %d\"\n"
	"  -t, --retry-timer SECS   seconds until a failed write is tried again (1)\n"
	"  -r, --retry-count N      how often to try again (10)\n"
	"  -d, --debug              log more\n"
	"      --version\n"
	"  -h, --help\n";

static bool parse_number(const char *option, const char *text, unsigned int max, unsigned int *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || value > max) {
		fprintf(stderr, "rdma-ndd: %s: \"%s\" is not a number from 0 to %u\n", option, text,
			max);
		return false;
	}
	*ret = (unsigned int)value;
	return true;
}

static bool set_template(struct ndd_options *options)
{
	const char *given = getenv("RDMA_NDD_ND_FORMAT");

	if (!options->template)
		options->template = given && *given ? given : "%h %d";
	if (*options->template)
		return true;
	fputs("rdma-ndd: the template is empty; an empty description cannot be written\n", stderr);
	return false;
}

bool ndd_options_parse(int argc, char **argv, struct ndd_options *ret, int *status)
{
	static const struct option longs[] = {
		{"foreground", no_argument, NULL, 'f'},
		{"systemd", no_argument, NULL, SYSTEMD},
		{"once", no_argument, NULL, 'o'},
		{"template", required_argument, NULL, 'T'},
		{"retry-timer", required_argument, NULL, 't'},
		{"retry_timer", required_argument, NULL,
		 't'}, /* spelled as by rdma-core's daemon */
		{"retry-count", required_argument, NULL, 'r'},
		{"retry_count", required_argument, NULL, 'r'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool right = true;
	int option;

	*ret = (struct ndd_options){.retry_seconds = 1, .retry_count = 10};
	*status = EXIT_USAGE;
	while (right && (option = getopt_long(argc, argv, "foT:t:r:dh", longs, NULL)) != -1) {
		switch (option) {
		case 'f':
		case SYSTEMD:
			ret->foreground = true;
			break;
		case 'o':
			ret->once = true;
			break;
		case 'T':
			ret->template = optarg;
			break;
		case 't':
			right = parse_number("--retry-timer", optarg, 86400, &ret->retry_seconds);
			break;
		case 'r':
			right = parse_number("--retry-count", optarg, 1000000, &ret->retry_count);
			break;
		case 'd':
			ret->debug = true;
			break;
		case VERSION:
			printf("rdma-ndd (Holdfast) %s\n", hf_version());
			*status = EXIT_SUCCESS;
			return false;
		case 'h':
			fputs(usage, stdout);
			*status = EXIT_SUCCESS;
			return false;
		default:
			fputs("Try 'rdma-ndd --help'.\n", stderr);
			return false;
		}
	}
	if (right && optind < argc) {
		fprintf(stderr, "rdma-ndd: unexpected argument %s. Try 'rdma-ndd --help'.\n",
			argv[optind]);
		right = false;
	}
	return right && set_template(ret);
}
