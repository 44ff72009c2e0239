/* Shared libraries that not every run needs, and that are loaded at first use. */
#ifndef MF_BASE_LIBRARY_H
#define MF_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* A function of the library, and the offset of its pointer in the caller's struct. */
struct mf_library_function {
	const char *name;
	size_t at;
};
/* Loads the library, which is never unloaded, and fills *out with its n functions. Returns false when it
 * is not installed or lacks one of the functions. */
bool mf_library_load(const char *name, const struct mf_library_function *functions, size_t n, void *out);

#endif
