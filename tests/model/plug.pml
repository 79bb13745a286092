/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugging, settling, reading and a foreign libxl, for one device key.
 *
 * Every inline is a step of the C function of its name; those that begin
 * with w_ are the world: xenstored, kernel, guest, script.  Any process may
 * be killed before any step (CRASHES in all); a kill frees its locks and
 * leaves the rest.  A commit of the store is one step: what is not committed
 * is not there.  tests/model/run builds this and its broken variants.
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef TURNS
#define TURNS 2                 /* plugs and unplugs by us */
#endif
#ifndef SETTLES
#define SETTLES 2               /* beside the others, before the last ones */
#endif

#define USER 0
#define SETTLER 1
#define FOREIGN 2

mtype:live = { ABSENT, PARTIAL, COMING, READY, PRESENT, FAILED, LEAVING,
               CLOSED };
mtype:op = { NO_OP, ATTACH, DETACH };
mtype:phase = { PREPARED, ACTING, WAITING, REFUSED, BROKEN };
mtype:job = { IDLE, ADD, LET_GO, CLEAN, CLEAN_LEFT };
mtype:res = { FINE, EXISTS, FAIL, PENDING, DIED };

/* xenstore and the host */
mtype:live live = ABSENT;
bool held;                      /* what the script took from the host */

/* libxl's file and its lock */
bool tmpl;
byte stamp;
bool ud_locked[5];              /* two parents, three children */

/* state.db */
byte in_id;                     /* 0: no intent is open */
byte last_id;
mtype:op in_op = NO_OP;
mtype:phase in_phase = PREPARED;
bool seen;                      /* recorded as there */
byte ver;

/* the flock of an intent: the ids that parents and children hold */
byte own[2], own_child[3];

mtype:job job[3] = IDLE;
mtype:res res[3] = FINE;

/* what the properties look at */
byte crashes, starts, ev_gone;
bool was_present, was_absent, foreign_added, foreign_acted, user_done;
#ifdef WITH_FOREIGN
bool foreign_done;
#else
#define foreign_done true
#endif

/* A step that may be the last that is not taken. */
#define MAY_DIE \
    if :: true :: crashes < CRASHES -> crashes++; goto dead fi
#define STEP(x) atomic { MAY_DIE; x }
#define SET_LIVE(l) \
    live = l; was_present = was_present || live == PRESENT; \
    was_absent = was_absent || live == ABSENT
#define SET_TMPL(t) tmpl = t; stamp++
#define HELD_BY_OTHERS(me, id) \
    (own[1 - me] == id || own_child[0] == id || own_child[1] == id)
#define CHILD(who) (2 + who)
#define UNLOCKED \
    (!ud_locked[0] && !ud_locked[1] && !ud_locked[2] && !ud_locked[3] && \
     !ud_locked[4])

/* ---- the world ---- */

active proctype w_backend()
{
end:
    do
    :: atomic { live == COMING -> live = READY }
    :: atomic { live == LEAVING -> live = CLOSED }
    od
}

/* Template covers live: whatever is there or comes has its entry. */
active proctype w_cover()
{
end:
    (live == COMING || live == READY || live == PRESENT) && !tmpl;
    assert(false)
}

/* ---- libxl's calls, in a process of their own ---- */

inline xlcfg__template_lock(who)
{
#ifndef BREAK_NO_TEMPLATE_LOCK
    atomic { UNLOCKED -> ud_locked[who] = true }
#else
    skip
#endif
}

/* The same for libxl, which always locks. */
inline w_libxl_lock(who)
{
    atomic { UNLOCKED -> ud_locked[CHILD(who)] = true }
}

inline w_script_add(who)
{
    if
    :: atomic { live == READY -> held = true }
    :: live != READY -> r = FAIL; goto done
    fi;
    STEP(if
         :: live == READY -> SET_LIVE(PRESENT)
         :: live == READY -> live = FAILED; r = FAIL
         :: live != READY -> r = FAIL
         fi)
}

/* libxl 4.17: template, transaction, wait for the backend, script.  The
 * write into the transaction may fail half way, and it says nothing. */
