/* A directory for one test, removed with all that is in it. */
#ifndef TESTS_UNIT_STORE_TMPDIR_H
#define TESTS_UNIT_STORE_TMPDIR_H

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

static inline int tmpdir_make(void **state)
{
	char *dir = strdup("/tmp/mf-test-XXXXXX");
	*state = dir;
	return dir && mkdtemp(dir) ? 0 : -1;
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int tmpdir_drop(void **state)
{
	int rc = nftw(*state, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return rc;
}

/* Path in the test's directory; four may be in use at once. */
static inline const char *tmpdir_path(void **state, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *p = paths[next++ % 4];
	(void)snprintf(p, sizeof(paths[0]), "%s/%s", (const char *)*state, name);
	return p;
}

/* Number of entries of a directory, "." and ".." not counted. */
static inline unsigned tmpdir_entries(const char *path)
{
	unsigned n = 0;
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

#define tmpdir_test(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

#endif
