/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Run by udev: renames a device according to a policy. See rdma_rename(8). */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "shared/nldev.h"
#include "naming/hardware.h"
#include "naming/naming.h"

static void log_policy(void *arg, enum hf_name_policy policy, const char *sentence)
{
	syslog(LOG_INFO, "%s: %s: %s", (const char *)arg, hfi_name_policy_word(policy), sentence);
}

static int log_kept_name(const char *device, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int log_kept_name(const char *device, const char *format, ...)
{
	char sentence[HF_NAME_WHY * 2];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	syslog(LOG_ERR, "%s keeps its name: %s", device, sentence);
	return EXIT_FAILURE;
}

static int log_rename_usage(void)
{
	syslog(LOG_ERR, "usage: rdma_rename [-v] CURRENT POLICY[,POLICY...] [NAME]");
	return EXIT_FAILURE;
}

static int apply_name(struct hf_nldev_socket *nl, int sysfs, const struct hf_nldev *facts,
		      const struct hf_name_hardware *hardware, const struct hf_name_answer *answer)
{
	int err = 0;

	/* The name may belong to another device since the facts were read. */
	if (!hfi_name_is_still(sysfs, facts->name, hardware))
		return log_kept_name(facts->name, "the device is gone or was renamed meanwhile");
	/* Do not rename to the same name: the kernel would send an event. */
	if (strcmp(answer->name, facts->name) != 0)
		err = hfi_nldev_rename(nl, facts->index, answer->name);
	switch (err) {
	case 0:
		if (printf("%s\n", answer->name) < 0 || fflush(stdout))
			return EXIT_FAILURE;
		return EXIT_SUCCESS;
	case -EEXIST:
		return log_kept_name(facts->name, "%s is the name of another device (%s)",
				     answer->name, answer->why);
	case -ENODEV:
		return log_kept_name(facts->name, "the device is gone");
	case -EPERM:
		return log_kept_name(facts->name, "renaming needs the capability CAP_NET_ADMIN");
	default:
		return log_kept_name(facts->name, "the kernel refuses the name %s: %s",
				     answer->name, strerror(-err));
	}
}

static int rename_by_policies(const char *device, const struct hf_name_policies *policies,
			      const char *fixed, const struct hf_name_trace *trace)
{
	int sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC), err, status = EXIT_FAILURE;
	struct hf_name_hardware hardware;
	struct hf_nldev facts;
	struct hf_name_answer answer;
	struct hf_nldev_socket *nl;

	if (sysfs < 0)
		return log_kept_name(device, "/sys: %s", strerror(errno));
	err = hfi_nldev_open(&nl);
	if (err) {
		log_kept_name(device, "RDMA netlink: %s", strerror(-err));
		goto out_sysfs;
	}
	/* Read the directory before the index and check it again after: both are of one device then. */
	err = hfi_name_look(sysfs, device, &hardware);
	if (!err)
		err = hfi_nldev_find(nl, device, &facts);
	if (err) {
		log_kept_name(device,
			      err == -ENODEV ? "there is no such device" : "cannot read it: %s",
			      strerror(-err));
		goto out_netlink;
	}
	err = hfi_name_decide(policies, fixed, &facts, &hardware, trace, &answer);
	if (err == -ENOENT)
		syslog(LOG_NOTICE, "%s keeps its name: %s", device, answer.why);
	else if (err)
		log_kept_name(device, "%s", answer.why);
	else
		status = apply_name(nl, sysfs, &facts, &hardware, &answer);
out_netlink:
	hfi_nldev_close(nl);
out_sysfs:
	close(sysfs);
	return status;
}

int main(int argc, char **argv)
{
	struct hf_name_policies policies;
	struct hf_name_trace trace = {.say = log_policy};
	bool verbose = false;
	int option;

	/* To syslog as well: udev discards standard error of PROGRAM. */
	openlog("rdma_rename", LOG_PERROR, LOG_DAEMON);
	opterr = 0;
	while ((option = getopt(argc, argv, "v")) != -1) {
		if (option != 'v')
			return log_rename_usage();
		verbose = true;
	}
	argc -= optind;
	argv += optind;
	if (argc < 2 || argc > 3)
		return log_rename_usage();
	if (hfi_name_parse_policies(argv[1], &policies))
		return log_kept_name(argv[0], "there is no policy \"%s\"", argv[1]);
	if (argc < 3 && hfi_name_has_policy(&policies, HF_NAME_BY_FIXED))
		return log_kept_name(argv[0], "NAME_FIXED needs a name");
	if (policies.v[0] == HF_NAME_BY_KERNEL)
		return EXIT_SUCCESS;
	trace.arg = argv[0];
	return rename_by_policies(argv[0], &policies, argc == 3 ? argv[2] : NULL,
				  verbose ? &trace : NULL);
}
