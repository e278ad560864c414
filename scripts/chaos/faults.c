/* Counts the calls by which a process changes files under one folder, and does something at the
   n-th of them: to the process, or to the call. Loaded before the C library (LD_PRELOAD); nothing
   happens until `faults_arm`.

   A call that is failed is not made, which is kinder than a disk: after a real EIO the kernel may
   have dropped what was to be written. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum action { KILL_BEFORE = 1, KILL_AFTER, TEAR, SHORTEN, FAIL_ONCE, FAIL_FROM_THEN_ON };
enum kind { GROWS, SHRINKS, SETTLES, MOVES }; /* a full disk refuses only what grows */

static char folder[PATH_MAX];
static size_t folder_length;
static long fatal; /* number of the call, from 1; 0: none, they are only counted */
static enum action action;
static int error_given;
static int told = -1; /* where the calls are told: the fatal one, or each where none is */
static atomic_long count;

/* Every write of a process that is not armed passes by here: what is not needed is not done. */
static int is_under(const char *path) {
    return folder_length && strncmp(path, folder, folder_length) == 0 &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

static int resolve(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return length > 0;
}

void faults_arm(const char *under, long at, int what, int error, int told_to) {
    strncpy(folder, under, sizeof folder - 1);
    fatal = at, action = what, error_given = error, told = told_to;
    atomic_store(&count, 0);
    folder_length = strlen(folder);
}

void faults_disarm(void) { folder_length = 0; }

long faults_count(void) { return atomic_load(&count); }

/* Whether this call is the one, by now or from the n-th on. */
static int is_hit(const char *name, const char *path, enum kind kind) {
    long number = atomic_fetch_add(&count, 1) + 1;
    int hit = fatal && (number == fatal || (action == FAIL_FROM_THEN_ON && number > fatal));
    if (action >= FAIL_ONCE && error_given == ENOSPC && kind != GROWS) hit = 0;
    if (told >= 0 && (hit || !fatal)) dprintf(told, "%ld %s %s\n", number, name, path);
    return hit;
}

static int at_descriptor(const char *name, int fd, enum kind kind) {
    char path[PATH_MAX];
    return folder_length && resolve(fd, path) && is_under(path) && is_hit(name, path, kind);
}

static int at_path(const char *name, int fd, const char *path, enum kind kind) {
    char whole[2 * PATH_MAX];
    if (!folder_length) return 0;
    if (path[0] == '/') return is_under(path) && is_hit(name, path, kind);
    if (!resolve(fd, whole)) return 0;
    strncat(whole, "/", sizeof whole - strlen(whole) - 1);
    strncat(whole, path, sizeof whole - strlen(whole) - 1);
    return is_under(whole) && is_hit(name, whole, kind);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* The call, made or not, when it is hit; `torn` makes half of it, where half can be made. */
#define FAULT(hit, made, torn) \
    do { \
        if (!(hit)) return made; \
        if (action >= FAIL_ONCE) { errno = error_given; return -1; } \
        if (action == SHORTEN) return torn; \
        if (action == KILL_AFTER) (void)!(made); \
        if (action == TEAR) (void)!(torn); \
        die(); \
        return -1; \
    } while (0)

static size_t half(size_t size) { return size > 1 ? size / 2 : size; }

ssize_t write(int fd, const void *from, size_t size) {
    REAL(write);
    FAULT(at_descriptor("write", fd, GROWS), real(fd, from, size), real(fd, from, half(size)));
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *from, size_t size, offset_type offset) { \
        REAL(name); \
        FAULT(at_descriptor("pwrite", fd, GROWS), real(fd, from, size, offset), \
              real(fd, from, half(size), offset)); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *from, int n) {
    REAL(writev);
    FAULT(at_descriptor("writev", fd, GROWS), real(fd, from, n), real(fd, from, n > 1 ? n / 2 : n));
}

#define PWRITEV(name, offset_type) \
    ssize_t name(int fd, const struct iovec *from, int n, offset_type offset) { \
        REAL(name); \
        FAULT(at_descriptor("pwritev", fd, GROWS), real(fd, from, n, offset), \
              real(fd, from, n > 1 ? n / 2 : n, offset)); \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

#define COPY(name, offset_type) \
    ssize_t name(int from, offset_type *start, int to, offset_type *end, size_t size, \
                 unsigned flags) { \
        REAL(name); \
        FAULT(at_descriptor("copy_file_range", to, GROWS), real(from, start, to, end, size, flags), \
              real(from, start, to, end, half(size), flags)); \
    }
COPY(copy_file_range, off64_t)

#define WHOLE(hit, made) FAULT(hit, made, made)

int fsync(int fd) {
    REAL(fsync);
    WHOLE(at_descriptor("fsync", fd, SETTLES), real(fd));
}

int fdatasync(int fd) {
    REAL(fdatasync);
    WHOLE(at_descriptor("fdatasync", fd, SETTLES), real(fd));
}

#define TRUNCATE(name, offset_type) \
    int name(int fd, offset_type size) { \
        REAL(name); \
        WHOLE(at_descriptor("ftruncate", fd, SHRINKS), real(fd, size)); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    REAL(rename);
    WHOLE(at_path("rename", AT_FDCWD, to, MOVES), real(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat);
    WHOLE(at_path("rename", to_folder, to, MOVES), real(from_folder, from, to_folder, to));
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    REAL(renameat2);
    WHOLE(at_path("rename", to_folder, to, MOVES), real(from_folder, from, to_folder, to, flags));
}

int link(const char *from, const char *to) {
    REAL(link);
    WHOLE(at_path("link", AT_FDCWD, to, GROWS), real(from, to));
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(linkat);
    WHOLE(at_path("link", to_folder, to, GROWS), real(from_folder, from, to_folder, to, flags));
}

int unlink(const char *path) {
    REAL(unlink);
    WHOLE(at_path("unlink", AT_FDCWD, path, SHRINKS), real(path));
}

int unlinkat(int fd, const char *path, int flags) {
    REAL(unlinkat);
    WHOLE(at_path("unlink", fd, path, SHRINKS), real(fd, path, flags));
}

int rmdir(const char *path) {
    REAL(rmdir);
    WHOLE(at_path("rmdir", AT_FDCWD, path, SHRINKS), real(path));
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    WHOLE(at_path("mkdir", AT_FDCWD, path, GROWS), real(path, mode));
}

int mkdirat(int fd, const char *path, mode_t mode) {
    REAL(mkdirat);
    WHOLE(at_path("mkdir", fd, path, GROWS), real(fd, path, mode));
}

/* Opening what is there already changes nothing. */
static int is_created(int fd, const char *path, int flags) {
    return folder_length && (flags & O_CREAT) && faccessat(fd, path, F_OK, 0) != 0;
}

static mode_t mode_given(int flags, va_list rest) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_given(flags, rest); \
        va_end(rest); \
        int hit = is_created(AT_FDCWD, path, flags) && at_path("create", AT_FDCWD, path, GROWS); \
        WHOLE(hit, real(path, flags, mode)); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int fd, const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_given(flags, rest); \
        va_end(rest); \
        int hit = is_created(fd, path, flags) && at_path("create", fd, path, GROWS); \
        WHOLE(hit, real(fd, path, flags, mode)); \
    }
OPENAT(openat)
OPENAT(openat64)

#define RESERVE(name, offset_type) \
    int name(int fd, int mode, offset_type start, offset_type size) { \
        REAL(name); \
        WHOLE(at_descriptor("fallocate", fd, GROWS), real(fd, mode, start, size)); \
    }
RESERVE(fallocate, off_t)
RESERVE(fallocate64, off64_t)
