/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rtrs-relay LISTEN CONNECT BYTES: passes on what comes to one Unix socket to another, and back. Each time that it
 * has passed on so many bytes it cuts all connections and says "cut".
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 256, PIECE = 65536 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ends[CONNECTIONS][2];
static unsigned int count, first; /* those before `first` are cut */
static unsigned long long passed, limit;

struct direction {
	int from, to;
};

static void cut_all(void)
{
	for (; first < count; first++) {
		shutdown(ends[first][0], SHUT_RDWR);
		shutdown(ends[first][1], SHUT_RDWR);
	}
	passed = 0;
	puts("cut");
	fflush(stdout);
}

static void count_passed(size_t bytes)
{
	pthread_mutex_lock(&lock);
	passed += bytes;
	if (passed >= limit)
		cut_all();
	pthread_mutex_unlock(&lock);
}

static void *pass_on(void *arg)
{
	struct direction direction = *(struct direction *)arg;
	char piece[PIECE];
	ssize_t size;

	free(arg);
	while ((size = read(direction.from, piece, sizeof(piece))) > 0) {
		for (ssize_t done = 0; done < size;) {
			ssize_t written = send(direction.to, piece + done, (size_t)(size - done),
					       MSG_NOSIGNAL);

			if (written < 0)
				goto out;
			done += written;
		}
		count_passed((size_t)size);
	}
out:
	shutdown(direction.from, SHUT_RDWR);
	shutdown(direction.to, SHUT_RDWR);
	return NULL;
}

static void start_direction(int from, int to)
{
	struct direction *direction = malloc(sizeof(*direction));
	pthread_t thread;

	if (!direction)
		exit(1);
	*direction = (struct direction){from, to};
	if (pthread_create(&thread, NULL, pass_on, direction))
		exit(1);
	pthread_detach(thread);
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

int main(int argc, char **argv)
{
	struct sockaddr_un here, there;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 4)
		return 2;
	here = unix_address(argv[1]);
	there = unix_address(argv[2]);
	limit = strtoull(argv[3], NULL, 10);
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, 64))
		return 1;
	while (count < CONNECTIONS) {
		int client = accept(listener, NULL, NULL), server = socket(AF_UNIX, SOCK_STREAM, 0);

		if (client < 0)
			return 1;
		if (connect(server, (struct sockaddr *)&there, sizeof(there))) {
			close(client);
			close(server);
			continue;
		}
		pthread_mutex_lock(&lock);
		ends[count][0] = client;
		ends[count++][1] = server;
		pthread_mutex_unlock(&lock);
		start_direction(client, server);
		start_direction(server, client);
	}
	return 1;
}
