/* key generate, list, show, add, import, export, passwd, rename, remove, name */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "keys/notary_pem.h"
#include "ops/ops.h"

/* "command:PROGRAM ARGUMENT..." */
static const char *source_text(const struct mf_key_info *k, struct mf_arena *a)
{
	const char *text = mf_arena_text(a, k->source);
	for (size_t i = 0; k->args && k->args[i]; i++)
		text = mf_arena_format(a, "%s %s", text ? text : "", k->args[i]);
	return text;
}

static int report_key(const struct mf_key_info *k, struct mf_arena *a, struct manifesto_key *out,
		      struct mf_err *err)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	if (mf_pubkey_to_pem(k->pub, &pem, err) < 0)
		return -1;
	*out = (struct manifesto_key){.name = mf_arena_text(a, k->name),
				      .type = mf_key_type_name(k->type),
				      .fingerprint = mf_report_hex(a, &fp),
				      .path = mf_arena_text(a, k->path),
				      .encrypted = k->encrypted,
				      .public_pem = mf_arena_text_of(a, mf_buf_str(&pem)),
				      .source = k->source ? source_text(k, a) : NULL};
	return 0;
}

static int report(const struct mf_key_info *keys, size_t n, struct manifesto_key_result *out,
		  struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	struct manifesto_key *v = mf_arena_alloc(a, n, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (report_key(&keys[i], a, &v[i], err) < 0)
			return -1;
	out->keys = mf_arena_list(a, v, n, sizeof *v);
	out->nkeys = n;
	return mf_arena_check(a, err);
}

static int key_type(const char *type, enum mf_key_type *out, struct mf_err *err)
{
	struct mf_esc e;
	if (!type || strcmp(type, "ed25519") == 0)
		*out = MF_KEY_ED25519;
	else if (strcmp(type, "ecdsa") == 0)
		*out = MF_KEY_ECDSA;
	else
		return mf_fail(err, MF_E_USAGE, 0, "expected key type ed25519 or ecdsa, got '%s'",
			       mf_esc(&e, mf_str_c(type)));
	return 0;
}

int mf_op_check_key_name(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_key_name_valid(name))
		return 0;
	return mf_fail(err, MF_E_USAGE, 0,
		       "invalid key name '%s': expected at most 64 letters, digits, '.', '_' and '-', with a "
		       "letter or digit first",
		       mf_esc(&e, mf_str_c(name)));
}

