/* The keys in the home: names, files, the list. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "keys/internal.h"
#include "store/file.h"

#define SUFFIX ".key"
#define FP_PREFIX_MIN 8
#define FP_LEN 64
#define MAX_KEYS_HELD ((size_t)4096)

struct mf_keystore *mf_keystore_new(const char *dir, const struct mf_passphrase *pass,
				    const struct mf_env *env, struct mf_err *err)
{
	struct mf_keystore *ks = mf_calloc(1, sizeof *ks);

	if (ks)
		ks->dir = mf_str_dup(mf_str_c(dir));
	if (!ks || !ks->dir) {
		free(ks);
		mf_fail_nomem(err);
		return NULL;
	}
	ks->pass = pass;
	ks->env = env;
	ks->places = (struct mf_places){.env = env, .pass = pass};
	return ks;
}

static void forget_files(struct mf_keystore *ks)
{
	for (size_t i = 0; i < ks->nfiles; i++)
		free(ks->files[i]);
	free(ks->files);
	ks->files = NULL;
	ks->nfiles = ks->nread = 0;
	ks->listed = false;
}

void mf_keystore_free(struct mf_keystore *ks)
{
	if (!ks)
		return;
	while (ks->slots) {
		struct mf_key_slot *s = ks->slots;

		ks->slots = s->next;
		mf_key_slot_free(s);
	}
	if (ks->undumpable)
		(void)prctl(PR_SET_DUMPABLE, 1);
	mf_places_close(&ks->places);
	for (size_t i = 0; i < ks->n; i++)
		mf_key_info_clear(&ks->infos[i]);
	forget_files(ks);
	while (ks->gone) {
		struct mf_key_gone *g = ks->gone;

		ks->gone = g->next;
		mf_key_info_clear(&g->info);
		free(g);
	}
	free(ks->infos);
	free(ks->dir);
	free(ks);
}

/* ---- files */

