#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool mf_library_load(const char *name, const struct mf_library_function *functions, size_t n, void *out)
{
	/* RTLD_LAZY: symbols are bound when they are called, as for a library that the program is linked
	 * with. */
	void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return false;
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function)
			return false;
		memcpy((char *)out + functions[i].at, &function, sizeof function);
	}
	return true;
}
