/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that waits for orders. */
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

static const struct xlcfg__xen_work marks = { be_ready, leave_a_mark };
static const struct xlcfg__xen_work looks = { be_ready, look_for_lock };

/* ---- tests ---- */

START_TEST(without_an_order_it_ends_with_its_caller)
{
    int status, ended = 0;
    pid_t pid, caller;

    begin();
    /* whose child is left when it dies is given to us */
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    caller = fork();
    ck_assert_int_ge(caller, 0);
    if (!caller) {
        struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

        if (xlcfg__xen_child_begin(&hand, &marks, NULL, NULL))
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

/* To a child that was begun before the lock was taken (0), and after it (1). */
START_TEST(an_order_brings_the_lock)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    int fd, rc;

    begin();
    if (!_i) {
        ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &looks, NULL, &err), 0);
    }
    fd = open_lock();
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    hand.lock = fd;
    if (_i)
        ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &looks, NULL, &err), 0);
    ck_assert(xlcfg__xen_child_waits(&hand));
    rc = xlcfg__xen_child_order(&hand, "order", 6, LONG_MS, &err);
    ck_assert_msg(!rc, "%s", err.message);
    xlcfg__xen_child_reap(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    close(fd);
    end();
}
END_TEST

START_TEST(one_takes_order_after_order_and_keeps_no_lock)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    pid_t pid;

    begin();
    hand.keeps = true;
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &looks, NULL, &err), 0);
    pid = hand.waits;
    for (int i = 0; i < 3; i++) {
        int fd = open_lock();

        /* nobody has it any more, but us */
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
        hand.lock = fd;
        ck_assert_int_eq(xlcfg__xen_child_order(&hand, "order", 6, LONG_MS,
                                                &err), 0);
        ck_assert_int_eq(hand.lock, -1);
        xlcfg__xen_child_rest(&hand);
        ck_assert(xlcfg__xen_child_waits(&hand));
        ck_assert_int_eq(hand.waits, pid);
        close(fd);
    }
    /* one without a lock, which it does not like: it ends with that */
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, "order", 6, LONG_MS,
                                            &err), XLCFG_ERROR_FAIL);
    ck_assert_str_eq(err.message, "no lock came");
    ck_assert(!xlcfg__xen_child_waits(&hand));
    xlcfg__xen_child_rest(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    end();
}
END_TEST

START_TEST(none_is_left_after_an_act_unless_it_is_kept)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &marks, NULL, NULL), 0);
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, "", 1, LONG_MS, NULL), 0);
    ck_assert_int_eq(access(done, F_OK), 0);
    ck_assert(xlcfg__xen_child_waits(&hand));
    xlcfg__xen_child_rest(&hand);
    ck_assert(!xlcfg__xen_child_waits(&hand));
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    end();
}
END_TEST

/* Heard of by us (0), or by the caller, who waits for any child (1). */
START_TEST(one_that_was_ended_while_it_was_idle_waits_no_more)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    hand.keeps = true;
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &marks, NULL, NULL), 0);
    ck_assert_int_eq(kill(hand.waits, SIGKILL), 0);
    if (_i)
        ck_assert_int_eq(waitpid(-1, NULL, 0), hand.waits);
    while (xlcfg__xen_child_waits(&hand))
        usleep(1000);
    xlcfg__xen_child_rest(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &marks, NULL, NULL), 0);
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, "", 1, LONG_MS, NULL), 0);
    xlcfg__xen_child_reap(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    end();
}
END_TEST

START_TEST(one_that_died_waiting_is_an_error)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;
    xlcfg_error err = XLCFG_ERROR_INIT;
    int fd;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &marks, NULL, &err), 0);
    fd = open_lock();
    hand.lock = fd;
    ck_assert_int_eq(kill(hand.waits, SIGKILL), 0);
    ck_assert_int_eq(xlcfg__xen_child_order(&hand, "order", 6, LONG_MS,
                                            &err), XLCFG_ERROR_FAIL);
    ck_assert_ptr_nonnull(strstr(err.message, "died of signal 9"));
    ck_assert(!xlcfg__xen_child_waits(&hand));
    xlcfg__xen_child_reap(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(access(done, F_OK), -1);
    close(fd);
    end();
}
END_TEST

START_TEST(one_that_is_not_needed_is_sent_away)
{
    struct xlcfg__xen_hand hand = XLCFG__XEN_HAND_INIT;

    begin();
    ck_assert_int_eq(xlcfg__xen_child_begin(&hand, &marks, NULL, NULL),
                     0);
    xlcfg__xen_child_reap(&hand);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(access(done, F_OK), -1);
    end();
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("child");

    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, without_an_order_it_ends_with_its_caller);
    tcase_add_loop_test(tc, an_order_brings_the_lock, 0, 2);
    tcase_add_test(tc, one_takes_order_after_order_and_keeps_no_lock);
    tcase_add_test(tc, none_is_left_after_an_act_unless_it_is_kept);
    tcase_add_loop_test(tc, one_that_was_ended_while_it_was_idle_waits_no_more,
                        0, 2);
    tcase_add_test(tc, one_that_died_waiting_is_an_error);
    tcase_add_test(tc, one_that_is_not_needed_is_sent_away);
    return run_case("driver/xen_child", tc);
}
