/* An allocator for a test program, which includes this in one file. It replaces the allocator of the C
 * library or of the sanitizer, for the libraries too. While `armed`, allocations are counted in `seen`; the
 * one that brings `left` to 0 fails, and with `all_behind` all later ones fail too. */
#ifndef TESTS_SUPPORT_OOM_H
#define TESTS_SUPPORT_OOM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static struct {
	bool armed, all_behind, failed;
	size_t left, seen;
} oom;

/* This runs before a sanitizer is ready. */
#define PLAIN __attribute__((no_sanitize("address"), no_sanitize("undefined")))

PLAIN static bool out_of_memory(void)
{
	if (!oom.armed)
		return false;
	oom.seen++;
	if (oom.left && --oom.left)
		return false;
	if (oom.failed && !oom.all_behind)
		return false;
	oom.failed = true;
	errno = ENOMEM;
	return true;
}

#define EXPORTED PLAIN __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
__attribute__((weak)) void *__interceptor_malloc(size_t n);
__attribute__((weak)) void *__interceptor_calloc(size_t n, size_t size);
__attribute__((weak)) void *__interceptor_realloc(void *p, size_t n);

EXPORTED void *malloc(size_t n)
{
	if (out_of_memory())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(n) : __libc_malloc(n);
}

EXPORTED void *calloc(size_t n, size_t size)
{
	if (out_of_memory())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size);
}

EXPORTED void *realloc(void *p, size_t n)
{
	if (out_of_memory())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, n) : __libc_realloc(p, n);
}

#endif
