#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../unit.h"
#include "base/thread.h"
#include "base/thread_each.h"

#define COUNT 12

static _Atomic pid_t visited[4 * COUNT];
static atomic_uint visits;
static _Thread_local atomic_uint mine;

static bool note(void *arg)
{
	unsigned i = atomic_fetch_add(&visits, 1);
	atomic_fetch_add(&mine, 1);
	if (i < ARRAY_LEN(visited))
		atomic_store(&visited[i], gettid());
	/* A failure in one of the others. */
	return arg == NULL || gettid() == getpid();
}

struct waiter {
	struct mutex *mutex;
	struct cond *wake;
	bool *is_over;
	int end; /* of a pipe */
	unsigned had;
	bool has_read;
};

static void wait_for_condition(void *arg)
{
	struct waiter *w = arg;
	mutex_lock(w->mutex);
	while (!*w->is_over)
		cond_wait(w->wake, w->mutex);
	mutex_unlock(w->mutex);
	w->had = atomic_load(&mine);
}

static void wait_for_bytes(void *arg)
{
	struct waiter *w = arg;
	char byte;
	w->has_read = read(w->end, &byte, 1) == 1;
	w->had = atomic_load(&mine);
}

/* One that nobody here started. */
static void *wait_as_stranger(void *arg)
{
	wait_for_bytes(arg);
	return NULL;
}

/* As libraries start theirs. */
static void *wait_deaf(void *arg)
{
	struct waiter *w = arg;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	assert_int_equal(write(w->end, "r", 1), 1);
	wait_for_condition(arg);
	return NULL;
}

static void every_thread_is_visited_once_wherever_it_waits(void **state UNUSED)
{
	struct mutex mutex;
	struct cond wake;
	bool is_over = false;
	int pipes[2];
	int ready[2];
	struct waiter waiters[COUNT];
	struct thread *threads[COUNT - 1];
	pthread_t stranger;
	pthread_t deaf_one;
	unsigned deaf = 0;
	unsigned before = 0;
	char byte;
	struct err err;
	mutex_init(&mutex, "test");
	cond_init(&wake);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(ready), 0);
	for (size_t i = 0; i < COUNT; i++)
		waiters[i] = (struct waiter){
			.mutex = &mutex, .wake = &wake, .is_over = &is_over, .end = pipes[0]
		};
	for (size_t i = 0; i < COUNT - 1; i++)
		ASSERT_DONE(thread_start("waits", i % 2 == 0 ? wait_for_condition : wait_for_bytes,
			&waiters[i], 0, &threads[i], &err));
	assert_int_equal(pthread_create(&stranger, NULL, wait_as_stranger, &waiters[COUNT - 1]), 0);

	/* A sanitizer has threads of its own, deaf or not. */
	ASSERT_DONE(thread_each(note, NULL, &before, &err));
	assert_true(atomic_load(&visits) > COUNT);
	for (size_t i = 0; i < atomic_load(&visits); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(atomic_load(&visited[i]), atomic_load(&visited[j]));
	assert_int_equal(atomic_load(&mine), 1);
	ASSERT_FAILS(ERR_UNAVAILABLE, thread_each(note, &err, &deaf, &err));

	struct waiter ignorant = {
		.mutex = &mutex, .wake = &wake, .is_over = &is_over, .end = ready[1]
	};
	assert_int_equal(pthread_create(&deaf_one, NULL, wait_deaf, &ignorant), 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	ASSERT_DONE(thread_each(note, NULL, &deaf, &err));
	assert_int_equal(deaf, before + 1);

	mutex_lock(&mutex);
	is_over = true;
	cond_broadcast(&wake);
	mutex_unlock(&mutex);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(write(pipes[1], "x", 1), 1);
	for (size_t i = 0; i < COUNT - 1; i++)
		thread_join(threads[i]);
	assert_int_equal(pthread_join(stranger, NULL), 0);
	assert_int_equal(pthread_join(deaf_one, NULL), 0);
	assert_int_equal(ignorant.had, 0);
	for (size_t i = 0; i < COUNT; i++) {
		assert_true(waiters[i].had >= 1);
		/* What waited for bytes went on waiting. */
		assert_true(waiters[i].has_read == (i % 2 == 1 || i == COUNT - 1));
	}
	close(pipes[0]);
	close(pipes[1]);
	close(ready[0]);
	close(ready[1]);
	cond_fini(&wake);
	mutex_fini(&mutex);
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
	/* It keeps signals back while a thread waits. */
	printf("1..0 # SKIP ThreadSanitizer\n");
	return 0;
#endif
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_is_visited_once_wherever_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
