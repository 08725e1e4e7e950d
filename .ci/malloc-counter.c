/* Counts allocations of a process that it is preloaded into. Where the environment's
 * ALLOCATION_COUNTER names a file, the two numbers are shared in it while the process runs, for
 * throughput-benchmark; else they are printed at the process's end, for .ci/counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own allocator under the names that preloading does not replace. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

struct counts {
    atomic_long allocations, frees;
};

static struct counts own;
static struct counts *counts = &own;

__attribute__((constructor)) static void share(void) {
    const char *path = getenv("ALLOCATION_COUNTER");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof own) == 0) {
        void *page = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (page != MAP_FAILED) counts = page;
    }
    close(file);
}

void *malloc(size_t size) {
    counts->allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    counts->allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    counts->allocations++;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    counts->allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

void free(void *block) {
    if (block) counts->frees++;
    __libc_free(block);
}

__attribute__((destructor)) static void report(void) {
    if (counts == &own) dprintf(2, "allocations %ld frees %ld\n", own.allocations, own.frees);
}
