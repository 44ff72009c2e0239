#include "base/unnamed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

const char *mf_unnamed_dir(void)
{
	const char *dir = secure_getenv("TMPDIR");
	return dir && *dir ? dir : "/tmp";
}

int mf_unnamed_open(const char *dir, struct mf_err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0)
		return fd;
	char *path MF_FREE = NULL;
	if (asprintf(&path, "%s/.tmp-XXXXXX", dir) < 0) {
		path = NULL;
		return mf_fail_nomem(err);
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return mf_fail(err, MF_E_IO, errno, "make a temporary file in '%s'", dir);
	if (unlink(path) == 0)
		return fd;
	int sys = errno;
	close(fd);
	return mf_fail(err, MF_E_IO, sys, "unlink '%s'", path);
}
