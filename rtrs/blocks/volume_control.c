/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files of a volume, as those of the kernel's rnbd_client for a device. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/blocks/volume_internal.h"
#include "rtrs/control/visit.h"

/* Who reads the tree gives each volume a number behind this. */
#define BLOCK_DIRECTORY "rnbd-client/block/rnbd"

/* What the volume's one control program that waits for it is told under. */
enum { REMAP = 1 };

static void show_session(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%s\n", volume->options.session);
}

static void show_volume_path(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%s\n", volume->options.path);
}

static void show_volume_access(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%s\n", rtrsi_rnbd_access_name(volume->options.access));
}

static void show_poll_queues(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%d\n", volume->options.poll_queues);
}

static bool is_volume_open(const struct rtrs_volume *volume)
{
	return volume->session->is_up && volume->is_open;
}

static void show_volume_state(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%s\n",
			    volume->is_unmapped	     ? "unmapped"
			    : is_volume_open(volume) ? "open"
						     : "closed");
}

/* The kernel takes blanks around these words. */
static void strip(const char *value, char *to, size_t size)
{
	size_t length;

	while (isspace((unsigned char)*value))
		value++;
	length = strlen(value);
	while (length && isspace((unsigned char)value[length - 1]))
		length--;
	if (length >= size)
		length = 0;
	memcpy(to, value, length);
	to[length] = '\0';
}

static void show_unmap(const void *object, struct control_text *text)
{
	(void)object;
	rtrsi_control_print(text, "Usage: echo <normal|force> > unmap_device\n");
}

static int store_unmap(void *object, const char *value, uint64_t *number)
{
	struct rtrs_volume *volume = object;
	bool is_forced;
	char word[16];
	int err;

	(void)number;
	strip(value, word, sizeof(word));
	is_forced = !strcmp(word, "force");
	if (!is_forced && strcmp(word, "normal") != 0)
		return -EINVAL;
	if (volume->is_unmapped)
		return -EALREADY;
	/* Its program would not know what to do without it. */
	err = volume->options.unmap ? volume->options.unmap(volume->options.user, is_forced)
				    : -EBUSY;
	volume->is_unmapped = !err;
	return err;
}

static void show_remap(const void *object, struct control_text *text)
{
	(void)object;
	rtrsi_control_print(text, "Usage: echo <1> > remap_device\n");
}

static int store_remap(void *object, const char *value, uint64_t *number)
{
	struct rtrs_volume *volume = object;
	struct volume_session *session = volume->session;
	char word[16];

	strip(value, word, sizeof(word));
	if (strcmp(word, "1") != 0)
		return -EINVAL;
	if (volume->is_unmapped)
		return -ENODEV;
	if (is_volume_open(volume))
		return -EALREADY;
	/* Also over paths that were disconnected by hand: this is by hand as well. */
	for (unsigned int i = 0; i < session->path_count; i++) {
		if (session->paths[i].state == VOLUME_PATH_OFF)
			session->paths[i].state = VOLUME_PATH_DOWN;
	}
	session->is_off = false;
	volume->is_asked_for = true;
	rtrsi_volume_lose_session(session);
	*number = REMAP;
	return -EINPROGRESS;
}

void rtrsi_volume_remapped(struct rtrs_volume *volume, int error)
{
	rtrsi_control_thread_done(volume->control, REMAP, error);
}

static void show_resize(const void *object, struct control_text *text)
{
	(void)object;
	rtrsi_control_print(text, "Usage: echo <new size in sectors> > resize\n");
}

/* As the kernel reads an unsigned number. */
static int read_sectors(const char *value, uint64_t *ret)
{
	const char *digits = value + (*value == '+');
	char *end;

	if (!isdigit((unsigned char)*digits))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(digits, &end, 0);
	if (*end)
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

/* The server says what the device has; this is what programs here may use of it. */
static int store_resize(void *object, const char *value, uint64_t *number)
{
	struct rtrs_volume *volume = object;
	uint64_t sectors;
	int err = read_sectors(value, &sectors);

	(void)number;
	if (err)
		return err;
	if (!is_volume_open(volume))
		return -ENOENT;
	if (sectors > INT64_MAX / RNBD_SECTOR_SIZE)
		return -EINVAL;
	volume->device.sectors = sectors;
	return 0;
}

static void show_size(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%llu\n", (unsigned long long)volume->device.sectors);
}

static void show_volume_read_only(const void *object, struct control_text *text)
{
	const struct rtrs_volume *volume = object;

	rtrsi_control_print(text, "%d\n", volume->options.access == RNBD_READ_ONLY);
}

/* Of every block device; programs look at these two. */
static const struct rtrs_visit_file block_files[] = {
	{"ro", show_volume_read_only, NULL},
	{"size", show_size, NULL},
	{0},
};

static const struct rtrs_visit_file device_files[] = {
	{"access_mode", show_volume_access, NULL},
	{"mapping_path", show_volume_path, NULL},
	{"nr_poll_queues", show_poll_queues, NULL},
	{"remap_device", show_remap, store_remap},
	{"resize", show_resize, store_resize},
	{"session", show_session, NULL},
	{"state", show_volume_state, NULL},
	{"unmap_device", show_unmap, store_unmap},
	{0},
};

/* What stands for a path in a name. */
static void name_device(const char *path, char name[RNBD_PATH_SIZE])
{
	size_t length = strnlen(path, RNBD_PATH_SIZE - 1);

	for (size_t i = 0; i < length; i++)
		name[i] = path[i] == '/' ? '!' : path[i];
	name[length] = '\0';
}

void rtrsi_volume_visit(void *user, struct rtrs_visit *visit)
{
	struct rtrs_volume *volume = user;
	char name[RNBD_PATH_SIZE];

	name_device(volume->options.path, name);
	rtrsi_visit_link(visit, "../../block/rnbd", "rnbd-client/ctl/devices/%s@%s", name,
			 volume->options.session);
	rtrsi_visit_files(visit, block_files, volume, BLOCK_DIRECTORY);
	rtrsi_visit_files(visit, device_files, volume, BLOCK_DIRECTORY "/rnbd");
}
