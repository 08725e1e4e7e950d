// The signals that reactors watch: one handler and one table for the whole process.
//
// The handler may interrupt any thread at any moment, so it takes no lock, calls only what
// signal-safety(7) allows, and touches no Swift code. Each watching reactor has a place in the
// table: the handler notes the signal there and writes the place's eventfd, which wakes the loop.
//
// Both definitions are weak: every object that includes this header has its own, and linking, or
// loading, leaves one. The table has an initialiser because Swift's compiler emits none without it.
#ifndef TRON_SIGNALS_H
#define TRON_SIGNALS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

// Reactors that can watch signals at the same time: as many as a large machine has cores. Bounded
// because the handler looks at every place, for about a nanosecond each.
enum { tron_signal_capacity = 256 };

enum { tron_last_signal = 64 };

// A place is free, or it belongs to one reactor of the process `owner`.
//
// Invariant: while `watched` has a bit or `visitors` is not 0, `descriptor` is the owner's eventfd
// and open.
struct tron_signal_place {
    uint64_t watched;    // Bit n - 1 stands for signal n.
    uint64_t arrived;    // Noted by the handler, not yet taken by the loop.
    int32_t owner;       // A process, or 0 while the place is free.
    int32_t descriptor;
    int32_t visitors;    // Handlers that are at work here.
};

struct tron_signal_table {
    pthread_mutex_t lock;    // Held to change the table, never by the handler.
    struct tron_signal_place places[tron_signal_capacity];
    // What each signal did before the handler was installed.
    struct sigaction previous[tron_last_signal + 1];
};

__attribute__((weak)) struct tron_signal_table tron_signals = {PTHREAD_MUTEX_INITIALIZER};

__attribute__((weak)) void tron_signal_arrived(int number);

static inline uint64_t tron_signal_bit(int number) { return (uint64_t)1 << (number - 1); }

// Whether a place of this process watches a signal, that at `except` aside.
static inline int tron_signal_is_watched(int number, int except) {
    int32_t process = getpid();
    for (int index = 0; index < tron_signal_capacity; index++) {
        struct tron_signal_place *place = &tron_signals.places[index];
        if (index != except && __atomic_load_n(&place->owner, __ATOMIC_ACQUIRE) == process
            && __atomic_load_n(&place->watched, __ATOMIC_SEQ_CST) & tron_signal_bit(number))
            return 1;
    }
    return 0;
}

// ---- sigaction(2)

static inline int tron_signal_is_caught(const struct sigaction *action) {
    return action->sa_handler == tron_signal_arrived;
}

// No other signal interrupts the handler, so that it takes one frame of the thread's stack, or of
// the stack that the thread has set apart for handlers.
static inline int tron_signal_catch(int number) {
    struct sigaction action = {.sa_handler = tron_signal_arrived};
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    return sigaction(number, &action, NULL);
}

// Puts back what a signal did before, unless somebody else has replaced the handler since.
static inline void tron_signal_restore(int number) {
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && tron_signal_is_caught(&now))
        sigaction(number, &tron_signals.previous[number], NULL);
}

// ---- the handler

// Tells one place of a signal, if it watches it. The visit is announced before the second look: so
// whoever clears `watched` and then finds no visitor may close the descriptor.
static inline int tron_signal_tell(
    struct tron_signal_place *place, int number, int32_t process
) {
    uint64_t bit = tron_signal_bit(number);
    if (__atomic_load_n(&place->owner, __ATOMIC_ACQUIRE) != process) return 0;
    if (!(__atomic_load_n(&place->watched, __ATOMIC_RELAXED) & bit)) return 0;
    __atomic_fetch_add(&place->visitors, 1, __ATOMIC_SEQ_CST);
    int is_watched = (__atomic_load_n(&place->watched, __ATOMIC_SEQ_CST) & bit) != 0;
    if (is_watched) {
        __atomic_fetch_or(&place->arrived, bit, __ATOMIC_SEQ_CST);
        // A full counter refuses it, and is readable already.
        uint64_t one = 1;
        ssize_t written = write(place->descriptor, &one, sizeof one);
        (void)written;
    }
    __atomic_fetch_sub(&place->visitors, 1, __ATOMIC_SEQ_CST);
    return is_watched;
}

// Puts back what a signal did before, as nobody watches it. Whoever begins to watch it meanwhile may
// have found the handler installed, which is then installed again.
static inline void tron_signal_give_way(int number) {
    sigaction(number, &tron_signals.previous[number], NULL);
    if (tron_signal_is_watched(number, -1)) tron_signal_catch(number);
}

// Raises a signal again that the handler found no place for: it does what it does by now.
//
// This process is a fork of the one whose reactors watch it; or the last of them ended while the
// signal was on its way; or somebody who had replaced the handler put it back later. A handler that
// has replaced this one is left alone: it may have called this one, and would again.
static inline void tron_signal_pass_on(int number) {
    struct sigaction now;
    sigaction(number, NULL, &now);
    int is_caught = tron_signal_is_caught(&now);
    if (!is_caught && now.sa_handler != tron_signals.previous[number].sa_handler) return;
    if (is_caught && !tron_signal_is_watched(number, -1)) tron_signal_give_way(number);
    kill(getpid(), number);
}

