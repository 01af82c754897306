/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rtrs-copy serve ADDRESS DIRECTORY: takes trees of files from clients into the directory. Ends with SIGINT or SIGTERM.
 * rtrs-copy send ADDRESS... TREE: copies a tree into it, over as many paths as there are addresses, with a progress bar.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE \
	1 /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) for O_PATH */
#endif
#include <rtrs/rtrs.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { PATH_SIZE = 2048, BAR = 40 };
enum kind { MAKE_DIRECTORY = 1, MAKE_FILE, WRITE_FILE, MAKE_LINK };

/* The user header of a write. Its data is a part of a file, or what a link points to. */
struct header {
	uint64_t offset;
	uint32_t kind, mode;
	char path[PATH_SIZE]; /* no more of it is sent than there is, with the NUL */
};

/* --- the server ---------------------------------------------------------------------------------- */

/* Nothing outside the directory is reached: neither by ".." nor by a link. Cuts the path, and gives its last part. */
static int open_parent(int root, char *path, const char **name)
{
	const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	char *slash = strrchr(path, '/');
	long fd;

	if (slash)
		*slash = '\0';
	*name = slash ? slash + 1 : path;
	if (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))
		return -EINVAL;
	fd = syscall(SYS_openat2, root, slash ? path : ".", &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* Its parts are written one by one, each with an open of its own: so the owner can write to it. */
static int write_part(int parent, const char *name, int flags, const struct header *header,
		      const char *data, size_t length)
{
	int fd = openat(parent, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags,
			(le32toh(header->mode) & 0777) | S_IWUSR);
	off_t at = (off_t)le64toh(header->offset);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (length && !err) {
		ssize_t done = pwrite(fd, data, length, at);

		if (done < 0 && errno != EINTR)
			err = -errno;
		if (done <= 0)
			continue;
		data += done;
		at += done;
		length -= (size_t)done;
	}
	/* Some file systems tell only now that there was no room. */
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* What is there already is right: a request whose answer was lost with its path is sent again. */
static int make_link(int parent, const char *name, const char *data, size_t length)
{
	char target[PATH_SIZE], there[PATH_SIZE];

	if (!length || length >= sizeof(target))
		return -ENAMETOOLONG;
	memcpy(target, data, length);
	target[length] = '\0';
	if (!symlinkat(target, parent, name))
		return 0;
	if (errno != EEXIST)
		return -errno;
	return readlinkat(parent, name, there, sizeof(there)) == (ssize_t)length &&
			       !memcmp(there, target, length)
		       ? 0
		       : -EEXIST;
}

static int make_copied_directory(int parent, const char *name, mode_t mode)
{
	struct stat status;

	if (!mkdirat(parent, name, (mode & 0777) | S_IRWXU))
		return 0;
	if (errno != EEXIST || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

static int take_copied_part(int root, struct header *header, const char *data, size_t length)
{
	const char *name;
	int parent = open_parent(root, header->path, &name), err = -EINVAL;

	if (parent < 0)
		return parent;
	switch (le32toh(header->kind)) {
	case MAKE_DIRECTORY:
		err = make_copied_directory(parent, name, le32toh(header->mode));
		break;
	case MAKE_FILE:
		err = write_part(parent, name, O_CREAT | O_TRUNC, header, data, 0);
		break;
	case WRITE_FILE:
		err = write_part(parent, name, 0, header, data, length);
		break;
	case MAKE_LINK:
		err = make_link(parent, name, data, length);
		break;
	}
	close(parent);
	return err;
}

/* A client may send anything, and change it while it is looked at: so the header is copied first. */
static void copy_job_came(struct rtrs_job *job, void *user)
{
	size_t length, header_length;
	const char *data = rtrs_job_data(job, &length);
	const void *from = rtrs_job_header(job, &header_length);
	struct header header = {0};
	int err = -EINVAL;

	if (!rtrs_job_is_read(job) && header_length > offsetof(struct header, path) &&
	    header_length < sizeof(header)) {
		memcpy(&header, from, header_length);
		err = take_copied_part(*(const int *)user, &header, data, length);
	}
	rtrs_job_answer(job, err);
}

static int serve_copies(const char *address, const char *directory)
{
	int root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), err, number;
	const struct rtrs_service_options options = {
		.size = sizeof(options), .job = copy_job_came, .user = &root};
	struct rtrs_service *service;
	sigset_t signals;

	if (root < 0)
		return -errno;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = rtrs_service_open(&options, &service);
	if (err)
		goto no_service;
	err = rtrs_service_listen(service, address);
	if (!err)
		err = rtrs_service_run(service);
	if (!err)
		sigwait(&signals, &number);
	rtrs_service_close(service);
no_service:
	close(root);
	return err;
}

/* --- the client ---------------------------------------------------------------------------------- */

struct copy {
	struct rtrs_session *session;
	unsigned int paths, under_way;
	int error; /* the first one */
	uint64_t sent, total;
	int shown; /* per cent */
};

struct part {
	struct copy *copy;
	size_t length;
};

static void show_progress(struct copy *copy)
{
	static const char bar[] = "########################################";
	int percent = copy->total ? (int)(copy->sent * 100 / copy->total) : 100;

	if (percent == copy->shown)
		return;
	copy->shown = percent;
	fprintf(stderr, "\r[%-*.*s] %3d %%", BAR, percent * BAR / 100, bar, percent);
}

static void copy_path_event(struct rtrs_session *session, const struct rtrs_session_event *event,
			    void *user)
{
	struct copy *copy = user;

	(void)session;
	if (event->type == RTRS_SESSION_PATH_UP)
		copy->paths++;
	else if (event->type == RTRS_SESSION_PATH_FAILED && !copy->error)
		copy->error = event->error;
}

static void part_done(int error, void *user)
{
	struct part *part = user;
	struct copy *copy = part->copy;

	copy->under_way--;
	if (error && !copy->error)
		copy->error = error;
	copy->sent += part->length;
	free(part);
	if (!copy->error)
		show_progress(copy);
}

/* The error of anything so far. */
static int advance_copy(struct copy *copy)
{
	struct pollfd poll_fd = {.fd = rtrs_session_fd(copy->session), .events = POLLIN};
	int err = 0;

	if (poll(&poll_fd, 1, -1) > 0)
		err = rtrs_session_dispatch(copy->session);
	if (err && !copy->error)
		copy->error = err;
	return copy->error;
}

static int finish(struct copy *copy)
{
	while (copy->under_way && !advance_copy(copy))
		;
	return copy->error;
}

static int send_piece_of_tree(struct copy *copy, struct header *header, const char *path,
			      void *data, size_t length)
{
	size_t path_length = strlen(path);
	struct iovec piece = {data, length};
	struct rtrs_transfer transfer = {.size = sizeof(transfer),
					 .header = header,
					 .header_length =
						 offsetof(struct header, path) + path_length + 1,
					 .data = &piece,
					 .data_count = length ? 1 : 0,
					 .done = part_done};
	struct rtrs_permit *permit;
	struct part *part;
	int err;

	if (path_length >= sizeof(header->path) - 1)
		return -ENAMETOOLONG;
	memcpy(header->path, path, path_length + 1);
	while ((err = rtrs_permit_get(copy->session, &permit)) == -EAGAIN) {
		if (advance_copy(copy))
			return copy->error;
	}
	if (err)
		return err;
	part = malloc(sizeof(*part));
	if (!part) {
		rtrs_permit_put(permit);
		return -ENOMEM;
	}
	*part = (struct part){copy, le32toh(header->kind) == WRITE_FILE ? length : 0};
	transfer.user = part;
	err = rtrs_write(permit, &transfer);
	if (err) {
		free(part);
		rtrs_permit_put(permit);
		return err;
	}
	copy->under_way++;
	return 0;
}

/* What follows needs it. */
static int make(struct copy *copy, enum kind kind, mode_t mode, const char *path, void *data,
		size_t length)
{
	struct header header = {.kind = htole32(kind), .mode = htole32(mode)};
	int err = send_piece_of_tree(copy, &header, path, data, length);

	return err ? err : finish(copy);
}

/* The data of a write is copied by the library: one buffer is enough. */
static int send_content(struct copy *copy, int fd, const char *path, char *buffer, size_t size)
{
	struct header header = {.kind = htole32(WRITE_FILE)};
	uint64_t offset = 0;

	for (;;) {
		ssize_t got = read(fd, buffer, size);
		int err;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : finish(copy);
		header.offset = htole64(offset);
		err = send_piece_of_tree(copy, &header, path, buffer, (size_t)got);
		if (err)
			return err;
		offset += (uint64_t)got;
	}
}

static int send_entry(struct copy *copy, const FTSENT *entry, const char *path, char *buffer,
		      size_t size)
{
	ssize_t length;
	int fd, err;

	switch (entry->fts_info) {
	case FTS_D:
		return make(copy, MAKE_DIRECTORY, entry->fts_statp->st_mode, path, NULL, 0);
	case FTS_DP:
		return 0;
	case FTS_SL:
	case FTS_SLNONE:
		length = readlink(entry->fts_accpath, buffer, size);
		return length < 0 ? -errno : make(copy, MAKE_LINK, 0, path, buffer, (size_t)length);
	case FTS_F:
		break;
	default:
		return entry->fts_errno ? -entry->fts_errno : -EOPNOTSUPP;
	}
	fd = open(entry->fts_accpath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = make(copy, MAKE_FILE, entry->fts_statp->st_mode, path, NULL, 0);
	if (!err)
		err = send_content(copy, fd, path, buffer, size);
	close(fd);
	return err;
}

static int is_directory(const FTSENT *entry)
{
	return entry->fts_info == FTS_D || entry->fts_info == FTS_DP;
}

/* Once to know how much there is (`buffer` is NULL), and once to send it. */
static int walk_tree(struct copy *copy, char *tree, char *buffer, size_t size)
{
	char *const trees[] = {tree, NULL};
	FTS *fts = fts_open(trees, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry = NULL;
	int err = 0;

	if (!fts)
		return -errno;
	while (!err && (errno = 0, entry = fts_read(fts))) {
		const char *path = entry->fts_path + strlen(tree);

		path += strspn(path, "/");
		if (!buffer && entry->fts_info == FTS_F)
			copy->total += (uint64_t)entry->fts_statp->st_size;
		/* The tree's own directory is the server's. */
		else if (buffer && (*path || !is_directory(entry)))
			err = *path ? send_entry(copy, entry, path, buffer, size)
				    : -(entry->fts_errno ? entry->fts_errno : ENOTDIR);
		if (err)
			fprintf(stderr, "\n%s: %s\n", entry->fts_path, strerror(-err));
	}
	if (!err && !entry && errno)
		err = -errno;
	fts_close(fts);
	return err;
}

static int send_tree(struct copy *copy, char *tree)
{
	struct rtrs_limits limits = {.size = sizeof(limits)};
	char *buffer;
	int err = rtrs_session_limits(copy->session, &limits);

	if (!err)
		err = walk_tree(copy, tree, NULL, 0);
	if (err)
		return err;
	buffer = malloc(limits.max_io);
	if (!buffer)
		return -ENOMEM;
	err = walk_tree(copy, tree, buffer, limits.max_io);
	if (!err)
		err = finish(copy);
	if (!err)
		show_progress(copy);
	fputc('\n', stderr);
	free(buffer);
	return err;
}

static int send_over(char **addresses, int count, char *tree)
{
	struct copy copy = {.shown = -1};
	char name[128];
	const struct rtrs_session_options options = {
		.size = sizeof(options), .name = name, .event = copy_path_event, .user = &copy};
	struct utsname host;
	int err;

	/* A server takes a name once at a time. There is no dot in one. */
	if (uname(&host))
		return -errno;
	host.nodename[strcspn(host.nodename, "./")] = '\0';
	snprintf(name, sizeof(name), "rtrs-copy-%.64s-%d", host.nodename, (int)getpid());
	err = rtrs_session_open(&options, &copy.session);
	if (err)
		return err;
	for (int i = 0; i < count && err >= 0; i++)
		err = rtrs_session_add_path(copy.session, addresses[i]);
	err = err < 0 ? err : 0;
	while (!err && copy.paths < (unsigned int)count)
		err = advance_copy(&copy);
	if (!err)
		err = send_tree(&copy, tree);
	rtrs_session_close(copy.session);
	return err;
}

int main(int argc, char **argv)
{
	int err = 0;

	if (argc == 4 && !strcmp(argv[1], "serve")) {
		err = serve_copies(argv[2], argv[3]);
	} else if (argc >= 4 && !strcmp(argv[1], "send")) {
		err = send_over(argv + 2, argc - 3, argv[argc - 1]);
	} else {
		fprintf(stderr,
			"usage: %s serve ADDRESS DIRECTORY\n"
			"       %s send ADDRESS... TREE\n",
			argv[0], argv[0]);
		return 2;
	}
	if (err)
		fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
	return err ? 1 : 0;
}