int manifesto_key_generate(struct manifesto *m, const char *name, const char *type,
			   const struct manifesto_key_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	enum mf_key_type t = MF_KEY_ED25519;
	const struct mf_key_info *k;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_op_check_key_name(name, &err) < 0 || key_type(type, &t, &err) < 0 ||
			 mf_keystore_generate(m->keys, name, t, &k, &err) < 0
		     ? -1
		     : report(k, 1, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_key_list(struct manifesto *m, const struct manifesto_key_result **out,
		       struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *all;
	size_t n;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_keystore_list(m->keys, &all, &n, &err) < 0 ? -1 : report(all, n, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_key_show(struct manifesto *m, const char *name, const struct manifesto_key_result **out,
		       struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	const struct mf_key_info *k = r ? mf_keystore_find(m->keys, name, &err) : NULL;
	int rc = k ? report(k, 1, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- key references: the private key is elsewhere */

/* Makes the path of a program absolute: a relative path would name another program when the command runs in
 * another directory. A name without a slash stays as it is, and is searched for in PATH. */
static int absolute(const char *source, char **out, struct mf_err *err)
{
	static const char scheme[] = "command:";
	const char *program = source + sizeof scheme - 1;
	bool relative = mf_str_starts(mf_str_c(source), MF_STR("command:")) && *program && *program != '/' &&
			strchr(program, '/');
	char *directory MF_FREE = relative ? getcwd(NULL, 0) : NULL;
	if (relative && !directory)
		return mf_fail(err, MF_E_IO, errno, "determine the working directory");
	int n = relative ? asprintf(out, "%s%s/%s", scheme, directory, program) : asprintf(out, "%s", source);
	return n < 0 ? mf_fail_nomem(err) : 0;
}

static int add(struct manifesto *m, const char *name, const struct mf_key_place *at,
	       struct manifesto_key_result *out, struct mf_err *err)
{
	char *source MF_FREE = NULL;
	const struct mf_key_info *k;
	struct mf_key_place place = *at;
	if (mf_op_check_key_name(name, err) < 0 || absolute(at->source, &source, err) < 0)
		return -1;
	place.source = source;
	if (mf_keystore_add_reference(m->keys, name, &place, &k, err) < 0)
		return -1;
	return report(k, 1, out, err);
}

int manifesto_key_add(struct manifesto *m, const char *name, const char *source, const char *const *arguments,
		      const struct manifesto_key_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_place at = {source, arguments};
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? add(m, name, &at, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_key_in_variable(struct manifesto *m, const char *variable, size_t n)
{
	return mf_keystore_hides(m->keys, (struct mf_str){variable, n});
}

/* ---- files of other programs */

static int import(struct manifesto *m, const char *name, const char *path, struct manifesto_key_result *out,
		  struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = NULL;
	const struct mf_key_info *k;
	struct mf_esc e;
	if (mf_op_check_key_name(name, err) < 0 ||
	    mf_buf_reserve(&text, MF_MAX_KEYFILE_BYTES, err) < 0) /* growing would leave copies behind */
		return -1;
	if (mf_file_read(path, MF_MAX_KEYFILE_BYTES, &text, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	key = mf_key_read(&m->passphrase, name, mf_str_skip_bom(mf_buf_str(&text)), err);
	mf_wipe(text.p, text.cap);
	if (!key)
		return mf_wrap(err, "import '%s'", mf_esc(&e, mf_str_c(path)));
	return mf_keystore_add(m->keys, name, key, &k, err) < 0 ? -1 : report(k, 1, out, err);
}

int manifesto_key_import(struct manifesto *m, const char *name, const char *path,
			 const struct manifesto_key_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? import(m, name, path, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* The file is decoded here and not through the key store, so that its passphrase, which the new file gets
 * too, is asked for once. */
static struct mf_privkey *read_own(struct manifesto *m, const struct mf_key_info *k, struct mf_secret *pass,
				   struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_esc e;
	if (k->source) {
		(void)mf_fail(err, MF_E_KEY, 0, "the private key of '%s' is not here, but at '%s'", k->name,
			      mf_esc(&e, mf_str_c(k->source)));
		return NULL;
	}
	if (mf_buf_reserve(&file, MF_MAX_KEYFILE_BYTES, err) < 0 ||
	    mf_file_read_stored(k->path, MF_MAX_KEYFILE_BYTES, &file, err) < 0 ||
	    (k->encrypted &&
	     m->passphrase.get(m->passphrase.arg, k->name, MF_PASSPHRASE_UNLOCK, pass, err) < 0))
		return NULL;
	struct mf_privkey *key = mf_keyfile_decode(mf_buf_bytes(&file), k->encrypted ? pass : NULL, err);
	mf_wipe(file.p, file.cap);
	return key;
}

/* Appends the private key in one of the formats, under `pass` unless that is NULL. */
typedef int (*write_fn)(const struct mf_key_info *k, const struct mf_privkey *key,
			const struct manifesto_key_export_options *o, const struct mf_secret *pass,
			struct mf_buf *out, struct mf_err *err);

static int write_notary(const struct mf_key_info *k, const struct mf_privkey *key,
			const struct manifesto_key_export_options *o, const struct mf_secret *pass,
			struct mf_buf *out, struct mf_err *err)
{
	(void)k;
	return mf_notary_key_write(out, key, o->role ? o->role : "", o->gun ? o->gun : "", pass, err);
}

static int write_pkcs8(const struct mf_key_info *k, const struct mf_privkey *key,
		       const struct manifesto_key_export_options *o, const struct mf_secret *pass,
		       struct mf_buf *out, struct mf_err *err)
{
	(void)k;
	(void)o;
	return mf_pkcs8_key_write(out, key, pass, err);
}

static int write_own(const struct mf_key_info *k, const struct mf_privkey *key,
		     const struct manifesto_key_export_options *o, const struct mf_secret *pass,
		     struct mf_buf *out, struct mf_err *err)
{
	(void)o;
	return mf_keyfile_encode(out, k->name, key, pass, err);
}

static int export_private(struct manifesto *m, const struct mf_key_info *k,
			  const struct manifesto_key_export_options *o, write_fn write, const char *path,
			  struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = read_own(m, k, &pass, err);
	int rc = !key || mf_buf_reserve(&file, MF_MAX_KEYFILE_BYTES / 2, err) < 0 ||
			 write(k, key, o, k->encrypted ? &pass : NULL, &file, err) < 0 ||
			 (!o->format && mf_dir_make(o->directory, 0700, err) < 0)
		     ? -1
		     : mf_file_create(path, mf_buf_bytes(&file), 0600, err);
	mf_wipe(file.p, file.cap);
	return rc;
}

static int export_notary(struct manifesto *m, const struct mf_key_info *k,
			 const struct manifesto_key_export_options *o,
			 struct manifesto_key_export_result *out, struct mf_err *err)
{
	struct mf_buf object MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	char id[65];
	if (mf_dialect_notary.key_write(k->pub, NULL, &object, id, err) < 0)
		return -1;
	out->key_id = mf_arena_text(mf_result_arena(out), id);
	out->path = mf_arena_format(mf_result_arena(out), "%s/%s.key", o->directory, id);
	if (mf_arena_check(mf_result_arena(out), err) < 0)
		return -1;
	return export_private(m, k, o, write_notary, out->path, err);
}

static int public_openssh(const struct mf_key_info *k, struct mf_buf *out, struct mf_err *err)
{
	return mf_pubkey_to_openssh(k->pub, k->name, out, err);
}

static int public_minisign(const struct mf_key_info *k, struct mf_buf *out, struct mf_err *err)
{
	return mf_pubkey_to_minisign(k->pub, out, err);
}

static int public_pem(const struct mf_key_info *k, struct mf_buf *out, struct mf_err *err)
{
	return mf_pubkey_to_pem(k->pub, out, err);
}

/* The formats besides that of Notary. Each is one of the public key or of the private key. */
static const struct format {
	const char *name;
	int (*public)(const struct mf_key_info *k, struct mf_buf *out, struct mf_err *err);
	write_fn private;
} formats[] = {
    {"pem", public_pem, NULL},    {"openssh", public_openssh, NULL}, {"minisign", public_minisign, NULL},
    {"pkcs8", NULL, write_pkcs8}, {"manifesto", NULL, write_own},
};

static int export_public(const struct mf_key_info *k, const struct format *f, const char *path,
			 struct manifesto_key_export_result *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (f->public(k, &text, err) < 0)
		return -1;
	out->text = mf_arena_text_of(mf_result_arena(out), mf_buf_str(&text));
	return path ? mf_file_create(path, mf_buf_bytes(&text), 0644, err) : 0;
}

static int export_format(struct manifesto *m, const struct mf_key_info *k,
			 const struct manifesto_key_export_options *o,
			 struct manifesto_key_export_result *out, struct mf_err *err)
{
	struct mf_esc e;
	const struct format *f = NULL;
	for (size_t i = 0; i < sizeof formats / sizeof formats[0] && !f; i++)
		if (strcmp(formats[i].name, o->format) == 0)
			f = &formats[i];
	if (!f)
		return mf_fail(err, MF_E_USAGE, 0,
			       "expected format pem, openssh, minisign, pkcs8 or manifesto, got '%s'",
			       mf_esc(&e, mf_str_c(o->format)));
	if (f->private && !o->output)
		return mf_fail(err, MF_E_USAGE, 0, "a private key (format '%s') is only written to a file",
			       f->name);
	out->path = o->output ? mf_arena_text(mf_result_arena(out), o->output) : NULL;
	return f->private ? export_private(m, k, o, f->private, o->output, err)
			  : export_public(k, f, o->output, out, err);
}

static int export(struct manifesto *m, const struct manifesto_key_export_options *o,
		  struct manifesto_key_export_result *out, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_find(m->keys, o->name, err);
	if (!k || (o->format ? export_format(m, k, o, out, err) : export_notary(m, k, o, out, err)) < 0)
		return -1;
	return mf_arena_check(mf_result_arena(out), err);
}

int manifesto_key_export(struct manifesto *m, const struct manifesto_key_export_options *opt,
			 const struct manifesto_key_export_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_key_export_options o;
	struct manifesto_key_export_result *r = NULL;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) == 0)
		r = mf_result_new(sizeof *r, &err);
	int rc = r ? export(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- changes of one's own keys */

static int passwd(struct manifesto *m, const char *name, struct manifesto_key_result *out, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_find(m->keys, name, err);
	return !k || mf_keystore_passwd(m->keys, k, err) < 0 ? -1 : report(k, 1, out, err);
}

int manifesto_key_passwd(struct manifesto *m, const char *name, const struct manifesto_key_result **out,
			 struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? passwd(m, name, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* Refuses a name that is, or looks like, the name of a colleague's key. Fingerprint 0 stands for the key, so
 * that the check compares with all names; similar names of own keys are allowed. */
static int check_not_a_colleagues(struct manifesto *m, const char *name, struct mf_err *err)
{
	struct mf_names names MF_NAMES_CLEANUP = {0};
	const struct mf_digest nobody = {{0}};
	const struct mf_name *rival = NULL;
	struct mf_err why = MF_ERR_INIT;
	if (mf_pin_names(m->opt.home, m->keys, &names, err) < 0)
		return -1;
	if (mf_names_check(&names, name, &nobody, &rival, &why) == 0 || !rival || rival->own)
		return 0;
	return mf_fail(err, MF_E_CONFLICT, 0, "'%s' could be taken for '%s', the name of a colleague's key",
		       name, rival->name);
}

static int rename_key(struct manifesto *m, const char *name, const char *new_name,
		      struct manifesto_key_result *out, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_find(m->keys, name, err);
	if (!k || mf_op_check_key_name(new_name, err) < 0 || check_not_a_colleagues(m, new_name, err) < 0 ||
	    mf_keystore_rename(m->keys, k, new_name, &k, err) < 0)
		return -1;
	return report(k, 1, out, err);
}

int manifesto_key_rename(struct manifesto *m, const char *name, const char *new_name,
			 const struct manifesto_key_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_key_result *r = mf_result_new(sizeof *r, &err);
	int rc = r ? rename_key(m, name, new_name, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

static int remove_key(struct manifesto *m, const struct manifesto_key_remove_options *o,
		      struct manifesto_key_remove_result *out, struct mf_err *err)
{
	struct mf_arena *a = mf_result_arena(out);
	const struct mf_key_info *k = mf_keystore_find(m->keys, o->name, err);
	struct manifesto_key *key = k ? mf_arena_alloc(a, 1, sizeof *key, err) : NULL;
	if (!key || report_key(k, a, key, err) < 0 ||
	    mf_op_key_uses(m, k->pub, a, &out->uses, &out->nuses, err) < 0)
		return -1;
	out->key = key;
	if (mf_arena_check(a, err) < 0)
		return -1;
	return o->dry_run ? 0 : mf_keystore_remove(m->keys, k, err);
}

int manifesto_key_remove(struct manifesto *m, const struct manifesto_key_remove_options *opt,
			 const struct manifesto_key_remove_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_key_remove_options o;
	struct manifesto_key_remove_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	int rc = r ? remove_key(m, &o, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

/* ---- names of colleagues' keys */

static int report_names(struct manifesto *m, struct manifesto_key_names *out, struct mf_err *err)
{
	struct mf_names names MF_NAMES_CLEANUP = {0};
	struct mf_arena *a = mf_result_arena(out);
	if (mf_pin_names(m->opt.home, m->keys, &names, err) < 0)
		return -1;
	struct manifesto_key_name *v = mf_arena_alloc(a, names.n, sizeof *v, err);
	if (!v)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (!names.v[i].own)
			v[out->nnames++] = (struct manifesto_key_name){
			    .name = mf_arena_text(a, names.v[i].name),
			    .fingerprint = mf_report_hex(a, &names.v[i].fingerprint)};
	out->names = mf_arena_list(a, v, out->nnames, sizeof *v);
	return mf_arena_check(a, err);
}

int manifesto_key_names(struct manifesto *m, const struct manifesto_key_names **out,
			struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	mf_op_begin(m, error);
	struct manifesto_key_names *r = mf_result_new(sizeof *r, &err);
	int rc = r ? report_names(m, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_key_name(struct manifesto *m, const char *name, const char *fingerprint,
		       struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_esc e;
	struct mf_digest fp;
	mf_op_begin(m, error);
	int rc =
	    fingerprint && !mf_fingerprint_parse(&fp, fingerprint)
		? mf_fail(&err, MF_E_USAGE, 0, "expected a fingerprint of 64 hexadecimal digits, got '%s'",
			  mf_esc(&e, mf_str_c(fingerprint)))
		: mf_pin_name(m->opt.home, name, fingerprint ? &fp : NULL, m->keys, &m->env, &err);
	return rc < 0 ? mf_op_fail(error, &err) : 0;
}
