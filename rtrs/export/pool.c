/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Threads for work that may wait for a disk. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "rtrs/export/pool.h"
#include "shared/thread.h"

struct rtrs_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct rtrs_task *first, **last;
	bool is_ending;
	unsigned int idle, count;
	pthread_t threads[];
};

static struct rtrs_task *next_task(struct rtrs_pool *pool)
{
	struct rtrs_task *task;

	pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->is_ending) {
		pool->idle++;
		pthread_cond_wait(&pool->changed, &pool->lock);
		pool->idle--;
	}
	task = pool->first;
	if (task) {
		pool->first = task->next;
		if (!pool->first)
			pool->last = &pool->first;
	}
	pthread_mutex_unlock(&pool->lock);
	return task;
}

static void *run_tasks(void *arg)
{
	struct rtrs_task *task;

	while ((task = next_task(arg)))
		task->run(task);
	return NULL;
}

void rtrsi_pool_add(struct rtrs_pool *pool, struct rtrs_task *task)
{
	bool has_idle;

	task->next = NULL;
	pthread_mutex_lock(&pool->lock);
	*pool->last = task;
	pool->last = &task->next;
	has_idle = pool->idle;
	pthread_mutex_unlock(&pool->lock);
	/* A busy thread takes more work before it waits. */
	if (has_idle)
		pthread_cond_signal(&pool->changed);
}

static int start_pool_threads(struct rtrs_pool *pool, unsigned int threads)
{
	int err = 0;

	while (!err && pool->count < threads) {
		err = hfi_thread_start(&pool->threads[pool->count], run_tasks, pool);
		pool->count += !err;
	}
	return err;
}

int rtrsi_pool_new(unsigned int threads, struct rtrs_pool **ret)
{
	struct rtrs_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	int err;

	if (!pool)
		return -ENOMEM;
	pool->last = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	err = start_pool_threads(pool, threads);
	if (err) {
		rtrsi_pool_free(pool);
		return err;
	}
	*ret = pool;
	return 0;
}

void rtrsi_pool_free(struct rtrs_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->is_ending = true;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_broadcast(&pool->changed);
	for (unsigned int i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
