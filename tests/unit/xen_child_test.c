/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that waits for orders. */
#include "unit.h"
#include "driver/xen_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waited for by events alone; this only ends a test that hangs. */
#define LONG_MS 600000
#define SOON_MS 20

static char folder[64], lock[80], done[80];

static void begin(void)
{
    strcpy(folder, "/tmp/xen_child.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(lock, sizeof(lock), "%s/lock", folder);
    snprintf(done, sizeof(done), "%s/done", folder);
}

static void end(void)
{
    unlink(lock);
    unlink(done);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int open_lock(void)
{
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* ---- what the child does ---- */

static int be_ready(void *arg, xlcfg_error *err)
{
    (void)arg;
    (void)err;
    return 0;
}

static int leave_a_mark(void *arg, const void *order, size_t size,
                        xlcfg_error *err)
{
    (void)arg;
    (void)order;
    (void)size;
    return creat(done, 0600) < 0
        ? xlcfg__err(err, XLCFG_ERROR_FAIL, done, "%s", strerror(errno)) : 0;
}

/* Is one of our descriptors the lock's file? */
static bool holds_lock(void)
{
    struct stat file, mine;

    if (stat(lock, &file))
        return false;
    for (int fd = 3; fd < 256; fd++)
        if (!fstat(fd, &mine) && mine.st_dev == file.st_dev &&
            mine.st_ino == file.st_ino)
            return true;
    return false;
}

static int look_for_lock(void *arg, const void *order, size_t size,
                         xlcfg_error *err)
{
    bool held = holds_lock(), free;
    int other = open(lock, O_RDWR | O_CLOEXEC);

    (void)arg;
    free = other < 0 || !flock(other, LOCK_EX | LOCK_NB);
    close(other);
    if (size != 6 || memcmp(order, "order", 6))
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "another order came");
    if (!held)
        return xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "no lock came");
    return free ? xlcfg__err(err, XLCFG_ERROR_FAIL, NULL, "it is not held")
        : 0;
}

static int die_of(void *arg, const void *order, size_t size, xlcfg_error *err)
{
    int sig;

    (void)arg;
    (void)err;
    ck_assert_uint_eq(size, sizeof(sig));
    memcpy(&sig, order, sizeof(sig));
    (void)raise(sig);
    return 0;
}

/* Another in the same group that holds nothing of it open, as a script is, but
 * a pipe, for as long as it is there. */
static int die_with_a_script(void *arg, const void *order, size_t size,
                             xlcfg_error *err)
{
    int fd = open(lock, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "", 1) != 1)
        return xlcfg__err(err, XLCFG_ERROR_NOTFOUND, lock, "%s",
                          strerror(errno));
    if (!fork()) {
        ck_assert_int_eq(dup2(fd, 0), 0);
        (void)close_range(1, ~0U, 0);
        for (;;)
            pause();
    }
    return die_of(arg, order, size, err);
}

static int __attribute__((noreturn))
never_answer(void *arg, const void *order, size_t size, xlcfg_error *err)
{
    (void)arg;
    (void)order;
    (void)size;
    (void)err;
    for (;;)
        pause();
}

static const struct xlcfg__xen_work
    marks = { be_ready, leave_a_mark, LONG_MS },
    looks = { be_ready, look_for_lock, LONG_MS },
    dies = { be_ready, die_of, LONG_MS },
    leaves_a_script = { be_ready, die_with_a_script, LONG_MS },
    hangs = { be_ready, never_answer, LONG_MS },
    is_soon_idle = { be_ready, leave_a_mark, SOON_MS },
    is_at_once_idle = { be_ready, leave_a_mark, 1 };

static int order(struct xlcfg__xen_hand *hand,
                 const struct xlcfg__xen_work *work, xlcfg_error *err)
{
    return xlcfg__xen_child_order(hand, work, NULL, "order", 6, LONG_MS, err);
}

static void wait_until_none_waits(struct xlcfg__xen_hand *hand)
{
    while (xlcfg__xen_child_waits(hand))
        usleep(1000);
}

/* Nothing of ours is left, for anybody to wait for. */
static void end_with(struct xlcfg__xen_hand *hand)
{
    xlcfg__xen_child_reap(hand);
    ck_assert(!xlcfg__xen_child_waits(hand));
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
    end();
}

