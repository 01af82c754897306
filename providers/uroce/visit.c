/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The direct path to another device of the same user. A context takes a slot in the node of that device as well, and
 * executes its requests to QPs there with that slot: locks, wake-ups and the wait for accesses are then the same as
 * between contexts of one device.
 *
 * A slot is held by a thread, so each visited node has one, which sleeps.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "providers/uroce/qp.h"

enum { VISITS = 64 };

struct uroce_visit {
	/* No objects, no operations and no engine: what it takes to be in the other node. */
	struct uroce_context context;
	struct uroce_visit *next;
	unsigned int uses; /* QPs */
};

/* What others read of a node to find the device by its GID. */
struct node_head {
	uint64_t magic;
	uint32_t version;
	uint64_t gids[UROCE_GIDS][2];
};

/* ---- The slot ---- */

static void *hold_slot(void *arg)
{
	struct uroce_context *inner = arg;

	if (uroce_thread_begin(inner))
		return NULL;
	pthread_mutex_lock(&inner->start_lock);
	while (!atomic_load(&inner->stop))
		pthread_cond_wait(&inner->started, &inner->start_lock);
	pthread_mutex_unlock(&inner->start_lock);
	uroce_membership_end(inner);
	return NULL;
}

static int begin_visit(struct uroce_context *inner)
{
	const int err = uroce_segment_map(inner);

	return err ? err : uroce_thread_start(inner, hold_slot);
}

static void end_visit(struct uroce_visit *visit)
{
	struct uroce_context *inner = &visit->context;

	if (inner->has_thread && inner->pid == getpid()) {
		pthread_mutex_lock(&inner->start_lock);
		atomic_store(&inner->stop, true);
		pthread_cond_broadcast(&inner->started);
		pthread_mutex_unlock(&inner->start_lock);
		pthread_join(inner->thread, NULL);
	}
	uroce_segment_unmap(inner);
	/* In a forked child the thread waits for ever in the copy of `started`, which cannot be destroyed. */
	if (inner->pid == getpid())
		uroce_locks_destroy(inner);
	close(inner->verbs.context.cmd_fd);
	free(visit);
}

/* Takes over the descriptor. */
static struct uroce_visit *new_visit(struct uroce_context *context, int fd)
{
	struct uroce_visit *visit = calloc(1, sizeof(*visit));
	struct uroce_context *inner;

	if (!visit) {
		close(fd);
		return NULL;
	}
	inner = &visit->context;
	inner->verbs.context.device = context->verbs.context.device;
	inner->verbs.context.cmd_fd = fd;
	inner->pid = context->pid;
	/* Who wakes the slot there wakes our engine. */
	inner->doorbell = context->doorbell;
	inner->own.doorbell = context->own.doorbell;
	inner->wire_only = context->wire_only;
	inner->is_visit = true;
	uroce_random(&inner->probe, sizeof(inner->probe));
	uroce_locks_init(inner);
	if (!begin_visit(inner))
		return visit;
	end_visit(visit);
	return NULL;
}

/* ---- Finding the node ---- */

static bool has_gid(const uint64_t gids[UROCE_GIDS][2], const union ibv_gid *gid)
{
	for (unsigned int i = 0; i < UROCE_GIDS; i++)
		if (!memcmp(gids[i], gid, sizeof(*gid)))
			return true;
	return false;
}

static bool read_at(int fd, void *to, size_t size, size_t offset)
{
	return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* Without mapping it: whose it is, is not known yet. */
static bool is_node_of(int fd, const union ibv_gid *gid)
{
	struct node_head head = {0};

	return read_at(fd, &head.magic, sizeof(head.magic), offsetof(struct uroce_header, magic)) &&
	       read_at(fd, &head.version, sizeof(head.version),
		       offsetof(struct uroce_header, version)) &&
	       head.magic == UROCE_MAGIC && head.version == UROCE_VERSION &&
	       read_at(fd, head.gids, sizeof(head.gids), offsetof(struct uroce_header, gids)) &&
	       has_gid(head.gids, gid);
}

/* Opens nothing but a file of this user: to open a device could do something to it. */
static int open_sibling(int dir, const char *name, const struct stat *own)
{
	struct stat st;
	int fd;

	if (strncmp(name, "uverbs", 6) != 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_ino == own->st_ino && st.st_dev == own->st_dev))
		return -1;
	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid())) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The directory that has the node of this device has those of all devices of the root. */
