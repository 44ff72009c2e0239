#include "keys/keystore.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "keys/source.h"
#include "store/file.h"
#include "store/temp.h"

#define SUFFIX ".key"
#define FP_PREFIX_MIN 8
#define FP_LEN 64
#define MAX_KEYS_HELD ((size_t)4096)

/* An info of a key that was renamed or removed. */
struct gone {
	struct gone *next;
	struct mf_key_info info;
};

/* What was tried with a key: whatever comes of it, nothing is asked for twice. */
struct slot {
	struct slot *next;
	struct mf_keystore *ks;
	char *name;
	enum { UNTRIED, OPEN, FAILED } state;
	struct mf_held held;
};

struct mf_keystore {
	char *dir;
	const struct mf_passphrase *pass;
	const struct mf_env *env;
	bool loaded;
	struct mf_key_info *infos; /* by name */
	size_t n, cap;
	struct gone *gone;
	struct slot *slots;
	struct mf_places places;
	bool
	    undumpable; /* while a key is unlocked, no core dump and no debugger of ours reads this process */
};

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

static void slot_free(struct slot *s)
{
	free(s->name);
	mf_held_clear(&s->held);
	free(s);
}

void mf_keystore_free(struct mf_keystore *ks)
{
	if (!ks)
		return;
	while (ks->slots) {
		struct slot *s = ks->slots;

		ks->slots = s->next;
		slot_free(s);
	}
	if (ks->undumpable)
		(void)prctl(PR_SET_DUMPABLE, 1);
	mf_places_close(&ks->places);
	for (size_t i = 0; i < ks->n; i++)
		mf_key_info_clear(&ks->infos[i]);
	while (ks->gone) {
		struct gone *g = ks->gone;

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

/* What is checked and what is read is one descriptor. O_NONBLOCK: a FIFO must not stop us. */
static int read_key_file(const char *path, struct mf_secret *out, struct mf_err *err)
{
	int fd MF_CLEANUP(close_cleanup) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t at = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		return mf_fail(err, MF_E_KEY, errno, "open key file '%s'", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (uint64_t)st.st_size > MF_MAX_KEYFILE_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is not a key file", path);
	/* As OpenSSH: a file of somebody else's may be open to a group that we are in, or nobody but them
	 * could use it (a Kubernetes Secret with fsGroup belongs to root). */
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
	}
	return 0;
}

static char *key_path(const struct mf_keystore *ks, const char *name, struct mf_err *err)
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

/* Index of the name, or of where it belongs. */
static size_t place_of(const struct mf_keystore *ks, const char *name, bool *found)
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

static const struct mf_key_info *by_name(const struct mf_keystore *ks, const char *name)
{
	bool found;
	size_t at = place_of(ks, name, &found);

	return found ? &ks->infos[at] : NULL;
}

/* Takes *info over on success. */
static int insert(struct mf_keystore *ks, struct mf_key_info *info, const struct mf_key_info **out,
		  struct mf_err *err)
{
	bool found;
	size_t at = place_of(ks, info->name, &found);

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
	char *path MF_FREE = key_path(ks, name, err);

	if (!path || read_key_file(path, &file, err) < 0)
		return -1;
	if ((mf_reference_is(mf_secret_bytes(&file)) ? mf_reference_info : mf_keyfile_info)(
		&info, mf_secret_bytes(&file), err) < 0)
		return -1;
	/* Otherwise a copied file could pass for another key. */
	if (strcmp(info.name, name) != 0)
		return mf_fail(err, MF_E_FORMAT, 0, "the file names its key '%s'", info.name);
	info.path = path;
	path = NULL;
	*out = info;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

/* A file that cannot be used is passed over; only lack of memory ends the listing. */
static int load_one(struct mf_keystore *ks, const char *file, struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_err why = MF_ERR_INIT;
	struct mf_str stem = mf_str_c(file);
	char *name MF_FREE = NULL;

	if (!mf_str_ends(stem, MF_STR(SUFFIX)) || stem.n == sizeof SUFFIX - 1)
		return 0;
	stem.n -= sizeof SUFFIX - 1;
	name = mf_str_dup(stem);
	if (!name)
		return mf_fail_nomem(err);
	/* A load that failed half way is begun again with what it has. */
	if (!mf_key_name_valid(name) || by_name(ks, name))
		return 0;
	if (read_info(ks, name, &info, &why) < 0) {
		if (why.code == MF_E_NOMEM || why.code == MF_E_INTERNAL)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		mf_env_log(ks->env, MF_LOG_WARNING, "ignored key file '%s/%s': %s", ks->dir, file, why.msg);
		return 0;
	}
	if (insert(ks, &info, NULL, err) < 0)
		return -1;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

static void dir_cleanup(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int load(struct mf_keystore *ks, struct mf_err *err)
{
	DIR *d MF_CLEANUP(dir_cleanup) = NULL;
	struct dirent *e;
	struct stat st;

	if (ks->loaded)
		return 0;
	d = opendir(ks->dir);
	if (!d && errno != ENOENT)
		return mf_fail(err, MF_E_IO, errno, "read key directory '%s'", ks->dir);
	if (d && fstat(dirfd(d), &st) == 0 && (st.st_mode & 022))
		mf_env_log(ks->env, MF_LOG_WARNING,
			   "other users can change the key directory '%s'; run 'chmod 700' on it", ks->dir);
	for (errno = 0; d && (e = readdir(d)); errno = 0) {
		if (load_one(ks, e->d_name, err) < 0)
			return -1;
	}
	if (errno && d)
		return mf_fail(err, MF_E_IO, errno, "read key directory '%s'", ks->dir);
	ks->loaded = true;
	return 0;
}

void mf_keystore_rescan(struct mf_keystore *ks)
{
	ks->loaded = false;
}

int mf_keystore_list(struct mf_keystore *ks, const struct mf_key_info **out, size_t *n, struct mf_err *err)
{
	if (load(ks, err) < 0)
		return -1;
	*out = ks->infos;
	*n = ks->n;
	return 0;
}

const struct mf_key_info *mf_keystore_find_fp(struct mf_keystore *ks, const struct mf_digest *fingerprint)
{
	struct mf_err err = MF_ERR_INIT;
	if (load(ks, &err) < 0) {
		mf_env_log(ks->env, MF_LOG_WARNING, "%s", err.msg);
		return NULL;
	}
	for (size_t i = 0; i < ks->n; i++) {
		struct mf_digest fp = mf_pubkey_fingerprint(ks->infos[i].pub);
		if (mf_digest_eq(&fp, fingerprint))
			return &ks->infos[i];
	}
	return NULL;
}

/* The same key under two names is one answer: the first. */
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
	if (load(ks, err) < 0)
		return NULL;
	/* A whole fingerprint first, so that no key name can stand in front of one. */
	if (n < FP_LEN)
		k = by_name(ks, name_or_fp);
	if (!k && n >= FP_PREFIX_MIN && by_prefix(ks, digits, &k, err) == MF_FAILED)
		return NULL;
	if (!k)
		k = by_name(ks, name_or_fp);
	if (!k)
		(void)mf_fail(err, MF_E_KEY, 0, "no key '%s' in '%s'", mf_esc(&esc, mf_str_c(name_or_fp)),
			      ks->dir);
	return k;
}

/* ---- what was tried with the keys */

static struct slot *slot_of(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	struct slot *s = ks->slots;
	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	if (s)
		return s;
	s = mf_calloc(1, sizeof *s);
	if (s)
		s->name = mf_str_dup(mf_str_c(name));
	if (!s || !s->name) {
		free(s);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	s->ks = ks;
	s->next = ks->slots;
	return ks->slots = s;
}

/* Takes what is held over. */
static void slot_open(struct slot *s, const struct mf_held *held)
{
	if (prctl(PR_GET_DUMPABLE) == 1)
		s->ks->undumpable = prctl(PR_SET_DUMPABLE, 0) == 0;
	s->held = *held;
	s->state = OPEN;
}

/* With the passphrase in *pass (empty: the key has none). */
static struct mf_privkey *open_file(struct mf_keystore *ks, const struct mf_key_info *k,
				    struct mf_secret *pass, struct mf_err *err)
{
	struct mf_secret file MF_SECRET_CLEANUP = MF_SECRET_INIT;

	if (read_key_file(k->path, &file, err) < 0)
		return NULL;
	if (k->encrypted && ks->pass->get(ks->pass->arg, k->name, MF_PASSPHRASE_UNLOCK, pass, err) < 0)
		return NULL;
	return mf_keyfile_decode(mf_secret_bytes(&file), pass, err);
}

static int hold_file(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_held *out,
		     struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key = open_file(ks, k, &pass, err);

	if (!key)
		return -1;
	mf_held_of(out, key);
	return 0;
}

static int open_key(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_held *out,
		    struct mf_err *err)
{
	struct mf_held held MF_CLEANUP(mf_held_clear) = {.pub = NULL};
	struct mf_esc e;
	const struct mf_source *source = k->source ? mf_source_find(k->source, err) : NULL;

	if (k->source && !source)
		return -1;
	if (source ? source->open(&ks->places, k, &held, err) < 0 : hold_file(ks, k, &held, err) < 0)
		return source ? mf_wrap(err, "key '%s'", k->name) : -1;
	/* What is there now may be another key than the one that was there then. */
	if (!mf_pubkey_eq(held.pub, k->pub))
		return mf_fail(err, MF_E_KEY, 0,
			       "key '%s' was replaced in the meantime: '%s' has another one", k->name,
			       mf_esc(&e, mf_str_c(k->source ? k->source : k->path)));
	*out = held;
	held = (struct mf_held){.pub = NULL};
	return 0;
}

static int open_once(struct slot *s, struct mf_err *err)
{
	const struct mf_key_info *k = by_name(s->ks, s->name);
	struct mf_held held;

	if (s->state == OPEN)
		return 0;
	if (s->state == FAILED)
		return mf_fail(err, MF_E_KEY, 0, "key '%s' is locked: an earlier attempt to unlock it failed",
			       s->name);
	if (!k)
		return mf_fail(err, MF_E_KEY, 0, "no key '%s' in '%s'", s->name, s->ks->dir);
	if (open_key(s->ks, k, &held, err) < 0) {
		/* An answer to "which passphrase" is final for this run; lack of memory is not. */
		s->state = err->code == MF_E_KEY ? FAILED : UNTRIED;
		return -1;
	}
	slot_open(s, &held);
	return 0;
}

/* ---- adding */

static int ask_new(const struct mf_keystore *ks, const char *name, struct mf_secret *out, struct mf_err *err)
{
	if (ks->pass->get(ks->pass->arg, name, MF_PASSPHRASE_NEW_KEY, out, err) < 0)
		return -1;
	if (out->n == 0) {
		mf_fail(err, MF_E_KEY, 0, "no passphrase for the new key '%s'", name);
		mf_err_set_hint(err,
				"give a passphrase, or use --no-passphrase to store the key unencrypted");
		return -1;
	}
	return 0;
}

/* mf_file_create for a name that must be free, or mf_file_write. */
typedef int (*write_fn)(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err);

/* An empty passphrase is none. */
static int write_key(const char *path, const char *name, const struct mf_privkey *key,
		     const struct mf_secret *pass, write_fn write, struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	int r = mf_buf_reserve(&file, MF_MAX_KEYFILE_BYTES / 2, err);
	if (!r)
		r = mf_keyfile_encode(&file, name, key, pass->n ? pass : NULL, err);
	if (!r)
		r = write(path, mf_buf_bytes(&file), 0600, err);
	mf_wipe(file.p, file.cap);
	return r;
}

static int write_new(struct mf_keystore *ks, const char *name, const struct mf_privkey *key, const char *path,
		     struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char *home MF_FREE = mf_dir_of(ks->dir);

	if (!home)
		return mf_fail_nomem(err);
	if ((!ks->pass->none && ask_new(ks, name, &pass, err) < 0) ||
	    mf_dir_make_inside(home, ks->dir, 0700, err) < 0)
		return -1;
	return write_key(path, name, key, &pass, mf_file_create, err);
}

static int make_info(const char *name, const struct mf_privkey *key, bool encrypted, char *path,
		     struct mf_key_info *out, struct mf_err *err)
{
	struct mf_pubkey *pub = mf_privkey_public(key);
	char *copy = mf_str_dup(mf_str_c(name));

	if (!copy) {
		free(path);
		return mf_fail_nomem(err);
	}
	*out = (struct mf_key_info){.name = copy,
				    .path = path,
				    .type = mf_pubkey_type(pub),
				    .pub = mf_pubkey_ref(pub),
				    .encrypted = encrypted};
	return 0;
}

/* Takes *info over on success, and the key in every case. */
static int hold(struct mf_keystore *ks, struct mf_key_info *info, struct mf_privkey *taken,
		const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = taken;
	struct mf_held held;
	const char *name = info->name;
	if (insert(ks, info, out, err) < 0)
		return -1;
	*info = (struct mf_key_info)MF_KEY_INFO_INIT;
	struct slot *s = slot_of(ks, name, err);
	if (!s)
		return -1;
	mf_held_of(&held, key);
	key = NULL;
	slot_open(s, &held);
	return 0;
}

/* Takes key over in every case. */
static int add_taken(struct mf_keystore *ks, const char *name, struct mf_privkey *taken,
		     const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = taken;
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	char *path = key_path(ks, name, err);

	if (!path || make_info(name, key, !ks->pass->none, path, &info, err) < 0 ||
	    write_new(ks, name, key, info.path, err) < 0)
		return -1;
	taken = key;
	key = NULL;
	return hold(ks, &info, taken, out, err);
}

int mf_keystore_lend(struct mf_keystore *ks, const char *name, const char *path, struct mf_privkey *taken,
		     const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = taken;
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	const bool encrypted = true;
	char *copy = load(ks, err) < 0 ? NULL : mf_str_dup(mf_str_c(path));
	if (!copy)
		return err->code ? -1 : mf_fail_nomem(err);
	if (make_info(name, key, encrypted, copy, &info, err) < 0)
		return -1;
	key = NULL;
	return hold(ks, &info, taken, out, err);
}

/* Before anybody is asked for a passphrase. mf_file_create decides in the end. */
static int check_free(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	char *path MF_FREE = NULL;
	struct mf_esc esc;

	if (!mf_key_name_valid(name)) {
		mf_fail(err, MF_E_USAGE, 0, "malformed key name '%s'", mf_esc(&esc, mf_str_c(name)));
		mf_err_set_hint(err,
				"a name has 1 to 64 of A-Z a-z 0-9 . _ - and starts with a letter or digit");
		return -1;
	}
	if (load(ks, err) < 0)
		return -1;
	path = key_path(ks, name, err);
	if (!path)
		return -1;
	if (by_name(ks, name) || mf_file_exists(path))
		return mf_fail(err, MF_E_CONFLICT, 0, "key '%s' exists already", name);
	return 0;
}

int mf_keystore_generate(struct mf_keystore *ks, const char *name, enum mf_key_type t,
			 const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key;

	if (check_free(ks, name, err) < 0)
		return -1;
	key = mf_privkey_generate(t, err);
	return key ? add_taken(ks, name, key, out, err) : -1;
}

int mf_keystore_add(struct mf_keystore *ks, const char *name, const struct mf_privkey *key,
		    const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_secret secret MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *copy;

	if (check_free(ks, name, err) < 0 || mf_privkey_to_secret(key, &secret, err) < 0)
		return -1;
	copy = mf_privkey_from_secret(mf_pubkey_type(mf_privkey_public(key)), mf_secret_bytes(&secret), err);
	return copy ? add_taken(ks, name, copy, out, err) : -1;
}

/* ---- keys that are elsewhere */

static int copy_place(struct mf_key_info *k, const char *name, const struct mf_key_place *at,
		      struct mf_err *err)
{
	size_t n = 0;
	while (at->args && at->args[n])
		n++;
	k->name = mf_str_dup(mf_str_c(name));
	k->source = mf_str_dup(mf_str_c(at->source));
	k->args = n ? mf_calloc(n + 1, sizeof *k->args) : NULL;
	bool ok = k->name && k->source && (!n || k->args);
	for (size_t i = 0; ok && i < n; i++)
		ok = (k->args[i] = mf_str_dup(mf_str_c(at->args[i]))) != NULL;
	return ok ? 0 : mf_fail_nomem(err);
}

static int write_reference(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	char *home MF_FREE = mf_dir_of(ks->dir);
	if (!home)
		return mf_fail_nomem(err);
	if (mf_reference_encode(&file, k, err) < 0 || mf_dir_make_inside(home, ks->dir, 0700, err) < 0)
		return -1;
	return mf_file_create(k->path, mf_buf_bytes(&file), 0600, err);
}

int mf_keystore_add_reference(struct mf_keystore *ks, const char *name, const struct mf_key_place *at,
			      const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	struct mf_held held MF_CLEANUP(mf_held_clear) = {.pub = NULL};
	const struct mf_source *source = mf_source_find(at->source, err);

	if (!source || check_free(ks, name, err) < 0 || copy_place(&info, name, at, err) < 0)
		return -1;
	info.path = key_path(ks, name, err);
	if (!info.path)
		return -1;
	if (source->open(&ks->places, &info, &held, err) < 0)
		return mf_wrap(err, "key '%s'", name);
	info.pub = mf_pubkey_ref(held.pub);
	info.type = mf_pubkey_type(info.pub);
	if (write_reference(ks, &info, err) < 0 || insert(ks, &info, out, err) < 0)
		return -1;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

void mf_keystore_set_access(struct mf_keystore *ks, const struct mf_key_access *access)
{
	ks->places.access = *access;
}

bool mf_keystore_hides(void *arg, struct mf_str variable)
{
	struct mf_keystore *ks = arg;
	struct mf_err unused = MF_ERR_INIT;
	if (load(ks, &unused) < 0)
		return false;
	for (size_t i = 0; i < ks->n; i++) {
		const char *source = ks->infos[i].source;
		if (source && mf_str_starts(mf_str_c(source), MF_STR("env:")) &&
		    mf_str_eqz(variable, mf_source_where(source)))
			return true;
	}
	return false;
}

/* ---- changing */

/* The list no longer has the key. Its info, which others may have borrowed, and its slot, which a signer may
 * have, stay. */
static int leave_out(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	bool found;
	size_t at = place_of(ks, name, &found);
	struct gone *g = mf_calloc(1, sizeof *g);

	assert(found);
	if (!g)
		return mf_fail_nomem(err);
	for (struct slot *s = ks->slots; s; s = s->next)
		if (strcmp(s->name, name) == 0) {
			mf_held_clear(&s->held);
			s->state = UNTRIED;
		}
	g->info = ks->infos[at];
	g->next = ks->gone;
	ks->gone = g;
	ks->n--;
	memmove(ks->infos + at, ks->infos + at + 1, (ks->n - at) * sizeof *ks->infos);
	return 0;
}

int mf_keystore_remove(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err)
{
	if (unlink(k->path) != 0)
		return mf_fail(err, MF_E_IO, errno, "remove key file '%s'", k->path);
	return leave_out(ks, k->name, err);
}

static int copy_file(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
		     struct mf_key_info *out, struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = open_file(ks, k, &pass, err);
	char *path = key ? key_path(ks, name, err) : NULL;

	if (!path || make_info(name, key, k->encrypted, path, out, err) < 0)
		return -1;
	return write_key(out->path, name, key, &pass, mf_file_create, err);
}

static int copy_reference(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
			  struct mf_key_info *out, struct mf_err *err)
{
	const struct mf_key_place at = {k->source, (const char *const *)k->args};

	if (copy_place(out, name, &at, err) < 0 || !(out->path = key_path(ks, name, err)))
		return -1;
	out->pub = mf_pubkey_ref(k->pub);
	out->type = k->type;
	return write_reference(ks, out, err);
}

int mf_keystore_rename(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
		       const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;

	if (check_free(ks, name, err) < 0 ||
	    (k->source ? copy_reference : copy_file)(ks, k, name, &info, err) < 0)
		return -1;
	/* Both files are there for a moment: the key is never without one. */
	if (mf_keystore_remove(ks, k, err) < 0)
		return mf_wrap(err, "the key is now '%s', too", name);
	if (insert(ks, &info, out, err) < 0)
		return -1;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

int mf_keystore_passwd(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_err *err)
{
	struct mf_secret old MF_SECRET_CLEANUP = MF_SECRET_INIT, pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = NULL;
	struct mf_esc e;
	bool found;

	if (k->source)
		return mf_fail(err, MF_E_USAGE, 0, "key '%s' has no passphrase here: it is at '%s'", k->name,
			       mf_esc(&e, mf_str_c(k->source)));
	key = open_file(ks, k, &old, err);
	if (!key || (!ks->pass->none && ask_new(ks, k->name, &pass, err) < 0) ||
	    write_key(k->path, k->name, key, &pass, mf_file_write, err) < 0)
		return -1;
	ks->infos[place_of(ks, k->name, &found)].encrypted = pass.n != 0;
	return 0;
}

/* ---- the signer */

static int sign(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		struct mf_err *err)
{
	struct slot *s = arg;
	if (open_once(s, err) < 0)
		return -1;
	return s->held.sign(s->held.arg, scheme, msg, sig, err) < 0 ? mf_wrap(err, "key '%s'", s->name) : 0;
}

int mf_keystore_signer(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_signer *out,
		       struct mf_err *err)
{
	struct slot *s = slot_of(ks, k->name, err);
	if (!s)
		return -1;
	*out = (struct mf_signer){k->pub, s->name, sign, s};
	return 0;
}