inline libxl_device_disk_add(who)
{
    STEP(w_libxl_lock(who));
    STEP(if
         :: live != ABSENT ->
            ud_locked[CHILD(who)] = false; r = EXISTS; goto done
         :: live == ABSENT
         fi;
         SET_TMPL(true));
    STEP(if
         :: live == ABSENT ->
            if :: live = COMING :: live = PARTIAL fi;
            if
            :: who == FOREIGN -> foreign_added = true; starts++
            :: else
            fi
         :: live != ABSENT
         fi);
    STEP(ud_locked[CHILD(who)] = false);
    MAY_DIE;
    if
    :: live == READY -> w_script_add(who)
    :: live == COMING -> r = FAIL       /* it waited long enough */
    :: live == PARTIAL                  /* nobody told it */
    :: live != READY && live != COMING && live != PARTIAL -> r = FAIL
    fi
}

/* The transaction of an unplug: online 0, state 5. */
inline ask()
{
    if
    :: live == ABSENT || live == CLOSED || live == LEAVING
    :: else -> live = LEAVING
    fi
}

/* Script, then the nodes, in one transaction. */
inline libxl_device_disk_destroy()
{
    STEP(held = false);
    STEP(SET_LIVE(ABSENT))
}

inline let_go(who)
{
    STEP(ask());
    if
    :: live == CLOSED || live == ABSENT
    :: live != CLOSED && live != ABSENT -> r = PENDING; goto done
    fi;
    libxl_device_disk_destroy()
}

inline is_litter(who)
{
    /* the look said that it is leaving: has the guest let go? */
    if
    :: job[who] == CLEAN_LEFT && live != CLOSED && live != ABSENT ->
        r = PENDING; goto done
    :: else
    fi
}

inline xlcfg__xen_clean(who)
{
    STEP(is_litter(who));
    STEP(ask());                /* libxl's destroy begins like an unplug */
    libxl_device_disk_destroy()
}

/* A child: it holds its parent's lock as long as it lives. */
proctype xlcfg__xen_call(byte who)
{
    mtype:res r;
end:
again:
    job[who] != IDLE;
    r = FINE;
    if
    :: job[who] == ADD -> libxl_device_disk_add(who)
    :: job[who] == LET_GO -> let_go(who)
    :: job[who] == CLEAN || job[who] == CLEAN_LEFT -> xlcfg__xen_clean(who)
    fi;
done:
    atomic { res[who] = r; r = FINE; own_child[who] = 0; job[who] = IDLE; goto again }
dead:
    atomic {
        ud_locked[CHILD(who)] = false; res[who] = DIED; r = FINE; own_child[who] = 0;
        job[who] = IDLE; goto again
    }
}

/* The order to a child that was begun before carries the owner's lock, so
 * this is one step however the child came to be. */
inline xlcfg__xen_child(me, what)
{
    atomic { job[me] == IDLE -> own_child[me] = own[me]; job[me] = what }
    MAY_DIE;
    job[me] == IDLE
}

/* ---- the store ---- */

/* One event, if what was seen is not what was last recorded: unless another
 * has recorded since the look. */
inline xlcfg__observe()
{
    if
#ifndef BREAK_BLIND_EVENTS
    :: ver == s_ver && seen != s_there ->
#else
    :: s_seen != s_there ->
#endif
        seen = s_there; ver++;
        if :: !s_there -> ev_gone++ :: else fi;
        assert(ev_gone <= starts)
    :: else
    fi
}

/* One cut, for a record. */
inline xlcfg__cut_take()
{
    STEP(l = live; s_ver = ver; s_seen = seen; spent = false)
}

/* One cut; and what it shows is recorded: it is good for no other record. */
inline xlcfg__sight_take()
{
    STEP(
        spent = true;
        l = live; t = tmpl; i_id = in_id; i_op = in_op; i_phase = in_phase;
        s_ver = ver; s_seen = seen;
        s_there = !(live == ABSENT && (in_id == 0 || in_op == DETACH)));
    STEP(xlcfg__observe())
}