static DIR *open_nodes(struct uroce_context *context)
{
	char link[32], path[PATH_MAX];
	ssize_t length;
	char *slash;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", context->verbs.context.cmd_fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return NULL;
	*slash = '\0';
	return opendir(path);
}

/* A descriptor, or -1. */
static int find_node_of(struct uroce_context *context, const union ibv_gid *gid)
{
	const struct dirent *entry;
	struct stat own;
	int found = -1;
	DIR *nodes;

	if (fstat(context->verbs.context.cmd_fd, &own))
		return -1;
	nodes = open_nodes(context);
	if (!nodes)
		return -1;
	while (found < 0 && (entry = readdir(nodes))) {
		found = open_sibling(dirfd(nodes), entry->d_name, &own);
		if (found >= 0 && !is_node_of(found, gid)) {
			close(found);
			found = -1;
		}
	}
	closedir(nodes);
	return found;
}

/* ---- Visits ---- */

/* A node that has no name any more is of a device that was removed. */
static bool node_is_gone(const struct uroce_context *inner)
{
	struct stat st;

	return fstat(inner->verbs.context.cmd_fd, &st) || !st.st_nlink;
}

/* With visits_lock. Ends those that no QP uses, but the one with that GID, which is left in *ret. Returns how many are left. */
static unsigned int look_at_visits(struct uroce_context *context, const union ibv_gid *gid,
				   struct uroce_visit **ret)
{
	struct uroce_visit **at = &context->visits, *visit;
	unsigned int count = 0;

	*ret = NULL;
	while ((visit = *at)) {
		const bool is_wanted = !node_is_gone(&visit->context) &&
				       is_node_of(visit->context.verbs.context.cmd_fd, gid);

		if (!is_wanted && !visit->uses) {
			*at = visit->next;
			end_visit(visit);
			continue;
		}
		if (is_wanted)
			*ret = visit;
		at = &visit->next;
		count++;
	}
	return count;
}

static struct uroce_visit *find_visit(struct uroce_context *context, const union ibv_gid *gid)
{
	struct uroce_visit *visit;
	int fd;

	if (look_at_visits(context, gid, &visit) >= VISITS || visit)
		return visit;
	fd = find_node_of(context, gid);
	if (fd < 0)
		return NULL;
	visit = new_visit(context, fd);
	if (visit) {
		visit->next = context->visits;
		context->visits = visit;
	}
	return visit;
}

struct uroce_context *uroce_visit_begin(struct uroce_context *context, const union ibv_gid *gid)
{
	struct uroce_visit *visit;

	pthread_mutex_lock(&context->visits_lock);
	visit = find_visit(context, gid);
	if (visit)
		visit->uses++;
	pthread_mutex_unlock(&context->visits_lock);
	return visit ? &visit->context : NULL;
}

void uroce_visit_end(struct uroce_context *context, struct uroce_context *through)
{
	/* In a forked child another thread of the parent may have had the lock. */
	if (through == context || context->pid != getpid())
		return;
	pthread_mutex_lock(&context->visits_lock);
	container_of(through, struct uroce_visit, context)->uses--;
	pthread_mutex_unlock(&context->visits_lock);
}

void uroce_visits_wait(struct uroce_context *context)
{
	pthread_mutex_lock(&context->visits_lock);
	for (struct uroce_visit *visit = context->visits; visit; visit = visit->next)
		uroce_access_wait_own(&visit->context);
	pthread_mutex_unlock(&context->visits_lock);
}

void uroce_visits_close(struct uroce_context *context)
{
	while (context->visits) {
		struct uroce_visit *visit = context->visits;

		context->visits = visit->next;
		end_visit(visit);
	}
}
