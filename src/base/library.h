/* Shared libraries that not every run needs: loaded when they are used. */
#ifndef MF_BASE_LIBRARY_H
#define MF_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* A function of the library, and where its pointer goes in the caller's struct. */
struct mf_library_function {
	const char *name;
	size_t at;
};
/* Loads the library and fills *out with its n functions. It stays loaded. False: it is not installed, or
 * lacks one of them. */
bool mf_library_load(const char *name, const struct mf_library_function *functions, size_t n, void *out);

#endif