inline xlcfg__intent_phase(p)
{
    /* if it is open still */
    STEP(
        if
        :: in_id == i_id -> in_phase = p; i_phase = p
        :: else -> goto out
        fi)
}

/*
 * One transaction: what is seen without the intent, and the intent's end.
 * If another recorded since the look, it stays open, and settle goes on.
 */
inline close_once()
{
    if
    :: spent -> xlcfg__cut_take()
    :: !spent                   /* the cut at hand */
    fi;
    STEP(
        s_there = l != ABSENT; spent = true;
        if
        :: ver == s_ver && in_id == i_id ->
            in_id = 0; in_op = NO_OP; in_phase = PREPARED; i_id = 0;
            xlcfg__observe()
        :: else -> goto out
        fi)
}

/* ---- the template ---- */

/* The look that shows it as gone is one under the lock: an earlier one, if
 * the lock is held since then. */
inline drop_entry(me)
{
#ifdef BREAK_GONE_UNCHECKED
    g = true;
#else
    g = l == ABSENT;
#endif
    MAY_DIE;
    if
    :: atomic { g && tmpl -> SET_TMPL(false) }
    :: !(g && tmpl)
    fi
}

inline put_entry()
{
    if
    :: !tmpl -> SET_TMPL(true); spent = true
    :: tmpl
    fi
}

inline edit_libxl(me, with)
{
    if
    :: ud_locked[me]
    :: !ud_locked[me] ->
        STEP(xlcfg__template_lock(me));
        MAY_DIE;
        if
        :: !with -> xlcfg__cut_take()
        :: with
        fi
    fi;
    if
    :: with -> put_entry()
    :: !with -> drop_entry(me)
    fi;
    ud_locked[me] = false
}

inline xlcfg__close(me, with)
{
    edit_libxl(me, with);
    close_once()
}

/* ---- settling ---- */

inline close_gone(me)
{
    xlcfg__close(me, false)
}

inline take_back(me)
{
    if
    :: l == LEAVING || l == CLOSED -> xlcfg__xen_child(me, CLEAN_LEFT)
    :: else -> xlcfg__xen_child(me, CLEAN)
    fi;
    xlcfg__sight_take();
    if
    :: l == ABSENT -> close_gone(me)
    :: else -> xlcfg__intent_phase(BROKEN)
    fi
}

inline settle_attach(me)
{
    if
    :: l == PRESENT ->
        xlcfg__close(me, true)
    :: l == ABSENT -> close_gone(me)
    :: (l == COMING || l == READY) && i_phase == WAITING
    :: else -> take_back(me)
    fi
}

inline ask_again(me)
{
    xlcfg__xen_child(me, LET_GO);
    xlcfg__sight_take();
    if
    :: l == ABSENT -> close_gone(me)
    :: else -> xlcfg__intent_phase(WAITING)
    fi
}

inline settle_detach(me)
{
    if
    :: l == ABSENT -> close_gone(me)
    :: l == PRESENT && (i_phase == PREPARED || i_phase == REFUSED) ->
        close_once()
    :: else -> ask_again(me)
    fi
}

inline xlcfg__settle_one(me)
{
    if
    :: i_op == ATTACH -> settle_attach(me)
    :: i_op == DETACH -> settle_detach(me)
    fi
}

/* 0 in own[me]: another is its owner. */
inline xlcfg__intent_own(me, id)
{
#ifndef BREAK_NO_OWNER
    STEP(if :: HELD_BY_OTHERS(me, id) :: else -> own[me] = id fi)
#else
    STEP(own[me] = id)
#endif
}

inline drop_ghost(me)
{
    edit_libxl(me, false)
}

inline clear_away(me)
{
    xlcfg__xen_child(me, CLEAN_LEFT)
}

/* From the look that settling began with. */
inline settle_foreign(me)
{
    if
    :: f_id == 0 && f_l == ABSENT && f_t -> did = true; drop_ghost(me)
    :: f_id == 0 && (f_l == LEAVING || f_l == CLOSED) ->
        did = did || f_l == CLOSED;
        clear_away(me)
    :: else
    fi
}

