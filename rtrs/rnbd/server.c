/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests of RNBD at a server: devices opened and closed, and IO checked against them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/rnbd/server.h"
#include "shared/text.h"

/* Of one session. */
enum { HANDLES_MAX = 1024 };

static struct rtrs_rnbd_job answered(int error)
{
	return (struct rtrs_rnbd_job){.is_answered = true, .error = error};
}

static struct rtrs_rnbd_job say_version(struct rtrs_rnbd_session *session,
					const struct rtrs_rnbd_request *request)
{
	uint8_t version;
	int err = rtrsi_rnbd_session_info_decode(request->header, request->header_size, &version);

	if (err || !request->is_read || request->data_size < RNBD_SESSION_INFO_SIZE)
		return answered(-EINVAL);
	session->version = version < RNBD_VERSION ? version : RNBD_VERSION;
	rtrsi_rnbd_session_answer_encode(session->version, request->data);
	return answered(0);
}

/* --- devices ------------------------------------------------------------------------------------- */

static bool leaves_directory(const char *path)
{
	const char *at = path;

	while ((at = strstr(at, ".."))) {
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
		at += 2;
	}
	return false;
}

int rtrsi_rnbd_spell_path(char *path)
{
	char *to = path;
	const char *from = path;

	if (leaves_directory(path))
		return -EINVAL;
	while (*from) {
		size_t length = strcspn(from, "/");

		if (length && !(length == 1 && *from == '.')) {
			if (to != path)
				*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length + (from[length] == '/');
	}
	*to = '\0';
	return 0;
}

/* One writer, and during a migration the one that takes over; any number of readers. */
static int take_access(struct rtrs_rnbd_export *exported, enum rtrs_rnbd_access access)
{
	if (access == RNBD_READ_ONLY)
		return 0;
	if (exported->is_read_only)
		return -EROFS;
	if (exported->writers >= (access == RNBD_MIGRATION ? 2U : 1U))
		return -EPERM;
	exported->writers++;
	return 0;
}

static void measure_export(const struct rtrs_rnbd_server *server, struct rtrs_rnbd_export *exported)
{
	if (server->measure)
		server->measure(server->user, exported);
}

static int open_export(struct rtrs_rnbd_server *server, const char *path,
		       struct rtrs_rnbd_export **ret)
{
	struct rtrs_rnbd_export *exported = server->exports;
	int err;

	while (exported && strcmp(exported->path, path) != 0)
		exported = exported->next;
	if (!exported) {
		exported = calloc(1, sizeof(*exported));
		if (!exported)
			return -ENOMEM;
		err = hfi_copy(exported->path, sizeof(exported->path), path);
		if (!err)
			err = server->open(server->user, path, exported);
		if (err) {
			free(exported);
			return err;
		}
		exported->next = server->exports;
		server->exports = exported;
	} else {
		measure_export(server, exported);
	}
	exported->users++;
	*ret = exported;
	return 0;
}

static void close_export(struct rtrs_rnbd_server *server, struct rtrs_rnbd_export *exported)
{
	struct rtrs_rnbd_export **at = &server->exports;

	if (--exported->users)
		return;
	while (*at != exported)
		at = &(*at)->next;
	*at = exported->next;
	server->close(server->user, exported);
	free(exported);
}

static struct rtrs_rnbd_handle *find_handle(const struct rtrs_rnbd_session *session, uint32_t id)
{
	struct rtrs_rnbd_handle *handle = session->handles;

	while (handle && handle->id != id)
		handle = handle->next;
	return handle;
}

/* As the client wrote it: by another spelling it opens the device once more, as at the kernel's server. */
static struct rtrs_rnbd_handle *handle_of_path(const struct rtrs_rnbd_session *session,
					       const char *sent)
{
	struct rtrs_rnbd_handle *handle = session->handles;

	while (handle && strcmp(handle->path, sent) != 0)
		handle = handle->next;
	return handle;
}

/* Never a number that is in use, and never 0. */
static int new_id(struct rtrs_rnbd_session *session, uint32_t *ret)
{
	unsigned int count = 0;

	for (const struct rtrs_rnbd_handle *one = session->handles; one; one = one->next)
		count++;
	if (count >= HANDLES_MAX)
		return -ENOSPC;
	do
		*ret = ++session->last_id;
	while (!*ret || find_handle(session, *ret));
	return 0;
}

static int make_handle(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session,
		       const struct rtrs_rnbd_open *open, const char *sent,
		       struct rtrs_rnbd_handle **ret)
{
	struct rtrs_rnbd_handle *handle = calloc(1, sizeof(*handle));
	int err;

	if (!handle)
		return -ENOMEM;
	err = new_id(session, &handle->id);
	if (err)
		goto no_export;
	err = open_export(server, open->path, &handle->exported);
	if (err)
		goto no_export;
	err = take_access(handle->exported, open->access);
	if (err)
		goto no_access;
	handle->access = open->access;
	handle->session = session;
	(void)hfi_copy(handle->path, sizeof(handle->path), sent);
	handle->next = session->handles;
	session->handles = handle;
	*ret = handle;
	return 0;
no_access:
	close_export(server, handle->exported);
no_export:
	free(handle);
	return err;
}

static void close_handle(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session,
			 struct rtrs_rnbd_handle *handle)
{
	struct rtrs_rnbd_handle **at = &session->handles;

	while (*at != handle)
		at = &(*at)->next;
	*at = handle->next;
	if (handle->access != RNBD_READ_ONLY)
		handle->exported->writers--;
	close_export(server, handle->exported);
	free(handle);
}

static struct rtrs_rnbd_job open_rnbd_handle(struct rtrs_rnbd_server *server,
					     struct rtrs_rnbd_session *session,
					     const struct rtrs_rnbd_request *request)
{
	struct rtrs_rnbd_handle *handle;
	struct rtrs_rnbd_device about;
	struct rtrs_rnbd_open open;
	char sent[RNBD_PATH_SIZE];
	int err = rtrsi_rnbd_open_decode(request->header, request->header_size, &open);

	if (err || !session->version || !request->is_read ||
	    request->data_size < RNBD_OPEN_ANSWER_SIZE)
		return answered(-EINVAL);
	(void)hfi_copy(sent, sizeof(sent), open.path);
	if (rtrsi_rnbd_spell_path(open.path))
		return answered(-EINVAL);
	/* After a client has lost its paths, it opens its open devices again. */
	handle = handle_of_path(session, sent);
	if (!handle) {
		err = make_handle(server, session, &open, sent, &handle);
		if (err)
			return answered(err);
	} else {
		measure_export(server, handle->exported);
	}
	about = handle->exported->about;
	about.id = handle->id;
	rtrsi_rnbd_open_answer_encode(&about, request->data);
	return answered(0);
}

static struct rtrs_rnbd_job close_rnbd_handle(struct rtrs_rnbd_server *server,
					      struct rtrs_rnbd_session *session,
					      const struct rtrs_rnbd_request *request)
{
	struct rtrs_rnbd_handle *handle;
	uint32_t id;

	if (rtrsi_rnbd_close_decode(request->header, request->header_size, &id))
		return answered(-EINVAL);
	handle = find_handle(session, id);
	if (!handle)
		return answered(-ENOENT);
	close_handle(server, session, handle);
	return answered(0);
}

void rtrsi_rnbd_force_close(struct rtrs_rnbd_server *server, struct rtrs_rnbd_handle *handle)
{
	close_handle(server, handle->session, handle);
}

void rtrsi_rnbd_session_ends(struct rtrs_rnbd_server *server, struct rtrs_rnbd_session *session)
{
	while (session->handles)
		close_handle(server, session, session->handles);
	session->version = 0;
}

/* --- blocks -------------------------------------------------------------------------------------- */

static bool changes_blocks(enum rtrs_rnbd_op op)
{
	return op != RNBD_OP_READ && op != RNBD_OP_FLUSH;
}

/* Reads and flushes are sent as reads, all else as writes; only reads and writes have data, and all of it. */
static bool fits_request(const struct rtrs_rnbd_io *io, const struct rtrs_rnbd_request *request)
{
	if (request->is_read == changes_blocks(io->op))
		return false;
	if (io->op == RNBD_OP_READ || io->op == RNBD_OP_WRITE)
		return io->size == request->data_size;
	return !request->data_size;
}

static bool is_within(const struct rtrs_rnbd_io *io, const struct rtrs_rnbd_device *device)
{
	uint64_t sectors = io->size / RNBD_SECTOR_SIZE;

	if (io->size % device->logical_block_size ||
	    io->sector % (device->logical_block_size / RNBD_SECTOR_SIZE))
		return false;
	return io->sector <= device->sectors && sectors <= device->sectors - io->sector;
}

/* The size may have changed since it was opened. */
static bool is_within_now(const struct rtrs_rnbd_server *server, const struct rtrs_rnbd_io *io,
			  struct rtrs_rnbd_export *exported)
{
	if (is_within(io, &exported->about))
		return true;
	measure_export(server, exported);
	return is_within(io, &exported->about);
}

static struct rtrs_rnbd_job start_io(const struct rtrs_rnbd_server *server,
				     const struct rtrs_rnbd_session *session,
				     const struct rtrs_rnbd_request *request)
{
	struct rtrs_rnbd_job job = {0};
	const struct rtrs_rnbd_handle *handle;

	if (rtrsi_rnbd_io_decode(request->header, request->header_size, &job.io))
		return answered(-EINVAL);
	handle = find_handle(session, job.io.device);
	if (!handle)
		return answered(-ENOTCONN);
	if (!fits_request(&job.io, request))
		return answered(-EINVAL);
	if (handle->access == RNBD_READ_ONLY && changes_blocks(job.io.op))
		return answered(-EACCES);
	if (job.io.op != RNBD_OP_FLUSH && !is_within_now(server, &job.io, handle->exported))
		return answered(-EIO);
	job.exported = handle->exported;
	/* It may be closed meanwhile. */
	job.exported->users++;
	return job;
}

void rtrsi_rnbd_io_done(struct rtrs_rnbd_server *server, const struct rtrs_rnbd_job *job)
{
	close_export(server, job->exported);
}

struct rtrs_rnbd_job rtrsi_rnbd_serve(struct rtrs_rnbd_server *server,
				      struct rtrs_rnbd_session *session,
				      const struct rtrs_rnbd_request *request)
{
	enum rtrs_rnbd_type type;

	if (rtrsi_rnbd_type(request->header, request->header_size, &type))
		return answered(-EINVAL);
	switch (type) {
	case RNBD_SESSION_INFO:
		return say_version(session, request);
	case RNBD_OPEN:
		return open_rnbd_handle(server, session, request);
	case RNBD_CLOSE:
		return close_rnbd_handle(server, session, request);
	case RNBD_IO:
		return start_io(server, session, request);
	default:
		return answered(-EINVAL);
	}
}
