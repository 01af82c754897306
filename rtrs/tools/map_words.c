/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words of map_device, with the limits of the kernel's. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/control/text.h"
#include "rtrs/rnbd/message.h"
#include "rtrs/tools/map.h"
#include "shared/text.h"

struct parsing {
	struct rtrs_map_words *words;
	int port; /* of the paths that follow; -1: their own, or the default */
};

static int take_map_name(const char *value, const char **to)
{
	if (!*value || strlen(value) > RTRS_MAP_NAME_MAX)
		return -EINVAL;
	*to = value;
	return 0;
}

static int take_session(struct parsing *parsing, char *value)
{
	if (strpbrk(value, "/."))
		return -EINVAL;
	return take_map_name(value, &parsing->words->session);
}

static int take_device(struct parsing *parsing, char *value)
{
	return take_map_name(value, &parsing->words->device);
}

/* "ip:" and a host that has no port: an IPv6 address in brackets, or without. */
static bool has_own_port(const char *destination)
{
	const char *host = destination + strlen("ip:"), *colon;

	if (*host == '[') {
		host = strchr(host, ']');
		return host && host[1] == ':';
	}
	colon = strchr(host, ':');
	return colon && !strchr(colon + 1, ':');
}

static int add_port(const struct parsing *parsing, const char *path, char *to, size_t size)
{
	const char *at = strpbrk(path, ",@"), *destination = at ? at + 1 : path, *host;
	bool needs_brackets;

	if (strncmp(destination, "ip:", 3) != 0 || has_own_port(destination))
		return hfi_copy(to, size, path) ? -EINVAL : 0;
	host = destination + strlen("ip:");
	needs_brackets = *host != '[' && strchr(host, ':');
	return hfi_print(to, size, "%.*s%s%s%s:%d", (int)(host - path), path,
			 needs_brackets ? "[" : "", host, needs_brackets ? "]" : "", parsing->port)
		       ? -EINVAL
		       : 0;
}

/* "SCHEME:", of either side; what comes behind it is looked at when the path is added. */
static bool has_scheme(const char *path)
{
	static const char *const schemes[] = {"ip:", "gid:", "soft:", "tcp:", "unix:"};
	const char *side = path;

	for (int sides = 0; side && sides < 2; sides++) {
		bool is_known = false;

		for (size_t i = 0; i < HF_ARRAY_SIZE(schemes); i++)
			is_known = is_known || !strncmp(side, schemes[i], strlen(schemes[i]));
		if (!is_known)
			return false;
		side = strpbrk(side, ",@");
		side = side ? side + 1 : NULL;
	}
	return true;
}

static int take_path(struct parsing *parsing, char *value)
{
	struct rtrs_map_words *words = parsing->words;
	char *with_port;
	int err = 0;

	if (words->path_count == RTRS_MAP_PATHS_MAX)
		return -ENOMEM;
	if (!*value)
		return -EINVAL;
	if (!has_scheme(value))
		return -EPROTONOSUPPORT;
	with_port = words->with_port[words->path_count];
	if (parsing->port >= 0)
		err = add_port(parsing, value, with_port, sizeof(words->with_port[0]));
	words->paths[words->path_count++] = parsing->port >= 0 ? with_port : value;
	return err;
}

static int take_port(struct parsing *parsing, char *value)
{
	int err = rtrsi_control_integer(value, &parsing->port);

	return err || parsing->port < 0 || parsing->port > UINT16_MAX ? -EINVAL : 0;
}

static int take_map_access(struct parsing *parsing, char *value)
{
	enum rtrs_rnbd_access access;
	int err = rtrsi_rnbd_access_parse(value, &access);

	if (!err)
		parsing->words->access = access;
	return err;
}

/* They are shown, and a session that has some is not shared. -1: one for each processor. */
static int take_queues(struct parsing *parsing, char *value)
{
	const int most = (int)sysconf(_SC_NPROCESSORS_CONF);
	int queues, err = rtrsi_control_integer(value, &queues);

	if (err || queues < -1 || queues > most)
		return -EINVAL;
	parsing->words->poll_queues = queues < 0 ? most : queues;
	return 0;
}

static int take_word(struct parsing *parsing, char *word)
{
	static const struct {
		const char *name;
		int (*take)(struct parsing *parsing, char *value);
	} kinds[] = {
		{"access_mode=", take_map_access},
		{"dest_port=", take_port},
		{"device_path=", take_device},
		{"nr_poll_queues=", take_queues},
		{"path=", take_path},
		{"sessname=", take_session},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		size_t length = strlen(kinds[i].name);

		if (!strncmp(word, kinds[i].name, length))
			return kinds[i].take(parsing, word + length);
	}
	return -EINVAL;
}

int rtrsi_map_parse(const char *value, size_t length, struct rtrs_map_words *ret)
{
	struct parsing parsing = {.words = ret, .port = -1};
	char *rest = ret->text, *word;
	int err = 0;

	if (length > RTRS_MAP_TEXT_MAX || memchr(value, '\0', length))
		return -EINVAL;
	*ret = (struct rtrs_map_words){.access = RNBD_READ_WRITE};
	memcpy(ret->text, value, length);
	while (!err && (word = strsep(&rest, " \t\n"))) {
		if (*word)
			err = take_word(&parsing, word);
	}
	if (!err && (!ret->session || !ret->device))
		err = -EINVAL;
	return err;
}