inline settle_domain(me)
{
    did = false;
    xlcfg__sight_take();
    f_id = i_id; f_l = l; f_t = t;
    if
    :: i_id != 0 ->
        did = true;
        xlcfg__intent_own(me, i_id);
        if
        :: own[me] != 0 ->
            xlcfg__sight_take();        /* settle_owned: as it is now */
            if
            :: i_id == own[me] -> xlcfg__settle_one(me)
            :: else
            fi;
            own[me] = 0
        :: else
        fi
    :: else
    fi;
    settle_foreign(me)
}

/* ---- plugging ---- */

#define FORGET \
    l = ABSENT; f_l = ABSENT; i_op = NO_OP; i_phase = PREPARED; \
    i_id = 0; f_id = 0; s_ver = 0; t = false; f_t = false; \
    spent = false; s_there = false; s_seen = false; g = false
#define LOCALS \
    mtype:live l, f_l; mtype:op i_op; mtype:phase i_phase; \
    byte i_id, f_id, s_ver; bool t, f_t, s_there, s_seen, did, g, spent

inline xlcfg__plug_take_over(me, detaching)
{
    xlcfg__intent_own(me, i_id);
    if :: own[me] == 0 -> goto out :: else fi;
    xlcfg__sight_take();
    if
    :: i_id != own[me] -> own[me] = 0
    :: i_id == own[me] && detaching && i_op == DETACH ->
        xlcfg__intent_phase(ACTING)
    :: else ->
        xlcfg__settle_one(me);
        if :: i_id != 0 -> goto out :: else fi;     /* it stays open */
        own[me] = 0;
        xlcfg__sight_take()
    fi
}

/* One transaction, in which its lock is taken before it can be seen. */
inline xlcfg__plug_record(me, o)
{
    STEP(
        if
        :: in_id != 0 -> goto out       /* another was quicker */
        :: else
        fi;
        last_id++; in_id = last_id; in_op = o; in_phase = ACTING;
        i_id = in_id; i_op = o; i_phase = ACTING; own[me] = in_id;
        if :: o == ATTACH -> starts++ :: else fi)
}

/* Success is said here. */
inline xlcfg__plug_answer(fact)
{
    assert(fact);
    goto out
}

inline xlcfg__plug_peek()
{
    xlcfg__cut_take()
}

/* Without the lock, when another does not let go of it. */
inline xlcfg__plug_peek_held(me)
{
    if
    :: STEP(xlcfg__template_lock(me))
    :: true
    fi;
    xlcfg__plug_peek()
}

inline judge_attach(me)
{
    if
    :: res[me] == EXISTS -> close_once(); goto out
    :: else
    fi;
#ifdef BREAK_TRUST_CODE
    if
    :: res[me] == FINE ->
        xlcfg__close(me, true);
        xlcfg__plug_answer(was_present)
    :: else
    fi;
#endif
    xlcfg__plug_peek();
    if
    :: l == PRESENT ->
        xlcfg__settle_one(me);
        xlcfg__plug_answer(was_present)
    :: (l == COMING || l == READY) && res[me] == FINE ->
        xlcfg__intent_phase(WAITING)
    :: else -> xlcfg__settle_one(me)    /* roll_back */
    fi
}

inline attach(me)
{
    xlcfg__sight_take();
    if :: i_id != 0 -> xlcfg__plug_take_over(me, false) :: else fi;
    if :: l != ABSENT || i_id != 0 -> goto out :: else fi;
    was_present = live == PRESENT;
#ifdef BREAK_ACT_FIRST
    xlcfg__xen_child(me, ADD);
    xlcfg__plug_record(me, ATTACH);
#else
    xlcfg__plug_record(me, ATTACH);
    xlcfg__xen_child(me, ADD);
#endif
    judge_attach(me)
}

inline judge_detach(me)
{
    xlcfg__plug_peek_held(me);
    if
    :: l == ABSENT ->
        xlcfg__settle_one(me);
        xlcfg__plug_answer(was_absent)
    :: l == PRESENT && res[me] != PENDING && res[me] != FINE ->
        ud_locked[me] = false;
        xlcfg__intent_phase(REFUSED)
    :: else -> ud_locked[me] = false; xlcfg__intent_phase(WAITING)
    fi
}