static void close_cleanup(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Checks and reads the same descriptor, so that the file cannot be exchanged in between. O_NONBLOCK:
 * opening a FIFO must not block. */
int mf_keystore_read_file(const char *path, struct mf_secret *out, struct mf_err *err)
{
	int fd MF_CLEANUP(close_cleanup) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t at = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		return mf_fail(err, MF_E_KEY, errno, "open key file '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > MF_MAX_KEYFILE_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is not a key file", path);
	/* As in OpenSSH: a file of another owner may be readable to a group, because only so can this user
	 * read it (a Kubernetes Secret with fsGroup belongs to root). */
	if (st.st_uid == geteuid() && (st.st_mode & 077))
		return mf_fail(err, MF_E_KEY, 0,
			       "other users can read key file '%s' (mode %03o); run 'chmod 600' on it", path,
			       (unsigned)st.st_mode & 0777U);
	if (mf_secret_alloc(out, (size_t)st.st_size, err) < 0)
		return -1;
	while (at < out->n) {
		ssize_t got = read(fd, out->p + at, out->n - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return mf_fail(err, MF_E_IO, got < 0 ? errno : 0, "read key file '%s'", path);
		at += (size_t)got;
		mf_counts()->read += (uint64_t)got;
	}
	return 0;
}

char *mf_keystore_path(const struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	char file[64 + sizeof SUFFIX];
	char *path;

	snprintf(file, sizeof file, "%s" SUFFIX, name);
	path = mf_path_join(ks->dir, file, NULL);
	if (!path)
		mf_fail_nomem(err);
	return path;
}

/* ---- the list */

size_t mf_keystore_place(const struct mf_keystore *ks, const char *name, bool *found)
{
	size_t lo = 0, hi = ks->n;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(ks->infos[mid].name, name);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct mf_key_info *mf_keystore_by_name(const struct mf_keystore *ks, const char *name)
{
	bool found;
	size_t at = mf_keystore_place(ks, name, &found);

	return found ? &ks->infos[at] : NULL;
}

int mf_keystore_insert(struct mf_keystore *ks, struct mf_key_info *info, const struct mf_key_info **out,
		       struct mf_err *err)
{
	bool found;
	size_t at = mf_keystore_place(ks, info->name, &found);

	if (found)
		return mf_fail(err, MF_E_CONFLICT, 0, "key '%s' exists already", info->name);
	if (ks->n >= MAX_KEYS_HELD)
		return mf_fail(err, MF_E_USAGE, 0, "more than %zu keys in '%s'", MAX_KEYS_HELD, ks->dir);
	if (mf_grow((void **)&ks->infos, &ks->cap, ks->n, sizeof *ks->infos, err) < 0)
		return -1;
	memmove(ks->infos + at + 1, ks->infos + at, (ks->n - at) * sizeof *ks->infos);
	ks->infos[at] = *info;
	ks->n++;
	if (out)
		*out = &ks->infos[at];
	return 0;
}

static int read_info(const struct mf_keystore *ks, const char *name, struct mf_key_info *out,
		     struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_secret file MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char *path MF_FREE = mf_keystore_path(ks, name, err);

	if (!path || mf_keystore_read_file(path, &file, err) < 0)
		return -1;
	if ((mf_reference_is(mf_secret_bytes(&file)) ? mf_reference_info : mf_keyfile_info)(
		&info, mf_secret_bytes(&file), err) < 0)
		return -1;
	/* Otherwise a copied or renamed file could pass for another key. */
	if (strcmp(info.name, name) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "the file names its key '%s'", info.name);
	info.path = path;
	path = NULL;
	*out = info;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

/* An unusable file is skipped with a warning; only lack of memory or a bug ends the listing. */
static int load_one(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_err why = MF_ERR_INIT;

	/* The key was made or lent by this process, or was read from the directory before. */
	if (mf_keystore_by_name(ks, name))
		return 0;
	if (read_info(ks, name, &info, &why) < 0) {
		if (why.code == MF_E_NOMEM || why.code == MF_E_INTERNAL)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		mf_env_log(ks->env, MF_LOG_WARNING, "ignored key file '%s/%s" SUFFIX "': %s", ks->dir, name,
			   why.msg);
		return 0;
	}
	if (mf_keystore_insert(ks, &info, NULL, err) < 0)
		return -1;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

/* ---- the directory */

static void dir_cleanup(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int add_file(struct mf_keystore *ks, size_t *cap, const char *file, struct mf_err *err)
{
	struct mf_str stem = mf_str_c(file);
	if (!mf_str_ends(stem, MF_STR(SUFFIX)) || stem.n == sizeof SUFFIX - 1)
		return 0;
	stem.n -= sizeof SUFFIX - 1;
	char *name MF_FREE = mf_str_dup(stem);
	if (!name)
		return mf_fail_nomem(err);
	if (!mf_key_name_valid(name))
		return 0;
	if (mf_grow((void **)&ks->files, cap, ks->nfiles, sizeof *ks->files, err) < 0)
		return -1;
	ks->files[ks->nfiles++] = name;
	name = NULL;
	return 0;
}

static int read_directory(struct mf_keystore *ks, struct mf_err *err)
{
	DIR *d MF_CLEANUP(dir_cleanup) = opendir(ks->dir);
	struct dirent *e;
	struct stat st;
	size_t cap = 0;

	if (!d && errno != ENOENT)
		return mf_fail(err, MF_E_IO, errno, "read key directory '%s'", ks->dir);
	if (d && fstat(dirfd(d), &st) == 0 && (st.st_mode & 022))
		mf_env_log(ks->env, MF_LOG_WARNING,
			   "other users can change the key directory '%s'; run 'chmod 700' on it", ks->dir);
	for (errno = 0; d && (e = readdir(d)); errno = 0) {
		if (add_file(ks, &cap, e->d_name, err) < 0)
			return -1;
	}
	if (errno && d)
		return mf_fail(err, MF_E_IO, errno, "read key directory '%s'", ks->dir);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(struct mf_keystore *ks, struct mf_err *err)
{
	if (ks->listed)
		return 0;
	if (read_directory(ks, err) < 0) {
		forget_files(ks);
		return -1;
	}
	if (ks->nfiles)
		qsort(ks->files, ks->nfiles, sizeof *ks->files, compare_names);
	ks->listed = true;
	return 0;
}

int mf_keystore_load(struct mf_keystore *ks, struct mf_err *err)
{
	if (list_files(ks, err) < 0)
		return -1;
	for (; ks->nread < ks->nfiles; ks->nread++)
		if (load_one(ks, ks->files[ks->nread], err) < 0)
			return -1;
	return 0;
}

void mf_keystore_rescan(struct mf_keystore *ks)
{
	forget_files(ks);
}

int mf_keystore_names(struct mf_keystore *ks, int (*each)(void *arg, const char *name, struct mf_err *err),
		      void *arg, struct mf_err *err)
{
	if (list_files(ks, err) < 0)
		return -1;
	for (size_t i = 0; i < ks->nfiles; i++)
		if (each(arg, ks->files[i], err) < 0)
			return -1;
	/* Also the keys in memory, which include those that were lent or made since. */
	for (size_t i = 0; i < ks->n; i++)
		if (each(arg, ks->infos[i].name, err) < 0)
			return -1;
	return 0;
}

int mf_keystore_list(struct mf_keystore *ks, const struct mf_key_info **out, size_t *n, struct mf_err *err)
{
	if (mf_keystore_load(ks, err) < 0)
		return -1;
	*out = ks->infos;
	*n = ks->n;
	return 0;
}

static bool has_fingerprint(const struct mf_key_info *k, const struct mf_digest *fingerprint)
{
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	return mf_digest_eq(&fp, fingerprint);
}

static const struct mf_key_info *find_read(const struct mf_keystore *ks, const struct mf_digest *fingerprint)
{
	for (size_t i = 0; i < ks->n; i++)
		if (has_fingerprint(&ks->infos[i], fingerprint))
			return &ks->infos[i];
	return NULL;
}

/* Allocates room for the keys of all files that are still to be read. Infos that callers have borrowed
 * then do not move: the array does not grow, and keys are read in the order of the list. */
static int make_room(struct mf_keystore *ks, struct mf_err *err)
{
	size_t wanted = ks->n + ks->nfiles - ks->nread;
	if (wanted <= ks->cap)
		return 0;
	struct mf_key_info *infos = realloc(ks->infos, wanted * sizeof *infos);
	if (!infos)
		return mf_fail_nomem(err);
	ks->infos = infos;
	ks->cap = wanted;
	return 0;
}

const struct mf_key_info *mf_keystore_find_fp(struct mf_keystore *ks, const struct mf_digest *fingerprint)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *k = find_read(ks, fingerprint);
	if (!k && list_files(ks, &err) == 0 && make_room(ks, &err) == 0) {
		while (!k && ks->nread < ks->nfiles && load_one(ks, ks->files[ks->nread], &err) == 0) {
			k = mf_keystore_by_name(ks, ks->files[ks->nread++]);
			k = k && has_fingerprint(k, fingerprint) ? k : NULL;
		}
	}
	if (err.code)
		mf_env_log(ks->env, MF_LOG_WARNING, "%s", err.msg);
	return k;
}

/* If one key has two names, the first name is returned, and the prefix is not ambiguous. */
static enum mf_found by_prefix(const struct mf_keystore *ks, const char *prefix,
			       const struct mf_key_info **out, struct mf_err *err)
{
	*out = NULL;
	for (size_t i = 0; i < ks->n; i++) {
		assert(ks->infos);
		const struct mf_key_info *k = &ks->infos[i];
		char hex[FP_LEN + 1];
		mf_pubkey_hex(hex, k->pub);
		if (strncmp(hex, prefix, strlen(prefix)) != 0)
			continue;
		if (*out && !mf_pubkey_eq((*out)->pub, k->pub)) {
			(void)mf_fail(err, MF_E_AMBIGUOUS, 0, "'%s' matches both key '%s' and key '%s'",
				      prefix, (*out)->name, k->name);
			return MF_FAILED;
		}
		if (!*out)
			*out = k;
	}
	return *out ? MF_FOUND : MF_ABSENT;
}

const struct mf_key_info *mf_keystore_find(struct mf_keystore *ks, const char *name_or_fp, struct mf_err *err)
{
	const struct mf_key_info *k = NULL;
	struct mf_esc esc;
	char digits[FP_LEN + 1];
	size_t n = mf_fingerprint_digits(digits, name_or_fp) ? strlen(digits) : 0;
	if (mf_keystore_load(ks, err) < 0)
		return NULL;
	/* A whole fingerprint is searched for first, so that a key named like a fingerprint cannot hide
	 * the real one. */
	if (n < FP_LEN)
		k = mf_keystore_by_name(ks, name_or_fp);
	if (!k && n >= FP_PREFIX_MIN && by_prefix(ks, digits, &k, err) == MF_FAILED)
		return NULL;
	if (!k)
		k = mf_keystore_by_name(ks, name_or_fp);
	if (!k)
		(void)mf_fail(err, MF_E_KEY, 0, "no key '%s' in '%s'", mf_esc(&esc, mf_str_c(name_or_fp)),
			      ks->dir);
	return k;
}

void mf_keystore_set_access(struct mf_keystore *ks, const struct mf_key_access *access)
{
	ks->places.access = *access;
}

bool mf_keystore_hides(void *arg, struct mf_str variable)
{
	struct mf_keystore *ks = arg;
	struct mf_err unused = MF_ERR_INIT;
	if (mf_keystore_load(ks, &unused) < 0)
		return false;
	for (size_t i = 0; i < ks->n; i++) {
		const char *source = ks->infos[i].source;
		if (source && mf_str_starts(mf_str_c(source), MF_STR("env:")) &&
		    mf_str_eqz(variable, mf_source_where(source)))
			return true;
	}
	return false;
}
