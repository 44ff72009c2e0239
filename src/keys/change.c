/* Changes of the keys in the home: adding, renaming and removing keys, and changing a passphrase. */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "keys/internal.h"
#include "store/file.h"
#include "store/temp.h"

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

/* Either mf_file_create, for a name that must not exist yet, or mf_file_write. */
typedef int (*write_fn)(const char *path, struct mf_bytes data, unsigned mode, struct mf_err *err);

/* An empty passphrase stores the key unencrypted. */
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

/* Takes ownership of *info on success, and of the key in every case. */
static int hold(struct mf_keystore *ks, struct mf_key_info *info, struct mf_privkey *taken,
		const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = taken;
	struct mf_held held;
	const char *name = info->name;
	if (mf_keystore_insert(ks, info, out, err) < 0)
		return -1;
	*info = (struct mf_key_info)MF_KEY_INFO_INIT;
	struct mf_key_slot *s = mf_key_slot_of(ks, name, err);
	if (!s)
		return -1;
	mf_held_of(&held, key);
	key = NULL;
	mf_key_slot_open(s, &held);
	return 0;
}

/* Takes ownership of the key in every case. */
static int add_taken(struct mf_keystore *ks, const char *name, struct mf_privkey *taken,
		     const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = taken;
	struct mf_key_info info MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	char *path = mf_keystore_path(ks, name, err);

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
	char *copy = mf_keystore_load(ks, err) < 0 ? NULL : mf_str_dup(mf_str_c(path));
	if (!copy)
		return err->code ? -1 : mf_fail_nomem(err);
	if (make_info(name, key, encrypted, copy, &info, err) < 0)
		return -1;
	key = NULL;
	return hold(ks, &info, taken, out, err);
}

/* Checks that a name is valid and free, before a passphrase is asked for. If another process takes the
 * name meanwhile, mf_file_create fails. */
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
	if (mf_keystore_load(ks, err) < 0)
		return -1;
	path = mf_keystore_path(ks, name, err);
	if (!path)
		return -1;
	if (mf_keystore_by_name(ks, name) || mf_file_exists(path))
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
	info.path = mf_keystore_path(ks, name, err);
	if (!info.path)
		return -1;
	if (source->open(&ks->places, &info, &held, err) < 0)
		return mf_wrap(err, "key '%s'", name);
	info.pub = mf_pubkey_ref(held.pub);
	info.type = mf_pubkey_type(info.pub);
	if (write_reference(ks, &info, err) < 0 || mf_keystore_insert(ks, &info, out, err) < 0)
		return -1;
	info = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}

/* ---- changing */

/* Removes a key from the list. Its info stays in memory, because callers may have borrowed it, and so does
 * its slot, which a signer may refer to. */
static int leave_out(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	bool found;
	size_t at = mf_keystore_place(ks, name, &found);
	struct mf_key_gone *g = mf_calloc(1, sizeof *g);

	assert(found);
	if (!g)
		return mf_fail_nomem(err);
	for (struct mf_key_slot *s = ks->slots; s; s = s->next)
		if (strcmp(s->name, name) == 0) {
			mf_held_clear(&s->held);
			s->state = MF_KEY_UNTRIED;
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
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_keystore_open_file(ks, k, &pass, err);
	char *path = key ? mf_keystore_path(ks, name, err) : NULL;

	if (!path || make_info(name, key, k->encrypted, path, out, err) < 0)
		return -1;
	return write_key(out->path, name, key, &pass, mf_file_create, err);
}

static int copy_reference(struct mf_keystore *ks, const struct mf_key_info *k, const char *name,
			  struct mf_key_info *out, struct mf_err *err)
{
	const struct mf_key_place at = {k->source, (const char *const *)k->args};

	if (copy_place(out, name, &at, err) < 0 || !(out->path = mf_keystore_path(ks, name, err)))
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
	/* Until now both files exist, so that there is no moment at which the key has no file. */
	if (mf_keystore_remove(ks, k, err) < 0)
		return mf_wrap(err, "key '%s' was made, but the key of the old name could not be removed",
			       name);
	if (mf_keystore_insert(ks, &info, out, err) < 0)
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
	key = mf_keystore_open_file(ks, k, &old, err);
	if (!key || (!ks->pass->none && ask_new(ks, k->name, &pass, err) < 0) ||
	    write_key(k->path, k->name, key, &pass, mf_file_write, err) < 0)
		return -1;
	ks->infos[mf_keystore_place(ks, k->name, &found)].encrypted = pass.n != 0;
	return 0;
}
