#include "keys/command.h"

#include "base/child.h"
#include "base/encode.h"
#include "base/limits.h"
#include "json/json.h"
#include "json/writer.h"

/* Room for the largest file that is signed, in base64, and for the rest of the request. */
#define MAX_QUESTION (MF_MAX_TARGETS_BYTES / 3 * 4 + 65536)

/* ---- answers */

static const char *error_of(const json_t *answer)
{
	return json_string_value(json_object_get(answer, "error"));
}

/* Reads the one member that was requested. The document must have no other member. */
static int read_answer(struct mf_bytes answer, const char *member, struct mf_buf *out, struct mf_err *err)
{
	json_t *o MF_JSON_CLEANUP = mf_json_load(answer, MF_MAX_COMMAND_ANSWER, err);
	const char *text = NULL;
	struct mf_esc e;
	if (!o)
		return mf_wrap(err, "its answer");
	if (error_of(o))
		return mf_fail(err, MF_E_KEY, 0, "%s", mf_esc(&e, mf_str_c(error_of(o))));
	if (mf_json_get_str(o, member, MF_JSON_REQUIRED, &text, err) < 0)
		return mf_wrap(err, "its answer");
	if (json_object_size(o) != 1)
		return mf_fail(err, MF_E_KEY, 0, "expected an answer with the member '%s' alone", member);
	return mf_buf_addz(out, text, err);
}

static int of_program(struct mf_err *err)
{
	return mf_err_is_ours(err) || err->code == MF_E_CANCELLED ? -1 : mf_recode(err, MF_E_KEY);
}

struct mf_pubkey *mf_command_read_key(struct mf_bytes answer, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER);
	struct mf_pubkey *k = read_answer(answer, "publicKey", &text, err) < 0
				  ? NULL
				  : mf_pubkey_from_text(mf_buf_str(&text), err);
	if (!k)
		(void)of_program(err);
	return k;
}

int mf_command_read_signature(struct mf_bytes answer, const struct mf_pubkey *k, enum mf_sig_scheme scheme,
			      struct mf_buf *sig, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER),
			   octets MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER);
	if (read_answer(answer, "signature", &text, err) < 0 ||
	    mf_b64_decode(&octets, mf_buf_str(&text), err) < 0 ||
	    mf_sig_from_der(k, scheme, mf_buf_bytes(&octets), sig, err) < 0)
		return of_program(err);
	return 0;
}

/* ---- questions */

static const char *scheme_name(enum mf_sig_scheme scheme)
{
	switch (scheme) {
	case MF_SIG_ED25519:
		return "ed25519";
	case MF_SIG_ECDSA_RAW_SHA256:
	case MF_SIG_ECDSA_DER_SHA256:
		return "ecdsa-sha256";
	case MF_SIG_ECDSA_DER_SHA384:
		return "ecdsa-sha384";
	case MF_SIG_RSA_PSS_SHA256:
	case MF_SIG_RSA_PSS_SHA256_ANY_SALT:
		return "rsa-pss-sha256";
	case MF_SIG_RSA_PKCS1_SHA256:
		return "rsa-pkcs1-sha256";
	}
	return "";
}

static void put_head(struct mf_json_out *j, const char *operation, const char *name)
{
	mf_json_add_object(j, NULL);
	mf_json_add_int(j, "version", 1);
	mf_json_add_text(j, "operation", operation);
	mf_json_add_text(j, "name", name);
}

struct command {
	const struct mf_env *env;
	char *name;
	const char **argv; /* the array and each string in it are owned */
	struct mf_pubkey *pub;
};

static int put_question(const struct command *c, enum mf_sig_scheme scheme, struct mf_bytes msg,
			struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf pem MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER),
			  message MF_BUF_CLEANUP = MF_BUF_INIT(MAX_QUESTION);
	struct mf_json_out j;
	if (mf_pubkey_to_pem(c->pub, &pem, err) < 0 || mf_b64_encode(&message, msg, err) < 0)
		return -1;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	put_head(&j, "sign", c->name);
	mf_json_add_text(&j, "keyType", mf_key_type_name(mf_pubkey_type(c->pub)));
	mf_json_add_str(&j, "publicKey", mf_buf_str(&pem));
	mf_json_add_text(&j, "scheme", scheme_name(scheme));
	mf_json_add_str(&j, "message", mf_buf_str(&message));
	mf_json_close(&j);
	return mf_json_finish(&j);
}

