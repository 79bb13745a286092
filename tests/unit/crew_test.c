/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that stay for the next call. */
#include "unit.h"
#include "driver/crew.h"
#include "driver/deadline.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 24                 /* more than may wait for work */
#define LONG_MS 600000

/* What a turn does: it tells who it is, and waits to be let through. */
struct job {
    pthread_t by;
    sem_t begun, go;
    bool waits;
    int looks;                  /* of who gave up */
    atomic_int *dropped;
};

static struct job *job_new(bool waits, atomic_int *dropped)
{
    struct job *job = calloc(1, sizeof(*job));

    ck_assert_ptr_nonnull(job);
    sem_init(&job->begun, 0, 0);
    sem_init(&job->go, 0, 0);
    job->waits = waits;
    job->dropped = dropped;
    return job;
}

static void wait_on(sem_t *sem)
{
    while (sem_wait(sem) && errno == EINTR)
        continue;
}

static void job_free(struct job *job)
{
    sem_destroy(&job->begun);
    sem_destroy(&job->go);
    free(job);
}

static void run(void *arg)
{
    struct job *job = arg;

    job->by = pthread_self();
    sem_post(&job->begun);
    if (job->waits)
        wait_on(&job->go);
}

static void late(void *arg)
{
    ((struct job *)arg)->looks++;
}

static void drop(void *arg)
{
    struct job *job = arg;
    atomic_int *dropped = job->dropped;

    job_free(job);
    atomic_fetch_add(dropped, 1);
}

static const struct xlcfg__work work = { run, late, drop };

static struct xlcfg__turn *begin(struct job *job)
{
    struct xlcfg__turn *turn = xlcfg__turn_start(&work, job);

    ck_assert_ptr_nonnull(turn);
    return turn;
}

static pthread_t one_call(void)
{
    struct job *job = job_new(false, NULL);
    pthread_t by;

    ck_assert_int_eq(xlcfg__deadline_run(LONG_MS, &work, job), 0);
    ck_assert_int_eq(job->looks, 0);
    by = job->by;
    job_free(job);
    return by;
}

static int threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

/* As long as it takes until so many are left: one that is joined has ended
 * but may be listed for a moment, and so may one that ends by itself. */
static void are_left(int count)
{
    for (int i = 0; i < 6000 && threads() != count; i++)
        usleep(10000);
    ck_assert_int_eq(threads(), count);
}

static void *nothing(void *arg)
{
    return arg;
}

/* A sanitizer has one of its own from a program's first on. */
static void have_had_one(void)
{
    pthread_t id;

    ck_assert_int_eq(pthread_create(&id, NULL, nothing,
                                    NULL), 0);
    pthread_join(id, NULL);
}

START_TEST(the_next_call_is_of_the_same_thread)
{
    int before = threads();
    pthread_t first;

    xlcfg__crew_hold();
    first = one_call();
    for (int i = 0; i < 100; i++)
        ck_assert(pthread_equal(one_call(), first));
    are_left(before + 1);
    xlcfg__crew_let_go();
    are_left(before);
}
END_TEST

START_TEST(it_stays_as_long_as_anybody_holds_it)
{
    int before = threads();

    xlcfg__crew_hold();
    xlcfg__crew_hold();
    one_call();
    xlcfg__crew_let_go();
    are_left(before + 1);
    xlcfg__crew_let_go();
    are_left(before);
    one_call();
    are_left(before);
}
END_TEST

START_TEST(many_at_once_have_a_thread_each_and_few_stay)
{
    struct xlcfg__turn *turns[MANY];
    struct job *jobs[MANY];
    int before = threads();

    xlcfg__crew_hold();
    for (int i = 0; i < MANY; i++) {
        jobs[i] = job_new(true, NULL);
        turns[i] = begin(jobs[i]);
    }
    for (int i = 0; i < MANY; i++)
        wait_on(&jobs[i]->begun);       /* none waits for another */
    ck_assert_int_eq(threads(), before + MANY);
    for (int i = 0; i < MANY; i++)
        sem_post(&jobs[i]->go);
    for (int i = 0; i < MANY; i++) {
        ck_assert(xlcfg__turn_end(turns[i], i % 2 ? LONG_MS : XLCFG__NO_END));
        job_free(jobs[i]);
    }
    are_left(before + 8);
    xlcfg__crew_let_go();
    are_left(before);
}
END_TEST

START_TEST(one_that_is_late_is_its_threads)
{
    atomic_int dropped = 0;
    struct job *job = job_new(true, &dropped);
    struct xlcfg__turn *turn;
    int before = threads();

    xlcfg__crew_hold();
    turn = begin(job);
    wait_on(&job->begun);
    ck_assert(!xlcfg__turn_end(turn, 10));
    ck_assert_int_eq(job->looks, 1);
    ck_assert_int_eq(atomic_load(&dropped), 0);
    if (_i)
        xlcfg__crew_let_go();   /* it is at work, and not waited for */
    one_call();
    sem_post(&job->go);
    while (!atomic_load(&dropped))
        usleep(1000);
    if (!_i) {
        are_left(before + 2);
        xlcfg__crew_let_go();
    }
    are_left(before);
    ck_assert_int_eq(atomic_load(&dropped), 1);
}
END_TEST