__attribute__((weak)) void tron_signal_arrived(int number) {
    int error = errno;
    int32_t process = getpid();
    int told = 0;
    for (int index = 0; index < tron_signal_capacity; index++)
        told |= tron_signal_tell(&tron_signals.places[index], number, process);
    if (!told) tron_signal_pass_on(number);
    errno = error;
}

// ---- the loop's side

// Takes a place, whose signals are written to an eventfd. Returns its index, or -EUSERS.
static inline long tron_signal_open(int descriptor) {
    int32_t process = getpid();
    long result = -EUSERS;
    pthread_mutex_lock(&tron_signals.lock);
    for (int index = 0; index < tron_signal_capacity && result < 0; index++) {
        struct tron_signal_place *place = &tron_signals.places[index];
        int32_t owner = __atomic_load_n(&place->owner, __ATOMIC_ACQUIRE);
        if (owner == process) continue;
        if (owner != 0) {
            // A copy from before a fork(2). The handlers that were at work there are not here.
            place->watched = place->arrived = 0;
            place->visitors = 0;
        }
        place->descriptor = descriptor;
        __atomic_store_n(&place->owner, process, __ATOMIC_RELEASE);
        result = index;
    }
    pthread_mutex_unlock(&tron_signals.lock);
    return result;
}

// Whether a signal tells of a fault in the thread that it interrupts. When the handler returned, the
// thread would do the same again, without end.
static inline int tron_signal_is_fault(int number) {
    return number == SIGILL || number == SIGTRAP || number == SIGBUS || number == SIGFPE
        || number == SIGSEGV || number == SIGSYS;
}

// Watches a signal. Returns 0, or -errno: -EINVAL for one that cannot be watched. The place asks for
// it before the handler is installed: so a handler that finds nobody is no longer wanted.
static inline long tron_signal_watch(int index, int number) {
    if (number < 1 || number > tron_last_signal || tron_signal_is_fault(number)) return -EINVAL;
    struct tron_signal_place *place = &tron_signals.places[index];
    struct sigaction now;
    pthread_mutex_lock(&tron_signals.lock);
    int result = sigaction(number, NULL, &now);
    if (result == 0) {
        int is_caught = tron_signal_is_caught(&now);
        if (!is_caught) tron_signals.previous[number] = now;
        __atomic_fetch_or(&place->watched, tron_signal_bit(number), __ATOMIC_SEQ_CST);
        if (!is_caught) result = tron_signal_catch(number);
        if (result < 0)
            __atomic_fetch_and(&place->watched, ~tron_signal_bit(number), __ATOMIC_SEQ_CST);
    }
    long error = result < 0 ? -(long)errno : 0;
    pthread_mutex_unlock(&tron_signals.lock);
    return error;
}

// The signals that arrived since the last call. To be called after the eventfd was drained: what
// arrives in between is taken now, and the eventfd wakes the loop once more for nothing.
static inline uint64_t tron_signal_take(int index) {
    return __atomic_exchange_n(&tron_signals.places[index].arrived, 0, __ATOMIC_SEQ_CST);
}

// Stops watching: signals that nobody else watches do again what they did before. When it returns,
// no handler is at work here any more. It sleeps while it waits for one, whose thread may have a
// lower priority than this one. In a fork of the process that took the place, this does nothing.
static inline void tron_signal_stop(int index) {
    struct tron_signal_place *place = &tron_signals.places[index];
    if (__atomic_load_n(&place->owner, __ATOMIC_ACQUIRE) != getpid()) return;
    pthread_mutex_lock(&tron_signals.lock);
    for (int number = 1; number <= tron_last_signal; number++)
        if (place->watched & tron_signal_bit(number) && !tron_signal_is_watched(number, index))
            tron_signal_restore(number);
    __atomic_store_n(&place->watched, 0, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&tron_signals.lock);
    const struct timespec moment = {0, 20000};
    while (__atomic_load_n(&place->visitors, __ATOMIC_SEQ_CST) != 0) nanosleep(&moment, NULL);
}

// Stops watching and gives the place back. What arrived and was never taken is raised again. In a
// fork, nothing.
static inline void tron_signal_close(int index) {
    struct tron_signal_place *place = &tron_signals.places[index];
    int32_t process = getpid();
    if (__atomic_load_n(&place->owner, __ATOMIC_ACQUIRE) != process) return;
    tron_signal_stop(index);
    uint64_t untold = tron_signal_take(index);
    __atomic_store_n(&place->owner, 0, __ATOMIC_RELEASE);
    for (int number = 1; number <= tron_last_signal; number++)
        if (untold & tron_signal_bit(number)) kill(process, number);
}

#endif