/* Those whose parents died are given to us. */
static void be_a_reaper(void)
{
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* ---- tests ---- */

START_TEST(without_an_order_it_ends_with_its_caller)
{
    int status, ended = 0;
    pid_t pid, caller;

    begin();
    be_a_reaper();
    caller = fork();
    ck_assert_int_ge(caller, 0);
    if (!caller) {
        struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

        if (xlcfg__xen_child_ready(&hand, &marks, NULL, NULL))
            _exit(1);
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    while ((pid = waitpid(-1, &status, 0)) > 0) {
        if (pid == caller)
            ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        else
            ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
        ended++;
    }
    ck_assert_int_eq(ended, 2);
    ck_assert_int_eq(access(done, F_OK), -1);
    end();
}
END_TEST

/* To one that was begun before the lock was taken (0), and after it (1), and
 * by the order (2). */
START_TEST(an_order_brings_the_lock)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    int fd, rc;

    begin();
    if (!_i)
        ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &looks, NULL, &err), 0);
    fd = open_lock();
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    hand.lock = fd;
    if (_i == 1)
        ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &looks, NULL, &err), 0);
    ck_assert(xlcfg__xen_child_waits(&hand) == (_i < 2));
    rc = order(&hand, &looks, &err);
    ck_assert_msg(!rc, "%s", err.message);
    close(fd);
    end_with(&hand);
}
END_TEST

START_TEST(one_takes_order_after_order_and_keeps_no_lock)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    pid_t pid;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &looks, NULL, &err), 0);
    pid = hand.waits;
    for (int i = 0; i < 3; i++) {
        int fd = open_lock();

        /* nobody has it any more, but us */
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
        hand.lock = fd;
        ck_assert_int_eq(order(&hand, &looks, &err), 0);
        ck_assert_int_eq(hand.lock, -1);
        xlcfg__xen_child_rest(&hand);
        ck_assert(xlcfg__xen_child_waits(&hand));
        ck_assert_int_eq(hand.waits, pid);
        close(fd);
    }
    /* one without a lock, which it does not like: it ends with that */
    ck_assert_int_eq(order(&hand, &looks, &err), XLCFG_ERROR_FAIL);
    ck_assert_str_eq(err.message, "no lock came");
    ck_assert(!xlcfg__xen_child_waits(&hand));
    xlcfg__xen_child_rest(&hand);
    end_with(&hand);
}
END_TEST

/* Whoever waits for any child meets none, of one that waits. */
START_TEST(it_is_nobodys_child)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    ck_assert_int_eq(order(&hand, &marks, NULL), 0);
    ck_assert_int_eq(access(done, F_OK), 0);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    xlcfg__xen_child_rest(&hand);
    ck_assert(xlcfg__xen_child_waits(&hand));
    end_with(&hand);
}
END_TEST

START_TEST(of_a_reaper_it_is_the_child_and_does_not_outlive_the_act)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    be_a_reaper();
    ck_assert_int_eq(order(&hand, &marks, NULL), 0);
    ck_assert_int_eq(order(&hand, &marks, NULL), 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
    xlcfg__xen_child_rest(&hand);
    ck_assert(!xlcfg__xen_child_waits(&hand));
    end_with(&hand);
}
END_TEST

/* Another begins, also where the caller, a reaper, heard of the end (1). */
START_TEST(one_that_was_ended_while_it_was_idle_waits_no_more)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    if (_i)
        be_a_reaper();
    ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &marks, NULL, NULL), 0);
    ck_assert_int_eq(kill(hand.waits, SIGKILL), 0);
    if (_i)
        ck_assert_int_eq(waitpid(-1, NULL, 0), hand.waits);
    wait_until_none_waits(&hand);
    xlcfg__xen_child_rest(&hand);
    ck_assert_int_eq(order(&hand, &marks, NULL), 0);
    ck_assert_int_eq(access(done, F_OK), 0);
    end_with(&hand);
}
END_TEST

START_TEST(without_an_order_it_ends)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &is_soon_idle, NULL, NULL),
                     0);
    wait_until_none_waits(&hand);
    end_with(&hand);
}
END_TEST

/* Whether it comes before, while or after it ends, each is obeyed. */
START_TEST(an_order_to_one_that_is_about_to_end_is_not_lost)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;

    begin();
    for (int i = 0; i < 100; i++) {
        ck_assert_msg(!order(&hand, &is_soon_idle, &err), "%s", err.message);
        ck_assert_int_eq(unlink(done), 0);
        usleep((SOON_MS - 1) * 1000 + (useconds_t)i * 20);
    }
    end_with(&hand);
}
END_TEST

