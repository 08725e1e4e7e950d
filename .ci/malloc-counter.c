/* Counts allocations, for .ci/counts: preloaded, it prints their number at the process's end. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

/* glibc's own allocator under the names that preloading does not replace. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static atomic_long allocations, frees;

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    allocations++;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

void free(void *block) {
    if (block) frees++;
    __libc_free(block);
}

__attribute__((destructor)) static void report(void) {
    dprintf(2, "allocations %ld frees %ld\n", allocations, frees);
}
