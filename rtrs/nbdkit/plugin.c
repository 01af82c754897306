/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nbdkit's plug-in "rtrs": a device of an RTRS server for everything that speaks NBD. See nbdkit-rtrs-plugin(1). */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "rtrs/blocks/volume.h"
#include "shared/text.h"

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

enum { RECONNECT_MS = 1000, SESSION_NAME_SIZE = 255, MS_PER_SECOND = 1000, EXPORT_MAX = 1 << 20 };

static struct {
	struct rtrs_volume_options options;
	const char *addresses[RTRS_VOLUME_PATHS_MAX];
	char session[SESSION_NAME_SIZE];
	struct rtrs_volume *volume; /* of all connections */
	_Atomic unsigned int connections;
} plugin = {
	.options = {.access = RNBD_READ_WRITE, .reconnect_delay_ms = RECONNECT_MS},
};

static int fail_with(const char *what, int error)
{
	nbdkit_error("%s: %s", what, strerrordesc_np(-error));
	nbdkit_set_error(-error);
	return -1;
}

/* --- configuration ------------------------------------------------------------------------------- */

static int config_number(const char *key, const char *value, uint64_t most, uint32_t *ret)
{
	uint64_t number;

	if (hfi_parse_number(value, 10, most, &number)) {
		nbdkit_error("%s=%s: no number of at most %llu", key, value,
			     (unsigned long long)most);
		return -1;
	}
	*ret = (uint32_t)number;
	return 0;
}

static int config_access(const char *value)
{
	if (!rtrsi_rnbd_access_parse(value, &plugin.options.access))
		return 0;
	nbdkit_error("access=%s: ro, rw or migration", value);
	return -1;
}

static int config_path(const char *value)
{
	if (plugin.options.address_count == RTRS_VOLUME_PATHS_MAX) {
		nbdkit_error("path: at most %d of them", RTRS_VOLUME_PATHS_MAX);
		return -1;
	}
	plugin.addresses[plugin.options.address_count++] = value;
	return 0;
}

static int rtrs_config(const char *key, const char *value)
{
	uint32_t seconds;

	if (!strcmp(key, "device")) {
		plugin.options.path = value;
	} else if (!strcmp(key, "path")) {
		return config_path(value);
	} else if (!strcmp(key, "session")) {
		plugin.options.session = value;
	} else if (!strcmp(key, "access")) {
		return config_access(value);
	} else if (!strcmp(key, "connections")) {
		return config_number(key, value, 64, &plugin.options.connections);
	} else if (!strcmp(key, "timeout")) {
		if (config_number(key, value, 1 << 20, &seconds))
			return -1;
		plugin.options.give_up_ms = seconds * MS_PER_SECOND;
	} else {
		nbdkit_error("unknown parameter \"%s\"", key);
		return -1;
	}
	return 0;
}

static int rtrs_config_complete(void)
{
	if (plugin.options.path && plugin.options.address_count)
		return 0;
	nbdkit_error("device=NAME and path=ADDRESS are needed");
	return -1;
}

#define RTRS_CONFIG_HELP                                                     \
	"device=NAME        (required) the device, as the server knows it\n" \
	"path=ADDRESS       (required, repeatable) a path to the server\n"   \
	"access=MODE        ro, rw (default) or migration\n"                 \
	"session=NAME       name of the session\n"                           \
	"connections=N      of each path, for requests\n"                    \
	"timeout=SECONDS    without a server requests fail then; 0 (default): they wait"

/* --- life ---------------------------------------------------------------------------------------- */

static void log_path(void *user, const char *path, const char *what, int error)
{
	(void)user;
	if (error)
		nbdkit_error("%s%s%s: %s", path ? path : "", path ? ": " : "", what,
			     strerrordesc_np(-error));
	else
		nbdkit_debug("rtrs: %s%s%s", path ? path : "", path ? ": " : "", what);
}

/* One that no other client of the server has. */
static int name_of_session(void)
{
	char host[64] = "host";

	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	host[strcspn(host, "./")] = '\0';
	return hfi_print(plugin.session, sizeof(plugin.session), "nbdkit-%s-%d", host,
			 (int)getpid());
}

/* Called by the volume: nbdkit closes it when its connections have ended. */
static int rtrs_unmap(void *user, bool is_forced)
{
	(void)user;
	if (plugin.connections && !is_forced)
		return -EBUSY;
	nbdkit_shutdown();
	return 0;
}

/* After nbdkit has gone into the background: threads would not come along. */
static int rtrs_after_fork(void)
{
	int err;

	if (!plugin.options.session) {
		err = name_of_session();
		if (err)
			return fail_with("session", err);
		plugin.options.session = plugin.session;
	}
	plugin.options.addresses = plugin.addresses;
	plugin.options.log = log_path;
	plugin.options.unmap = rtrs_unmap;
	err = rtrsi_volume_open(&plugin.options, &plugin.volume);
	return err ? fail_with(plugin.options.path, err) : 0;
}

/* Nothing is under way any more. */
static void rtrs_cleanup(void)
{
	rtrsi_volume_close(plugin.volume);
	plugin.volume = NULL;
}

static void *rtrs_open(int readonly)
{
	(void)readonly;
	plugin.connections++;
	return plugin.volume;
}

