/* Lists the files of a directory to which others write, and removes old ones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "store/temp.h"

static DIR *open_dir(int at, const char *path, int *sys)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	*sys = errno;
	if (!d && fd >= 0)
		close(fd);
	return d;
}

static void dir_cleanup(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}
#define CLOSE_DIR MF_CLEANUP(dir_cleanup)

enum depth { FILES, FILES_BELOW };
struct walk {
	mf_dir_entry_fn fn;
	void *arg;
};

/* Walks the directory `name`, "" for the first one; `d` is open on it. */
static int walk_one(const struct walk *w, DIR *d, const char *name, enum depth depth, struct mf_err *err)
{
	const struct dirent *e;
	while ((e = readdir(d))) {
		struct stat st;
		int sys, rc = 0;
		bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		/* The file may have been removed meanwhile. */
		if (dots || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		char *path MF_FREE =
		    *name ? mf_path_join(name, e->d_name, NULL) : mf_str_dup(mf_str_c(e->d_name));
		if (!path)
			return mf_fail_nomem(err);
		DIR *inner CLOSE_DIR =
		    depth == FILES_BELOW && S_ISDIR(st.st_mode) ? open_dir(dirfd(d), e->d_name, &sys) : NULL;
		if (S_ISREG(st.st_mode))
			rc = w->fn(w->arg, path, &st, err);
		else if (inner)
			rc = walk_one(w, inner, path, FILES, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int mf_dir_walk(const char *dir, const char *sub, mf_dir_entry_fn fn, void *arg, struct mf_err *err)
{
	const struct walk w = {fn, arg};
	int sys;
	DIR *top CLOSE_DIR = open_dir(AT_FDCWD, dir, &sys);
	DIR *inner CLOSE_DIR = top && sub ? open_dir(dirfd(top), sub, &sys) : NULL;
	if (top && !sub)
		return walk_one(&w, top, "", FILES, err);
	if (inner)
		return walk_one(&w, inner, sub, FILES_BELOW, err);
	return sys == ENOENT ? 0
			     : mf_fail(err, MF_E_IO, sys, "list directory '%s%s%s'", dir, sub ? "/" : "",
				       sub ? sub : "");
}

int64_t mf_stat_changed(const struct stat *st)
{
	return (int64_t)(st->st_mtime > st->st_ctime ? st->st_mtime : st->st_ctime);
}

/* Opens the directory that contains a name, without following links in the name; *file: the last part of
 * the name. -1 with errno. */
static int open_parent(const char *dir, const char *name, const char **file)
{
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *slash;
	for (; at >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		char *one MF_FREE = mf_str_dup((struct mf_str){name, (size_t)(slash - name)});
		int in = one ? openat(at, one, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
		int sys = one ? errno : ENOMEM;
		close(at);
		errno = sys;
		at = in;
	}
	*file = name;
	return at;
}

enum mf_found mf_dir_remove_old(const char *dir, const char *name, int64_t before, struct mf_err *err)
{
	const char *file;
	struct stat st;
	int at MF_FD_CLEANUP = open_parent(dir, name, &file);
	if (at < 0 || fstatat(at, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			   ? MF_ABSENT
			   : (enum mf_found)mf_fail(err, MF_E_IO, errno, "remove '%s/%s'", dir, name);
	if (!S_ISREG(st.st_mode) || mf_stat_changed(&st) > before)
		return MF_ABSENT;
	if (unlinkat(at, file, 0) == 0)
		return MF_FOUND;
	return errno == ENOENT ? MF_ABSENT
			       : (enum mf_found)mf_fail(err, MF_E_IO, errno, "remove '%s/%s'", dir, name);
}

int64_t mf_dir_clock(const char *dir)
{
	struct stat st;
	int fd MF_FD_CLEANUP = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	return fd >= 0 && futimens(fd, NULL) == 0 && fstat(fd, &st) == 0 ? (int64_t)st.st_mtime : 0;
}
