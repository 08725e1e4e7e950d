// The calls of Linux that Swift's own module of the C library lacks, or cannot call because they
// are variadic: epoll, prctl, CPU affinity, performance counters. Those that fail return -errno.
#ifndef TRON_BENCHMARK_SHIM_H
#define TRON_BENCHMARK_SHIM_H

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline long benchmark_result(long result) { return result < 0 ? -(long)errno : result; }

// ---- epoll

static inline long benchmark_epoll_create(void) {
    return benchmark_result(epoll_create1(EPOLL_CLOEXEC));
}

// Operation: EPOLL_CTL_ADD, _MOD. The token comes back with each event.
static inline long benchmark_epoll_control(
    int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return benchmark_result(epoll_ctl(epoll, operation, descriptor, &event));
}

static inline long benchmark_epoll_wait(
    int epoll, struct epoll_event *events, int count, int milliseconds) {
    return benchmark_result(epoll_wait(epoll, events, count, milliseconds));
}

static inline uint64_t benchmark_event_token(struct epoll_event event) { return event.data.u64; }

// ---- time, in nanoseconds

static inline uint64_t benchmark_nanoseconds(clockid_t clock) {
    struct timespec time = {0, 0};
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// The time that a process has spent on processors, all its threads; 0 when it is gone.
static inline uint64_t benchmark_process_time(pid_t process) {
    clockid_t clock;
    if (clock_getcpuclockid(process, &clock) != 0) return 0;
    return benchmark_nanoseconds(clock);
}

// ---- processors, by the raw calls: their masks are plain words

#define BENCHMARK_MASK_WORDS 16

// Writes BENCHMARK_MASK_WORDS words of 64 processors each.
static inline long benchmark_get_affinity(uint64_t *words) {
    memset(words, 0, BENCHMARK_MASK_WORDS * sizeof *words);
    return benchmark_result(
        syscall(SYS_sched_getaffinity, 0, BENCHMARK_MASK_WORDS * sizeof *words, words));
}

static inline long benchmark_set_affinity(const uint64_t *words) {
    return benchmark_result(
        syscall(SYS_sched_setaffinity, 0, BENCHMARK_MASK_WORDS * sizeof *words, words));
}

// ---- processes

// Has this process killed when its parent ends.
static inline long benchmark_die_with_parent(void) {
    return benchmark_result(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

// ---- performance counters

// One counter of a thread and those it will start, user's or kernel's share; running at once.
static inline long benchmark_counter_open(
    pid_t process, uint32_t type, uint64_t event, int is_kernel) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = event;
    attributes.exclude_hv = 1;
    attributes.exclude_user = is_kernel != 0;
    attributes.exclude_kernel = is_kernel == 0;
    attributes.inherit = 1;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return benchmark_result(syscall(
        SYS_perf_event_open, &attributes, process, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

#endif