START_TEST(one_that_is_through_is_not_late)
{
    struct job *job = job_new(false, NULL);
    int before = threads();
    struct xlcfg__turn *turn = begin(job);

    are_left(before);           /* nobody holds them: it is through */
    ck_assert(xlcfg__turn_end(turn, _i ? 1 : 0));
    ck_assert_int_eq(job->looks, 0);
    job_free(job);
}
END_TEST

/* The thread sanitizer knows no new threads after such a fork. */
#ifndef __SANITIZE_THREAD__
START_TEST(a_child_has_threads_of_its_own)
{
    int status, before;
    pid_t pid;

    xlcfg__crew_hold();
    one_call();
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (!pid) {
        alarm(60);              /* for work that nobody takes */
        before = threads();
        one_call();
        if (threads() != before + 1)
            _exit(1);
        xlcfg__crew_let_go();
        _exit(threads() == before ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    one_call();
    xlcfg__crew_let_go();
}
END_TEST
#endif

static atomic_int caught;

static void count(int sig)
{
    (void)sig;
    atomic_fetch_add(&caught, 1);
}

static void see_mask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
}

/* Signals for this program while it waits, and then the end of the wait. */
static void *disturb(void *arg)
{
    struct job *job = arg;

    for (int i = 0; i < 10; i++) {
        usleep(10000);
        kill(getpid(), SIGUSR1);
    }
    sem_post(&job->go);
    return NULL;
}

START_TEST(no_signal_reaches_them_or_ends_a_wait)
{
    static const struct xlcfg__work sees = { .run = see_mask };
    struct sigaction act = { .sa_handler = count };
    struct job *job = job_new(true, NULL);
    struct xlcfg__turn *turn;
    pthread_t other;
    sigset_t mask;

    xlcfg__crew_hold();
    ck_assert_int_eq(xlcfg__deadline_run(LONG_MS, &sees, &mask), 0);
    ck_assert_int_eq(sigismember(&mask, SIGUSR1), 1);
    sigaction(SIGUSR1, &act, NULL);
    turn = begin(job);
    ck_assert_int_eq(xlcfg__thread_start(&other, disturb, job), 0);
    ck_assert(xlcfg__turn_end(turn, _i ? LONG_MS : XLCFG__NO_END));
    pthread_join(other, NULL);
    ck_assert_int_ge(atomic_load(&caught), 1);
    ck_assert_int_eq(job->looks, 0);
    job_free(job);
    xlcfg__crew_let_go();
}
END_TEST

/* Many callers, some of whom give up, and one who holds it now and then. */
static void *call_often(void *arg)
{
    atomic_int *dropped = arg;
    int left = 0;

    for (int i = 0; i < 200; i++) {
        struct job *job = job_new(false, dropped);

        if (i % 10 == 0)
            xlcfg__crew_hold();
        if (xlcfg__turn_end(begin(job), i % 3 ? XLCFG__NO_END : 0))
            job_free(job);
        else
            left++;
        if (i % 10 == 9)
            xlcfg__crew_let_go();
    }
    return (void *)(intptr_t)left;
}

START_TEST(many_callers_share_it)
{
    atomic_int dropped = 0;
    pthread_t callers[6];
    int before = threads(), left = 0;
    void *r;

    for (int i = 0; i < COUNT(callers); i++)
        ck_assert_int_eq(pthread_create(&callers[i], NULL, call_often,
                                        &dropped), 0);
    for (int i = 0; i < COUNT(callers); i++) {
        ck_assert_int_eq(pthread_join(callers[i], &r), 0);
        left += (int)(intptr_t)r;
    }
    for (int i = 0; i < 6000 && atomic_load(&dropped) != left; i++)
        usleep(10000);
    ck_assert_int_eq(atomic_load(&dropped), left);
    are_left(before);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("crew");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, have_had_one, NULL);
    tcase_add_test(tc, the_next_call_is_of_the_same_thread);
    tcase_add_test(tc, it_stays_as_long_as_anybody_holds_it);
    tcase_add_test(tc, many_at_once_have_a_thread_each_and_few_stay);
    tcase_add_loop_test(tc, one_that_is_late_is_its_threads, 0, 2);
    tcase_add_loop_test(tc, one_that_is_through_is_not_late, 0, 2);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(tc, a_child_has_threads_of_its_own);
#endif
    tcase_add_loop_test(tc, no_signal_reaches_them_or_ends_a_wait, 0, 2);
    tcase_add_test(tc, many_callers_share_it);
    return run_case("driver/crew", tc);
}