/* ---- running it */

static int absent(const struct command *c, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_KEY, 0, "there is no such program, or it cannot be run");
	mf_err_set_hint(
	    err, "install it, or put it into PATH; 'manifesto key show %s' shows the whole command", c->name);
	return -1;
}

/* The program's reason is in its answer or on standard error. */
static int failed(const struct mf_child *run, struct mf_bytes answer, struct mf_err *err)
{
	struct mf_err unused = MF_ERR_INIT;
	struct mf_esc e;
	json_t *o MF_JSON_CLEANUP = mf_json_load(answer, MF_MAX_COMMAND_ANSWER, &unused);
	struct mf_str words =
	    error_of(o) ? mf_str_c(error_of(o)) : (struct mf_str){run->errors, run->errors_n};
	return mf_fail(err, MF_E_KEY, 0, "it ended with status %d%s%s", run->status, words.n ? ": " : "",
		       words.n ? mf_esc(&e, words) : "");
}

static int run(const struct command *c, struct mf_bytes question, struct mf_buf *answer, struct mf_err *err)
{
	struct mf_child child = {
	    .argv = c->argv, .input = question, .timeout_ms = mf_env_left_ms(c->env), .env = c->env};
	enum mf_found ran = mf_child_run(&child, answer, err);
	if (ran == MF_ABSENT)
		return absent(c, err);
	if (ran == MF_FAILED)
		return of_program(err);
	return child.status ? failed(&child, mf_buf_bytes(answer), err) : 0;
}

static int of_key(const struct command *c, struct mf_err *err)
{
	struct mf_esc e;
	return mf_wrap(err, "the command '%s'", mf_esc(&e, mf_str_c(c->argv[0])));
}

static int sign(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		struct mf_err *err)
{
	const struct command *c = arg;
	struct mf_buf question MF_BUF_CLEANUP = MF_BUF_INIT(MAX_QUESTION),
			       answer MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER);
	if (put_question(c, scheme, msg, &question, err) < 0 ||
	    run(c, mf_buf_bytes(&question), &answer, err) < 0 ||
	    mf_command_read_signature(mf_buf_bytes(&answer), c->pub, scheme, sig, err) < 0)
		return of_key(c, err);
	return 0;
}

static int ask_key(struct command *c, struct mf_err *err)
{
	struct mf_buf question MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			       answer MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_COMMAND_ANSWER);
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, &question, err);
	put_head(&j, "public-key", c->name);
	mf_json_close(&j);
	if (mf_json_finish(&j) < 0)
		return -1;
	if (run(c, mf_buf_bytes(&question), &answer, err) < 0)
		return of_key(c, err);
	c->pub = mf_command_read_key(mf_buf_bytes(&answer), err);
	return c->pub ? 0 : of_key(c, err);
}

/* ---- the key */

static void close_command(void *arg)
{
	struct command *c = arg;
	for (size_t i = 0; c->argv && c->argv[i]; i++)
		free((char *)(uintptr_t)c->argv[i]);
	free(c->argv);
	free(c->name);
	mf_pubkey_unref(c->pub);
	free(c);
}

int mf_command_check(const char *where, struct mf_err *err)
{
	if (*where)
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "expected 'command:' and a program, got 'command:'");
}

static struct command *command_of(const struct mf_env *env, const struct mf_key_info *k)
{
	struct command *c = mf_calloc(1, sizeof *c);
	size_t n = 0;
	while (k->args && k->args[n])
		n++;
	if (!c)
		return NULL;
	c->env = env;
	c->name = mf_str_dup(mf_str_c(k->name));
	c->argv = mf_calloc(n + 2, sizeof *c->argv);
	bool ok = c->name && c->argv;
	for (size_t i = 0; ok && i <= n; i++) {
		c->argv[i] = mf_str_dup(mf_str_c(i ? k->args[i - 1] : mf_source_where(k->source)));
		ok = c->argv[i] != NULL;
	}
	if (ok)
		return c;
	close_command(c);
	return NULL;
}

int mf_command_open_key(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
			struct mf_err *err)
{
	struct command *c = command_of(p->env, k);
	if (!c)
		return mf_fail_nomem(err);
	if (k->pub)
		c->pub = mf_pubkey_ref(k->pub);
	else if (ask_key(c, err) < 0) {
		close_command(c);
		return -1;
	}
	*out = (struct mf_held){mf_pubkey_ref(c->pub), sign, close_command, c};
	return 0;
}