static void rtrs_close(void *handle)
{
	(void)handle;
	plugin.connections--;
}

/* --- what it can do ------------------------------------------------------------------------------ */

static int64_t rtrs_get_size(void *handle)
{
	struct rtrs_volume_info info;
	/* It may have been resized. */
	int err = rtrsi_volume_measure(handle);

	if (err)
		nbdkit_debug("rtrs: its size is not known anew: %s", strerrordesc_np(-err));
	rtrsi_volume_info(handle, &info);
	return (int64_t)info.size;
}

static int rtrs_block_size(void *handle, uint32_t *minimum, uint32_t *preferred, uint32_t *maximum)
{
	struct rtrs_volume_info info;

	rtrsi_volume_info(handle, &info);
	*minimum = info.device.logical_block_size;
	*preferred = info.device.physical_block_size < 4096 ? 4096
							    : info.device.physical_block_size;
	/* More than that is divided. */
	*maximum = UINT32_MAX;
	return 0;
}

static int rtrs_can_write(void *handle)
{
	(void)handle;
	return plugin.options.access != RNBD_READ_ONLY;
}

static int rtrs_can_trim(void *handle)
{
	struct rtrs_volume_info info;

	rtrsi_volume_info(handle, &info);
	return info.device.max_discard_sectors > 0;
}

/* A server that has no cache has nothing to flush, but may be asked to. */
static int rtrs_always(void *handle)
{
	(void)handle;
	return 1;
}

static int rtrs_can_fua(void *handle)
{
	struct rtrs_volume_info info;

	rtrsi_volume_info(handle, &info);
	return info.device.cache_policy & RNBD_CACHE_FUA ? NBDKIT_FUA_NATIVE : NBDKIT_FUA_EMULATE;
}

static int rtrs_can_cache(void *handle)
{
	(void)handle;
	return NBDKIT_CACHE_EMULATE;
}

/* --- requests ------------------------------------------------------------------------------------ */

static int do_range(void *handle, const struct rtrs_volume_request *request, const char *what)
{
	int err = rtrsi_volume_do(handle, request);

	return err ? fail_with(what, err) : 0;
}

static uint32_t fua_of(uint32_t flags)
{
	return flags & NBDKIT_FLAG_FUA ? RNBD_FUA : 0;
}

static int rtrs_pread(void *handle, void *data, uint32_t count, uint64_t offset, uint32_t flags)
{
	const struct rtrs_volume_request request = {
		.op = RNBD_OP_READ, .offset = offset, .length = count, .data = data};

	(void)flags;
	return do_range(handle, &request, "read");
}

static int rtrs_pwrite(void *handle, const void *data, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	const struct rtrs_volume_request request = {.op = RNBD_OP_WRITE,
						    .flags = fua_of(flags),
						    .offset = offset,
						    .length = count,
						    .data = (void *)data};

	return do_range(handle, &request, "write");
}

static int rtrs_flush(void *handle, uint32_t flags)
{
	const struct rtrs_volume_request request = {.op = RNBD_OP_FLUSH};

	(void)flags;
	return do_range(handle, &request, "flush");
}

static int rtrs_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	const struct rtrs_volume_request request = {
		.op = RNBD_OP_DISCARD, .flags = fua_of(flags), .offset = offset, .length = count};

	return do_range(handle, &request, "trim");
}

static int rtrs_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	const struct rtrs_volume_request request = {
		.op = RNBD_OP_WRITE_ZEROES,
		.flags = fua_of(flags) | (flags & NBDKIT_FLAG_MAY_TRIM ? 0 : RNBD_NO_UNMAP),
		.offset = offset,
		.length = count};
	struct rtrs_volume_info info;

	rtrsi_volume_info(handle, &info);
	if (!info.device.max_write_zeroes_sectors && flags & NBDKIT_FLAG_FAST_ZERO) {
		nbdkit_set_error(EOPNOTSUPP);
		return -1;
	}
	return do_range(handle, &request, "zero");
}

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

static struct nbdkit_plugin rtrs_plugin = {
	.name = "rtrs",
	.longname = "nbdkit RTRS plugin",
	.version = PACKAGE_VERSION,
	.description = "a block device of an RTRS server, over several paths",
	.config = rtrs_config,
	.config_complete = rtrs_config_complete,
	.config_help = RTRS_CONFIG_HELP,
	.magic_config_key = "device",
	.after_fork = rtrs_after_fork,
	.cleanup = rtrs_cleanup,
	.open = rtrs_open,
	.close = rtrs_close,
	.get_size = rtrs_get_size,
	.block_size = rtrs_block_size,
	.can_write = rtrs_can_write,
	.can_flush = rtrs_always,
	.can_trim = rtrs_can_trim,
	.can_zero = rtrs_always,
	.can_fast_zero = rtrs_always,
	.can_fua = rtrs_can_fua,
	.can_multi_conn = rtrs_always,
	.can_cache = rtrs_can_cache,
	.pread = rtrs_pread,
	.pwrite = rtrs_pwrite,
	.flush = rtrs_flush,
	.trim = rtrs_trim,
	.zero = rtrs_zero,
	.errno_is_preserved = 0,
};

/* What the macro defines, without declaring it. */
struct nbdkit_plugin *plugin_init(void);
NBDKIT_REGISTER_PLUGIN(rtrs_plugin)
