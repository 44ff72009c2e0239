#include "keys/source.h"

#include "base/encode.h"
#include "base/limits.h"
#include "json/json.h"
#include "json/writer.h"
#include "keys/formats.h"

#define MAGIC "key reference"
#define MAX_ARGS 64

void mf_held_clear(struct mf_held *h)
{
	if (h->close)
		h->close(h->arg);
	mf_pubkey_unref(h->pub);
	*h = (struct mf_held){.pub = NULL};
}

static void free_privkey(void *key)
{
	mf_privkey_free(key);
}

void mf_held_of(struct mf_held *out, struct mf_privkey *key)
{
	const struct mf_signer s = mf_privkey_signer(key, "");
	*out = (struct mf_held){mf_pubkey_ref(s.pub), s.sign, free_privkey, key};
}

void mf_places_close(struct mf_places *p)
{
	mf_agent_free(p->agent);
	mf_tokens_free(p->tokens);
	p->agent = NULL;
	p->tokens = NULL;
}

/* ---- the text of a private key: env, fd */

static int check_variable(const char *where, struct mf_err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	struct mf_esc e;
	if (*where && strchr(letters, *where) && strlen(where) <= 128 &&
	    strspn(where, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == strlen(where))
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "expected 'env:' and the name of a variable, got 'env:%s'",
		       mf_esc(&e, mf_str_c(where)));
}

static int check_descriptor(const char *where, struct mf_err *err)
{
	struct mf_esc e;
	if (*where && strlen(where) <= 5 && strspn(where, "0123456789") == strlen(where))
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "expected 'fd:' and the number of a descriptor, got 'fd:%s'",
		       mf_esc(&e, mf_str_c(where)));
}

struct mf_privkey *mf_key_read(const struct mf_passphrase *p, const char *name, struct mf_str text,
			       struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key = mf_key_from_text(text, NULL, err);
	if (key || err->code != MF_E_KEY)
		return key;
	mf_err_clear(err);
	if (p->get(p->arg, name, MF_PASSPHRASE_UNLOCK, &pass, err) < 0)
		return NULL;
	return mf_key_from_text(text, &pass, err);
}

static int open_text(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
		     struct mf_err *err)
{
	struct mf_secret text MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_esc e;
	const char *source = mf_esc(&e, mf_str_c(k->source));
	if (!p->access.text)
		return mf_fail(err, MF_E_KEY, 0, "this program does not read keys from '%s'", source);
	if (p->access.text(p->access.text_arg, k->source, &text, err) < 0)
		return -1;
	struct mf_privkey *key =
	    mf_key_read(p->pass, k->name, mf_str_skip_bom(mf_str_of(mf_secret_bytes(&text))), err);
	if (!key) {
		/* MF_E_FORMAT would mean an invalid document of a repository; here the key is wrong. */
		if (err->code == MF_E_FORMAT)
			(void)mf_recode(err, MF_E_KEY);
		return mf_wrap(err, "read from '%s'", source);
	}
	mf_held_of(out, key);
	return 0;
}

/* ---- the table */

static const struct mf_source sources[] = {
    {"ssh-agent:", mf_agent_check, mf_agent_open_key},
    {"pkcs11:", mf_pkcs11_check, mf_pkcs11_open_key},
    {"command:", mf_command_check, mf_command_open_key},
    {"env:", check_variable, open_text},
    {"fd:", check_descriptor, open_text},
};

static const struct mf_source *source_of(const char *source)
{
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (mf_str_starts(mf_str_c(source), mf_str_c(sources[i].scheme)))
			return &sources[i];
	return NULL;
}

const char *mf_source_where(const char *source)
{
	return strchr(source, ':') + 1;
}

const struct mf_source *mf_source_find(const char *source, struct mf_err *err)
{
	struct mf_esc e;
	const struct mf_source *s = source_of(source);
	if (!s) {
		(void)mf_fail(err, MF_E_USAGE, 0,
			      "expected ssh-agent:FINGERPRINT, pkcs11:..., command:PROGRAM, env:VARIABLE or "
			      "fd:NUMBER, "
			      "got '%s'",
			      mf_esc(&e, mf_str_c(source)));
		mf_err_set_hint(err,
				"a file with a private key is stored with 'manifesto key import NAME FILE'");
		return NULL;
	}
	return s->check(mf_source_where(source), err) < 0 ? NULL : s;
}

/* ---- references as bytes */