inline detach(me)
{
    xlcfg__sight_take();
    if :: i_id != 0 -> xlcfg__plug_take_over(me, true) :: else fi;
    if :: l == ABSENT && !t -> goto out :: else fi;
    was_absent = live == ABSENT;
    if
    :: own[me] == 0 -> xlcfg__plug_record(me, DETACH)
    :: else
    fi;
#ifdef BREAK_DROP_FIRST
    SET_TMPL(false);
#endif
    res[me] = FINE;
    if :: l != ABSENT -> xlcfg__xen_child(me, LET_GO) :: else fi;
    judge_detach(me)
}

/* ---- who does what ---- */

active proctype user()
{
    LOCALS;
    byte turn;
    run xlcfg__xen_call(USER);
again:
    if
    :: turn == TURNS -> goto enough
    :: turn < TURNS -> turn++;
        if
        :: attach(USER)
        :: detach(USER)
        fi
    fi;
out:
dead:
    atomic { own[USER] = 0; ud_locked[USER] = false; FORGET;
             was_present = false; was_absent = false; goto again }
enough:
    user_done = true
}

/* Plain xl: one attach, or one unplug, which leaves the template alone. */
#ifdef WITH_FOREIGN
active proctype foreign()
{
    run xlcfg__xen_call(FOREIGN);
    if
    :: atomic { foreign_acted = true; job[FOREIGN] = ADD }
    :: atomic { foreign_acted = true; job[FOREIGN] = LET_GO }
    :: true
    fi;
    job[FOREIGN] == IDLE;
    foreign_done = true
}
#endif

#define AT_REST \
    (user_done && foreign_done && job[0] == IDLE && job[1] == IDLE && \
     live != LEAVING && live != COMING)

active proctype settler()
{
    LOCALS;
    byte run_no, last_runs;
    run xlcfg__xen_call(SETTLER);
again:
    if
    :: run_no == SETTLES -> goto last
    :: run_no < SETTLES -> run_no++
    :: run_no < SETTLES -> goto last
    fi;
    settle_domain(SETTLER);
dead:
out:
    atomic { own[SETTLER] = 0; ud_locked[SETTLER] = false; FORGET;
             if :: last_runs > 0 -> goto last :: else -> goto again fi }
last:
    /* nobody else is at work, the guest does its part: it must end */
    AT_REST;
    last_runs++;
    assert(last_runs <= 5 + CRASHES);
    settle_domain(SETTLER);
    own[SETTLER] = 0;
    if :: did -> goto last :: else fi;
    AT_REST;
    assert(in_id == 0);
    assert(!HELD_BY_OTHERS(USER, last_id) || last_id == 0);
    /* what the script of a plain xl took is xl's: it may run into an unplug
     * of what it just attached, or its unplug into what came after it, and
     * nothing says so */
    if
    :: live == ABSENT ->
        assert(!tmpl && (!held || foreign_acted))
    :: live == PRESENT -> assert(tmpl && (held || foreign_acted))
    :: else -> assert(foreign_added && tmpl)
    fi;
    assert(seen == (live != ABSENT))
}

/* get: no lock; what it read first is read again. */
#ifdef WITH_READER
active proctype read_all()
{
    bool t, there; byte st, id; mtype:op o; mtype:phase p; mtype:live l;

    there = live != ABSENT;
    atomic { t = tmpl; st = stamp }
    atomic { id = in_id; o = in_op; p = in_phase }
    l = live;
#ifndef BREAK_READ_ONCE
    if
    :: (live != ABSENT) != there -> goto out
    :: else
    fi;
    if :: stamp != st -> goto out :: else fi;
    if :: in_id != id || in_phase != p -> goto out :: else fi;
#endif
    /* our own device is never somebody else's */
    assert(foreign_added || l != PRESENT || t);
    /* an unplug in progress is told, unless it is over */
    assert(id != 0 || foreign_added || l != COMING || t);
out:
    skip
}
#endif
