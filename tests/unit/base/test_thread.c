#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/thread.h"

#define THREADS 4
#define ROUNDS  20000

struct shared {
	struct mutex mutex;
	struct cond cond;
	long counter;
	bool is_ready;
	char name[17];
	bool is_blocked;
};

static void shared_init(struct shared *s)
{
	memset(s, 0, sizeof(*s));
	mutex_init(&s->mutex, "test");
	cond_init(&s->cond);
}

static void shared_fini(struct shared *s)
{
	cond_fini(&s->cond);
	mutex_fini(&s->mutex);
}

static void count(void *arg)
{
	struct shared *s = arg;
	for (int i = 0; i < ROUNDS; i++) {
		LOCKED(&s->mutex);
		mutex_assert_held(&s->mutex);
		s->counter++;
	}
}

static void a_mutex_admits_one_thread_at_a_time(void **state UNUSED)
{
	struct shared s;
	struct thread *threads[THREADS];
	struct err err;
	shared_init(&s);
	for (int i = 0; i < THREADS; i++)
		ASSERT_DONE(thread_start("counter", count, &s, 0, &threads[i], &err));
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	assert_int_equal(s.counter, (long)THREADS * ROUNDS);
	shared_fini(&s);
}

static void two_locks_can_be_held_in_one_scope(void **state UNUSED)
{
	struct mutex a;
	struct mutex b;
	mutex_init(&a, "a");
	mutex_init(&b, "b");
	{
		LOCKED(&a);
		LOCKED(&b);
		mutex_assert_held(&a);
		mutex_assert_held(&b);
	}
	/* Both were let go: locking again neither asserts nor hangs. */
	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_fini(&a);
	mutex_fini(&b);
}

/* Runs fn in a child and tells the signal that ended it (0: none). */
static int signal_of(void (*fn)(struct mutex *), struct mutex *m)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_DUMPABLE, 0);
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) != NULL)
			fn(m);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void held(struct mutex *m)
{
	mutex_assert_held(m);
}

static void lock_twice(struct mutex *m)
{
	mutex_lock(m);
	mutex_lock(m);
}

static void misuse_of_a_mutex_aborts(void **state UNUSED)
{
	struct mutex m;
	mutex_init(&m, "misused");
	assert_int_equal(signal_of(held, &m), SIGABRT);
	assert_int_equal(signal_of(mutex_unlock, &m), SIGABRT);
	assert_int_equal(signal_of(lock_twice, &m), SIGABRT);
	mutex_lock(&m);
	assert_int_equal(signal_of(held, &m), 0);
	mutex_unlock(&m);
	mutex_fini(&m);
}

static void waiting_in_vain_ends_after_the_timeout(void **state UNUSED)
{
	struct shared s;
	shared_init(&s);
	mutex_lock(&s.mutex);
	int64_t before_us = clock_mono_us();
	assert_false(cond_wait_ms(&s.cond, &s.mutex, 30));
	int64_t took_us = clock_mono_us() - before_us;
	mutex_assert_held(&s.mutex);
	mutex_unlock(&s.mutex);
	assert_true(took_us >= 30000);
	assert_true(took_us < 10000000);
	mutex_lock(&s.mutex);
	assert_false(cond_wait_ms(&s.cond, &s.mutex, 0));
	assert_false(cond_wait_ms(&s.cond, &s.mutex, -5));
	mutex_unlock(&s.mutex);
	shared_fini(&s);
}

static void become_ready(void *arg)
{
	struct shared *s = arg;
	LOCKED(&s->mutex);
	s->is_ready = true;
	cond_broadcast(&s->cond);
}

static void a_waiting_thread_is_woken_before_the_timeout(void **state UNUSED)
{
	for (int timed = 0; timed < 2; timed++) {
		struct shared s;
		struct thread *t;
		struct err err;
		shared_init(&s);
		mutex_lock(&s.mutex);
		ASSERT_DONE(thread_start("waker", become_ready, &s, 0, &t, &err));
		while (!s.is_ready) {
			if (timed)
				assert_true(cond_wait_ms(&s.cond, &s.mutex, 60000));
			else
				cond_wait(&s.cond, &s.mutex);
		}
		mutex_unlock(&s.mutex);
		thread_join(t);
		shared_fini(&s);
	}
}

static void look_around(void *arg)
{
	struct shared *s = arg;
	sigset_t mask;
	prctl(PR_GET_NAME, s->name);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	s->is_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGPIPE) == 1;
	/* Most of the promised stack can be used. */
	volatile char stack[400 * 1024];
	for (size_t i = 0; i < sizeof(stack); i += 1024)
		stack[i] = (char)i;
	s->counter = stack[1024];
}

static void threads_have_names_stacks_and_no_signals(void **state UNUSED)
{
	struct shared s;
	struct thread *t;
	struct err err;
	sigset_t before;
	sigset_t after;
	shared_init(&s);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	ASSERT_DONE(thread_start("fifteen letters", look_around, &s, 512 * 1024, &t, &err));
	thread_join(t);
	thread_join(NULL);
	assert_string_equal(s.name, "fifteen letters");
	assert_true(s.is_blocked);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	shared_fini(&s);
}

static void the_wall_clock_can_be_shifted_and_the_monotonic_one_not(void **state UNUSED)
{
	int64_t wall = clock_now_ms();
	int64_t mono = clock_mono_us();
	assert_true(wall > INT64_C(1600000000000));
	clock_shift_ms(3600000);
	assert_true(clock_now_ms() - wall >= 3600000);
	assert_true(clock_now_ms() - wall < 3660000);
	assert_true(clock_mono_us() - mono < 60000000);
	assert_true(clock_mono_us() >= mono);
	clock_shift_ms(-3600000);
	assert_true(clock_now_ms() - wall < 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mutex_admits_one_thread_at_a_time),
		cmocka_unit_test(two_locks_can_be_held_in_one_scope),
		cmocka_unit_test(misuse_of_a_mutex_aborts),
		cmocka_unit_test(waiting_in_vain_ends_after_the_timeout),
		cmocka_unit_test(a_waiting_thread_is_woken_before_the_timeout),
		cmocka_unit_test(threads_have_names_stacks_and_no_signals),
		cmocka_unit_test(the_wall_clock_can_be_shifted_and_the_monotonic_one_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