int mf_reference_encode(struct mf_buf *out, const struct mf_key_info *k, struct mf_err *err)
{
	struct mf_buf spki MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_json_out j;
	char hex[65];
	size_t n = 0;
	while (k->args && k->args[n])
		n++;
	mf_pubkey_hex(hex, k->pub);
	if (mf_b64_encode(&spki, mf_pubkey_spki(k->pub), err) < 0)
		return -1;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "manifesto", MAGIC);
	mf_json_add_int(&j, "v", 1);
	mf_json_add_text(&j, "name", k->name);
	mf_json_add_text(&j, "type", mf_key_type_name(k->type));
	mf_json_add_str(&j, "public", mf_buf_str(&spki));
	mf_json_add_text(&j, "fingerprint", hex);
	mf_json_add_text(&j, "source", k->source);
	if (n)
		mf_json_add_texts(&j, "arguments", (const char *const *)k->args, n);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0)
		return -1;
	return mf_buf_addc(out, '\n', err);
}

/* Decides by the first member alone, with the strict reader: a key file contains a secret, which must not
 * get into a tree of jansson. */
bool mf_reference_is(struct mf_bytes file)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name, value;
	struct mf_err err = MF_ERR_INIT;
	mf_json_reader_init(&r, file);
	return mf_json_object(&r, &err) == 0 && mf_json_object_next(&r, &name, &err) == MF_FOUND &&
	       mf_json_string_eq(name, "manifesto") && mf_json_string(&r, &value, &err) == 0 &&
	       mf_json_string_eq(value, MAGIC);
}

static int read_args(const json_t *o, char ***out, struct mf_err *err)
{
	json_t *list = NULL, *value;
	size_t i;
	if (mf_json_get_arr(o, "arguments", MF_JSON_OPTIONAL, &list, err) < 0)
		return -1;
	if (!list)
		return 0;
	if (json_array_size(list) > MAX_ARGS)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d arguments", MAX_ARGS);
	char **args = mf_calloc(json_array_size(list) + 1, sizeof *args);
	if (!args)
		return mf_fail_nomem(err);
	*out = args;
	json_array_foreach(list, i, value)
	{
		if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
			return mf_fail(err, MF_E_FORMAT, 0, "an argument is no text");
		args[i] = mf_str_dup(mf_str_c(json_string_value(value)));
		if (!args[i])
			return mf_fail_nomem(err);
	}
	return 0;
}

static int read_public(const json_t *o, struct mf_key_info *k, struct mf_err *err)
{
	struct mf_buf spki MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	const char *type, *pub, *fingerprint;
	char hex[65];
	if (mf_json_get_str(o, "type", MF_JSON_REQUIRED, &type, err) < 0 ||
	    mf_json_get_str(o, "public", MF_JSON_REQUIRED, &pub, err) < 0 ||
	    mf_json_get_str(o, "fingerprint", MF_JSON_REQUIRED, &fingerprint, err) < 0 ||
	    mf_b64_decode(&spki, mf_str_c(pub), err) < 0)
		return -1;
	k->pub = mf_pubkey_from_spki(mf_buf_bytes(&spki), err);
	if (!k->pub)
		return -1;
	mf_pubkey_hex(hex, k->pub);
	k->type = mf_pubkey_type(k->pub);
	if (strcmp(type, mf_key_type_name(k->type)) == 0 && strcmp(fingerprint, hex) == 0)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "type, public key and fingerprint do not fit each other");
}

static int read_reference(const json_t *o, struct mf_key_info *k, struct mf_err *err)
{
	const char *name, *source;
	int64_t v;
	if (mf_json_get_int(o, "v", MF_JSON_REQUIRED, 1, INT32_MAX, &v, err) < 0)
		return -1;
	if (v > 1)
		return mf_fail(err, MF_E_FORMAT, 0, "made by a newer version of manifesto");
	if (mf_json_get_str(o, "name", MF_JSON_REQUIRED, &name, err) < 0 ||
	    mf_json_get_str(o, "source", MF_JSON_REQUIRED, &source, err) < 0 || read_public(o, k, err) < 0 ||
	    read_args(o, &k->args, err) < 0)
		return -1;
	if (!mf_key_name_valid(name))
		return mf_fail(err, MF_E_FORMAT, 0, "malformed name");
	if (!mf_source_find(source, err))
		return mf_err_is_ours(err) ? -1 : mf_recode(err, MF_E_FORMAT);
	k->name = mf_str_dup(mf_str_c(name));
	k->source = mf_str_dup(mf_str_c(source));
	return k->name && k->source ? 0 : mf_fail_nomem(err);
}

int mf_reference_info(struct mf_key_info *out, struct mf_bytes file, struct mf_err *err)
{
	struct mf_key_info k MF_KEY_INFO_CLEANUP = MF_KEY_INFO_INIT;
	json_t *o MF_JSON_CLEANUP = mf_json_load(file, MF_MAX_KEYFILE_BYTES, err);
	if (!o || read_reference(o, &k, err) < 0)
		return mf_wrap(err, "key reference");
	*out = k;
	k = (struct mf_key_info)MF_KEY_INFO_INIT;
	return 0;
}