/* It takes longer to send an order than the first of them waits. */
START_TEST(each_new_one_waits_longer)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;

    begin();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &is_at_once_idle, NULL,
                                                NULL), 0);
        usleep(5000);
        ck_assert_msg(!order(&hand, &is_at_once_idle, &err), "%s",
                      err.message);
        ck_assert_int_eq(unlink(done), 0);
    }
    end_with(&hand);
}
END_TEST

/* Not ours (0), and ours (1). */
START_TEST(what_it_died_of_is_said)
{
    static const int deaths[] = { SIGABRT, SIGSEGV, SIGBUS };

    begin();
    if (_i)
        be_a_reaper();
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
        struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
        xlcfg_error err = XLCFG_ERROR_INIT;
        char said[32];

        snprintf(said, sizeof(said), "died of signal %d", deaths[i]);
        ck_assert_int_eq(xlcfg__xen_child_order(
            &hand, &dies, NULL, &deaths[i], sizeof(int), LONG_MS, &err),
            XLCFG_ERROR_FAIL);
        ck_assert_str_eq(err.message, said);
        ck_assert(!xlcfg__xen_child_waits(&hand));
        xlcfg__xen_child_reap(&hand);
    }
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    end();
}
END_TEST

START_TEST(one_that_is_killed_at_work_is_an_error)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    const int sig = SIGKILL;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, &dies, NULL, &sig,
                                            sizeof(sig), LONG_MS, &err),
                     XLCFG_ERROR_FAIL);
    ck_assert_str_eq(err.message, "ended without an answer");
    end_with(&hand);
}
END_TEST

/* Of a signal that it hears of (0), and of one that nobody does (1). */
START_TEST(what_it_started_ends_with_it)
{
    const int sig = _i ? SIGKILL : SIGABRT;
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    char byte;
    int fd;

    begin();
    ck_assert_int_eq(mkfifo(lock, 0600), 0);
    fd = open(lock, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(xlcfg__xen_child_order(
        &hand, &leaves_a_script, NULL, &sig, sizeof(sig), LONG_MS, NULL),
        XLCFG_ERROR_FAIL);
    /* a writer has been there, who wrote, and goes */
    while (read(fd, &byte, 1) != 1)
        usleep(1000);
    while (read(fd, &byte, 1) != 0)
        usleep(1000);
    close(fd);
    end_with(&hand);
}
END_TEST

START_TEST(one_that_is_late_is_ended)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;

    begin();
    if (_i)
        be_a_reaper();
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, &hangs, NULL, "", 1, 20,
                                            &err), XLCFG_ERROR_PENDING);
    ck_assert_str_eq(err.message, "has not finished within 20 ms");
    ck_assert(!xlcfg__xen_child_waits(&hand));
    end_with(&hand);
}
END_TEST

START_TEST(one_that_is_not_needed_is_sent_away)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_ready(&hand, &marks, NULL, NULL), 0);
    xlcfg__xen_child_reap(&hand);
    ck_assert_int_eq(access(done, F_OK), -1);
    end_with(&hand);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("child");

    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, without_an_order_it_ends_with_its_caller);
    tcase_add_loop_test(tc, an_order_brings_the_lock, 0, 3);
    tcase_add_test(tc, one_takes_order_after_order_and_keeps_no_lock);
    tcase_add_test(tc, it_is_nobodys_child);
    tcase_add_test(tc, of_a_reaper_it_is_the_child_and_does_not_outlive_the_act);
    tcase_add_loop_test(tc, one_that_was_ended_while_it_was_idle_waits_no_more,
                        0, 2);
    tcase_add_test(tc, without_an_order_it_ends);
    tcase_add_test(tc, an_order_to_one_that_is_about_to_end_is_not_lost);
    tcase_add_test(tc, each_new_one_waits_longer);
    tcase_add_loop_test(tc, what_it_died_of_is_said, 0, 2);
    tcase_add_test(tc, one_that_is_killed_at_work_is_an_error);
    tcase_add_loop_test(tc, what_it_started_ends_with_it, 0, 2);
    tcase_add_loop_test(tc, one_that_is_late_is_ended, 0, 2);
    tcase_add_test(tc, one_that_is_not_needed_is_sent_away);
    return run_case("driver/xen_child", tc);
}
