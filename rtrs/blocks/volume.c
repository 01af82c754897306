/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A volume: opened and closed, with its session or on that of another; and what it can be asked for. */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "rtrs/blocks/volume_internal.h"
#include "shared/text.h"

static void free_session(struct volume_session *session)
{
	pthread_mutex_lock(&session->lock);
	session->is_ending = true;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
	if (session->has_keeper)
		pthread_join(session->keeper, NULL);
	rtrsi_volume_disconnect(session);
	pthread_cond_destroy(&session->changed);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

static int fill_session(struct volume_session *session, const struct rtrs_volume_options *options)
{
	int err = hfi_copy(session->name, sizeof(session->name), options->session);

	session->options = *options;
	session->path_count = options->address_count;
	for (unsigned int i = 0; !err && i < session->path_count; i++) {
		session->paths[i].number = -1;
		err = hfi_copy(session->paths[i].address, sizeof(session->paths[i].address),
			       options->addresses[i]);
	}
	return err;
}

static int new_session(const struct rtrs_volume_options *options, struct volume_session **ret)
{
	struct volume_session *session;
	int err;

	if (!options->address_count || options->address_count > RTRS_VOLUME_PATHS_MAX ||
	    !options->reconnect_delay_ms)
		return -EINVAL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	err = fill_session(session, options);
	if (err) {
		free(session);
		return err;
	}
	pthread_mutex_init(&session->lock, NULL);
	pthread_cond_init(&session->changed, NULL);
	*ret = session;
	return 0;
}

/* The volume's reference keeps the session. */
static void put_on_session(struct rtrs_volume *volume, struct volume_session *session)
{
	volume->session = session;
	pthread_mutex_lock(&session->lock);
	session->references++;
	DL_APPEND(session->volumes, volume);
	pthread_mutex_unlock(&session->lock);
}

static int open_with_session(struct volume_session *session)
{
	int err = rtrsi_volume_connect(session);

	return err ? err : rtrsi_volume_start_keeper(session);
}

int rtrsi_volume_open(const struct rtrs_volume_options *options, struct rtrs_volume **ret)
{
	struct volume_session *session = options->beside ? options->beside->session : NULL;
	struct rtrs_volume *volume;
	int err = session ? 0 : new_session(options, &session);

	if (err)
		return err;
	volume = calloc(1, sizeof(*volume));
	if (!volume) {
		if (!options->beside)
			free_session(session);
		return -ENOMEM;
	}
	volume->options = *options;
	volume->last_waiting = &volume->waiting;
	put_on_session(volume, session);
	err = options->beside ? rtrsi_volume_open_beside(volume) : open_with_session(session);
	if (err) {
		rtrsi_volume_close(volume);
		return err;
	}
	pthread_mutex_lock(&session->lock);
	volume->control = rtrsi_control_thread_start(rtrsi_volume_visit, volume, &session->lock);
	pthread_mutex_unlock(&session->lock);
	*ret = volume;
	return 0;
}

void rtrsi_volume_close(struct rtrs_volume *volume)
{
	struct volume_session *session;
	bool is_last;

	if (!volume)
		return;
	session = volume->session;
	rtrsi_volume_close_device(volume);
	/* The keeper does not find the volume any more, so it tells its control programs nothing. */
	rtrsi_control_thread_end(volume->control);
	pthread_mutex_lock(&session->lock);
	is_last = !--session->references;
	pthread_mutex_unlock(&session->lock);
	if (is_last)
		free_session(session);
	free(volume);
}

void rtrsi_volume_give_up(struct rtrs_volume *volume)
{
	struct volume_session *session = volume->session;
	struct rtrs_volume_request *first;

	pthread_mutex_lock(&session->lock);
	volume->has_given_up = volume->is_unmapped = true;
	first = rtrsi_volume_take_waiting(volume);
	pthread_mutex_unlock(&session->lock);
	rtrsi_volume_end_all(first, -ETIMEDOUT);
}

const char *rtrsi_volume_control_name(const struct rtrs_volume *volume)
{
	return rtrsi_control_thread_name(volume->control);
}

int rtrsi_volume_path_info(struct rtrs_volume *volume, unsigned int path,
			   struct rtrs_path_info *ret)
{
	struct volume_session *session = volume->session;
	int err = -ENOENT;

	ret->size = sizeof(*ret);
	pthread_mutex_lock(&session->lock);
	if (path < session->path_count && session->rtrs && session->paths[path].number >= 0)
		err = rtrs_session_path_info(session->rtrs,
					     (unsigned int)session->paths[path].number, ret);
	pthread_mutex_unlock(&session->lock);
	return err;
}

void rtrsi_volume_info(struct rtrs_volume *volume, struct rtrs_volume_info *ret)
{
	struct volume_session *session = volume->session;
	struct rtrs_path_info path;

	pthread_mutex_lock(&session->lock);
	*ret = (struct rtrs_volume_info){
		.device = volume->device,
		.size = volume->device.sectors * RNBD_SECTOR_SIZE,
		.max_io = volume->max_io,
		.permits = session->limits.permits,
		.paths = session->path_count,
		.failovers = session->failovers,
		.reconnects = session->reconnects,
	};
	pthread_mutex_unlock(&session->lock);
	for (unsigned int i = 0; i < session->path_count; i++) {
		if (rtrsi_volume_path_info(volume, i, &path))
			continue;
		ret->paths_up += path.is_connected ? 1 : 0;
		ret->failovers += path.failovers;
		ret->reconnects += path.reconnects;
	}
}

int rtrsi_volume_measure(struct rtrs_volume *volume)
{
	struct volume_session *session = volume->session;
	uint64_t epoch;
	int err;

	pthread_mutex_lock(&session->lock);
	epoch = session->epoch;
	pthread_mutex_unlock(&session->lock);
	err = rtrsi_volume_open_device(volume);
	if (err != -ETIMEDOUT)
		return err;
	/* Give up a server that is connected but does not answer. */
	pthread_mutex_lock(&session->lock);
	if (session->rtrs && session->epoch == epoch)
		rtrsi_volume_lose_session(session);
	pthread_mutex_unlock(&session->lock);
	return err;
}
