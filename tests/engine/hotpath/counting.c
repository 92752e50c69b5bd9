/* Preloaded into the loop's process: counts what the marked thread asks of the C library, and passes it on unchanged,
   as a kernel-bypass library would take it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static __thread int marked;
static volatile long allocations, receives, sends, polls;
static ssize_t (*next_recv)(int, void *, size_t, int);
static ssize_t (*next_send)(int, const void *, size_t, int);
static int (*next_poll)(struct pollfd *, nfds_t, int);

__attribute__((constructor)) static void find(void) {
    next_recv = dlsym(RTLD_NEXT, "recv");
    next_send = dlsym(RTLD_NEXT, "send");
    next_poll = dlsym(RTLD_NEXT, "poll");
}

void count_this_thread(void) { marked = 1; }
long counted_allocations(void) { return allocations; }
long counted_receives(void) { return receives; }
long counted_sends(void) { return sends; }
long counted_polls(void) { return polls; }

void *malloc(size_t size) { allocations += marked; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { allocations += marked; return __libc_calloc(count, size); }
void *realloc(void *block, size_t size) { allocations += marked; return __libc_realloc(block, size); }
void free(void *block) { allocations += marked; __libc_free(block); }

ssize_t recv(int fd, void *buffer, size_t length, int flags) {
    receives += marked;
    return next_recv(fd, buffer, length, flags);
}

ssize_t send(int fd, const void *buffer, size_t length, int flags) {
    sends += marked;
    return next_send(fd, buffer, length, flags);
}

int poll(struct pollfd *polled, nfds_t count, int wait_ms) {
    polls += marked;
    return next_poll(polled, count, wait_ms);
}
