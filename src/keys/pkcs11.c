/* Keys on tokens: PKCS #11 through p11-kit, which is loaded when the first such key is used. URIs follow
 * RFC 7512. A run logs in to each token at most once, and does not retry after the token has refused the
 * PIN: tokens lock themselves after a few wrong PINs. */
#include "keys/pkcs11.h"

#include <stdio.h>

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "base/library.h"
#include "base/limits.h"
#include "crypto/hash.h"

#define LIBRARY "libp11-kit.so.0"
#define MAX_SLOTS 256
#define MAX_POINT 256
#define MAX_SIGNATURE 1024

/* The functions of p11-kit that are used. */
struct p11 {
	__typeof__(p11_kit_be_quiet) *be_quiet;
	__typeof__(p11_kit_strerror) *strerror;
	__typeof__(p11_kit_modules_load_and_initialize) *load_all;
	__typeof__(p11_kit_modules_finalize_and_release) *release_all;
	__typeof__(p11_kit_module_load) *load;
	__typeof__(p11_kit_module_initialize) *initialize;
	__typeof__(p11_kit_module_finalize) *finalize;
	__typeof__(p11_kit_module_release) *release;
	__typeof__(p11_kit_uri_new) *uri_new;
	__typeof__(p11_kit_uri_free) *uri_free;
	__typeof__(p11_kit_uri_parse) *uri_parse;
	__typeof__(p11_kit_uri_message) *uri_message;
	__typeof__(p11_kit_uri_any_unrecognized) *uri_any_unrecognized;
	__typeof__(p11_kit_uri_get_module_path) *uri_module_path;
	__typeof__(p11_kit_uri_get_attributes) *uri_attributes;
	__typeof__(p11_kit_uri_match_module_info) *match_module;
	__typeof__(p11_kit_uri_match_slot_info) *match_slot;
	__typeof__(p11_kit_uri_match_token_info) *match_token;
};

struct module {
	struct module *next;
	char *path;
	CK_FUNCTION_LIST *f;
};

struct token {
	struct token *next;
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	char label[33];
	enum { LOGGED_OUT, LOGGED_IN, REFUSED } login;
	struct mf_secret pin; /* kept for keys that require the PIN at each use */
};

struct mf_tokens {
	struct p11 p11;
	CK_FUNCTION_LIST **registered; /* p11-kit's list, ends with NULL */
	struct module *modules;        /* modules that a URI's module-path names */
	struct token *list;
};

/* ---- the library */

static const struct mf_library_function functions[] = {
    {"p11_kit_be_quiet", offsetof(struct p11, be_quiet)},
    {"p11_kit_strerror", offsetof(struct p11, strerror)},
    {"p11_kit_modules_load_and_initialize", offsetof(struct p11, load_all)},
    {"p11_kit_modules_finalize_and_release", offsetof(struct p11, release_all)},
    {"p11_kit_module_load", offsetof(struct p11, load)},
    {"p11_kit_module_initialize", offsetof(struct p11, initialize)},
    {"p11_kit_module_finalize", offsetof(struct p11, finalize)},
    {"p11_kit_module_release", offsetof(struct p11, release)},
    {"p11_kit_uri_new", offsetof(struct p11, uri_new)},
    {"p11_kit_uri_free", offsetof(struct p11, uri_free)},
    {"p11_kit_uri_parse", offsetof(struct p11, uri_parse)},
    {"p11_kit_uri_message", offsetof(struct p11, uri_message)},
    {"p11_kit_uri_any_unrecognized", offsetof(struct p11, uri_any_unrecognized)},
    {"p11_kit_uri_get_module_path", offsetof(struct p11, uri_module_path)},
    {"p11_kit_uri_get_attributes", offsetof(struct p11, uri_attributes)},
    {"p11_kit_uri_match_module_info", offsetof(struct p11, match_module)},
    {"p11_kit_uri_match_slot_info", offsetof(struct p11, match_slot)},
    {"p11_kit_uri_match_token_info", offsetof(struct p11, match_token)},
};

/* The library is never unloaded: modules of tokens run code of their own when the process ends. */
static int load_library(struct p11 *out, struct mf_err *err)
{
	if (mf_library_load(LIBRARY, functions, sizeof functions / sizeof *functions, out)) {
		out->be_quiet();
		return 0;
	}
	(void)mf_fail(err, MF_E_KEY, 0,
		      "keys on tokens need the library " LIBRARY ", which is not installed");
	mf_err_set_hint(err, "install p11-kit, in Debian the package libp11-kit0");
	return -1;
}

static struct mf_tokens *tokens_of(struct mf_places *p, struct mf_err *err)
{
	struct p11 p11 = {0};
	if (p->tokens)
		return p->tokens;
	if (load_library(&p11, err) < 0)
		return NULL;
	p->tokens = mf_calloc(1, sizeof *p->tokens);
	if (p->tokens)
		p->tokens->p11 = p11;
	else
		(void)mf_fail_nomem(err);
	return p->tokens;
}

void mf_tokens_free(struct mf_tokens *t)
{
	if (!t)
		return;
	while (t->list) {
		struct token *token = t->list;
		t->list = token->next;
		(void)token->f->C_CloseSession(token->session); /* closing the last session logs out */
		mf_secret_clear(&token->pin);
		free(token);
	}
	while (t->modules) {
		struct module *m = t->modules;
		t->modules = m->next;
		(void)t->p11.finalize(m->f);
		t->p11.release(m->f);
		free(m->path);
		free(m);
	}
	if (t->registered)
		t->p11.release_all(t->registered);
	free(t);
}

/* ---- failures */

static int gone(struct mf_err *err, const char *label)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_KEY, 0, "the token '%s' was removed", mf_esc(&e, mf_str_c(label)));
	mf_err_set_hint(err, "put it back; 'p11-kit list-modules' shows the tokens that are there");
	return -1;
}

/* Reports the return value of a token's function, in p11-kit's words. */
static int of_token(struct mf_tokens *t, const struct token *token, CK_RV rv, const char *what,
		    struct mf_err *err)
{
	struct mf_esc e, why;
	if (rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_SESSION_HANDLE_INVALID)
		return gone(err, token->label);
	if (rv == CKR_HOST_MEMORY)
		return mf_fail_nomem(err);
	return mf_fail(err, MF_E_KEY, 0, "%s on the token '%s': %s (0x%lx)", what,
		       mf_esc(&e, mf_str_c(token->label)), mf_esc(&why, mf_str_c(t->p11.strerror(rv))), rv);
}

/* ---- modules and tokens */

static CK_FUNCTION_LIST *module_at(struct mf_tokens *t, const char *path, struct mf_err *err)
{
	struct mf_esc e;
	for (struct module *m = t->modules; m; m = m->next)
		if (strcmp(m->path, path) == 0)
			return m->f;
	struct module *m = mf_calloc(1, sizeof *m);
	char *copy MF_FREE = mf_str_dup(mf_str_c(path));
	if (!m || !copy) {
		free(m);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	m->f = t->p11.load(path, 0);
	if (!m->f || t->p11.initialize(m->f) != CKR_OK) {
		if (m->f)
			t->p11.release(m->f);
		free(m);
		(void)mf_fail(err, MF_E_KEY, 0, "load the PKCS #11 module '%s'", mf_esc(&e, mf_str_c(path)));
		mf_err_set_hint(err,
				"the URI's module-path names the shared library that comes with the token");
		return NULL;
	}
	m->path = copy;
	copy = NULL;
	m->next = t->modules;
	t->modules = m;
	return m->f;
}

struct search {
	struct mf_tokens *t;
	P11KitUri *uri;
	CK_FUNCTION_LIST *f; /* the module of the token that was found */
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	char label[33];
	size_t found;
};

/* Texts of PKCS #11 are padded with blanks. */
static void read_label(char out[33], const CK_TOKEN_INFO *info)
{
	size_t n = sizeof info->label;
	while (n && (info->label[n - 1] == ' ' || !info->label[n - 1]))
		n--;
	memcpy(out, info->label, n);
	out[n] = 0;
}

static void search_slot(struct search *s, CK_FUNCTION_LIST *f, CK_SLOT_ID slot)
{
	CK_SLOT_INFO slot_info;
	CK_TOKEN_INFO info;
	if (f->C_GetSlotInfo(slot, &slot_info) != CKR_OK || f->C_GetTokenInfo(slot, &info) != CKR_OK ||
	    !(info.flags & CKF_TOKEN_INITIALIZED) || !s->t->p11.match_slot(s->uri, &slot_info) ||
	    !s->t->p11.match_token(s->uri, &info))
		return;
	s->f = f;
	s->slot = slot;
	s->info = info;
	read_label(s->label, &info);
	s->found++;
}

static void search_module(struct search *s, CK_FUNCTION_LIST *f)
{
	CK_SLOT_ID slots[MAX_SLOTS];
	CK_ULONG n = MAX_SLOTS;
	CK_INFO info;
	if (f->C_GetInfo(&info) != CKR_OK || !s->t->p11.match_module(s->uri, &info) ||
	    f->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
		return;
	for (CK_ULONG i = 0; i < n; i++)
		search_slot(s, f, slots[i]);
}

static int search_all(struct search *s, struct mf_err *err)
{
	const char *path = s->t->p11.uri_module_path(s->uri);
	if (path) {
		CK_FUNCTION_LIST *f = module_at(s->t, path, err);
		if (!f)
			return -1;
		search_module(s, f);
		return 0;
	}
	if (!s->t->registered)
		s->t->registered = s->t->p11.load_all(0);
	for (CK_FUNCTION_LIST **f = s->t->registered; f && *f; f++)
		search_module(s, *f);
	return 0;
}

static int open_session(struct search *s, struct token **out, struct mf_err *err)
{
	struct token *token = mf_calloc(1, sizeof *token);
	if (!token)
		return mf_fail_nomem(err);
	*token = (struct token){.f = s->f, .slot = s->slot, .next = s->t->list};
	memcpy(token->label, s->label, sizeof token->label);
	CK_RV rv = s->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION, NULL, NULL, &token->session);
	if (rv != CKR_OK) {
		(void)of_token(s->t, token, rv, "open a session", err);
		free(token);
		return -1;
	}
	*out = s->t->list = token;
	return 0;
}

/* Finds the one token that matches the URI, and opens a session with it, which stays open for the run. */
static int find_token(struct mf_tokens *t, P11KitUri *uri, struct token **out, struct mf_err *err)
{
	struct search s = {.t = t, .uri = uri};
	if (search_all(&s, err) < 0)
		return -1;
	if (!s.found) {
		(void)mf_fail(err, MF_E_KEY, 0, "no token is there that fits the URI");
		mf_err_set_hint(err,
				"insert the token; 'p11-kit list-modules' shows the tokens that are there");
		return -1;
	}
	if (s.found > 1) {
		(void)mf_fail(err, MF_E_KEY, 0, "%zu tokens fit the URI", s.found);
		mf_err_set_hint(err, "say which one with 'token=' or 'serial='");
		return -1;
	}
	for (struct token *token = t->list; token; token = token->next) {
		if (token->f == s.f && token->slot == s.slot) {
			*out = token;
			return 0;
		}
	}
	return open_session(&s, out, err);
}

/* ---- the PIN */

static int locked(struct mf_err *err, const struct token *token)
{
	struct mf_esc e;
	(void)mf_fail(err, MF_E_KEY, 0, "the token '%s' has locked its PIN",
		      mf_esc(&e, mf_str_c(token->label)));
	mf_err_set_hint(err, "whoever manages the token unlocks it with the PIN of its security officer");
	return -1;
}

static int pin_refused(struct mf_places *p, struct token *token, CK_RV rv, struct mf_err *err)
{
	struct mf_esc e;
	const char *label = mf_esc(&e, mf_str_c(token->label));
	if (rv == CKR_PIN_LOCKED)
		return locked(err, token);
	if (rv == CKR_PIN_EXPIRED)
		return mf_fail(err, MF_E_KEY, 0, "the PIN of the token '%s' has expired", label);
	if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_INVALID && rv != CKR_PIN_LEN_RANGE)
		return of_token(p->tokens, token, rv, "log in", err);
	(void)mf_fail(err, MF_E_KEY, 0, "the token '%s' refuses the PIN", label);
	mf_err_set_hint(err, "it was tried once; a token locks itself after a few wrong PINs");
	return -1;
}

static void warn_of_tries(const struct mf_places *p, const struct token *token, const CK_TOKEN_INFO *info)
{
	struct mf_esc e;
	const char *label = mf_esc(&e, mf_str_c(token->label));
	if (info->flags & CKF_USER_PIN_FINAL_TRY)
		mf_env_log(p->env, MF_LOG_WARNING, "the token '%s' locks itself after one more wrong PIN",
			   label);
	else if (info->flags & CKF_USER_PIN_COUNT_LOW)
		mf_env_log(p->env, MF_LOG_WARNING,
			   "a wrong PIN was given to the token '%s' before; few tries are left", label);
}

static int log_in_with(struct mf_places *p, struct token *token, CK_USER_TYPE user, struct mf_err *err)
{
	CK_RV rv = token->f->C_Login(token->session, user, token->pin.p, token->pin.n);
	if (rv == CKR_OK || (rv == CKR_USER_ALREADY_LOGGED_IN && user == CKU_USER))
		return 0;
	token->login = REFUSED;
	return pin_refused(p, token, rv, err);
}

/* Logs in to a token, once per run. A token with its own keypad reads the PIN itself. */
static int log_in(struct mf_places *p, struct token *token, const char *key_name, struct mf_err *err)
{
	CK_TOKEN_INFO info;
	if (token->login == LOGGED_IN)
		return 0;
	if (token->login == REFUSED)
		return mf_fail(err, MF_E_KEY, 0, "an earlier attempt to log into the token failed");
	CK_RV rv = token->f->C_GetTokenInfo(token->slot, &info);
	if (rv != CKR_OK)
		return of_token(p->tokens, token, rv, "look", err);
	if (info.flags & CKF_USER_PIN_LOCKED)
		return locked(err, token);
	if (info.flags & CKF_LOGIN_REQUIRED) {
		warn_of_tries(p, token, &info);
		if (!(info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) &&
		    p->pass->get(p->pass->arg, key_name, MF_PASSPHRASE_UNLOCK, &token->pin, err) < 0)
			return mf_wrap(err, "the PIN of the token");
		if (log_in_with(p, token, CKU_USER, err) < 0)
			return -1;
	}
	token->login = LOGGED_IN;
	return 0;
}

/* ---- objects */

struct token_key {
	struct mf_places *places;
	char *name;
	P11KitUri *uri;
	struct token *token;
	struct mf_pubkey *pub;
	CK_OBJECT_HANDLE object; /* of the private key */
	bool found, asks_always;
};

#define MAX_TEMPLATE 16

/* Converts the URI to a search template. The URI's own class is ignored: `class` takes its place. */
static CK_ULONG template_of(struct token_key *k, CK_OBJECT_CLASS *class, CK_ATTRIBUTE out[MAX_TEMPLATE])
{
	CK_ULONG n = 0, kept = 1;
	CK_ATTRIBUTE *given = k->places->tokens->p11.uri_attributes(k->uri, &n);
	out[0] = (CK_ATTRIBUTE){CKA_CLASS, class, sizeof *class};
	for (CK_ULONG i = 0; i < n && kept < MAX_TEMPLATE; i++)
		if (given[i].type != CKA_CLASS)
			out[kept++] = given[i];
	return kept;
}

/* Finds the objects of a class that match the URI. *count is 2 when there are two or more. */
static int find_objects(struct token_key *k, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out, CK_ULONG *count,
			struct mf_err *err)
{
	CK_ATTRIBUTE template[MAX_TEMPLATE];
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = template_of(k, &class, template);
	CK_FUNCTION_LIST *f = k->token->f;
	CK_RV rv = f->C_FindObjectsInit(k->token->session, template, n);
	if (rv == CKR_OK) {
		rv = f->C_FindObjects(k->token->session, found, 2, count);
		(void)f->C_FindObjectsFinal(k->token->session);
	}
	if (rv != CKR_OK)
		return of_token(k->places->tokens, k->token, rv, "look for the key", err);
	*out = *count ? found[0] : CK_INVALID_HANDLE;
	return 0;
}

static int no_single(const struct token_key *k, CK_ULONG count, const char *what, struct mf_err *err)
{
	struct mf_esc e;
	const char *label = mf_esc(&e, mf_str_c(k->token->label));
	if (count) {
		(void)mf_fail(err, MF_E_KEY, 0, "several %s keys on the token '%s' fit the URI", what, label);
		mf_err_set_hint(err, "say which one with 'id=' or 'object='");
	} else {
		(void)mf_fail(err, MF_E_KEY, 0, "no %s key on the token '%s' fits the URI", what, label);
		mf_err_set_hint(err, "'pkcs11-tool --list-objects --login' shows what is on a token");
	}
	return -1;
}

static int find_private(struct token_key *k, struct mf_err *err)
{
	CK_ULONG count = 0;
	CK_BBOOL always = CK_FALSE;
	CK_ATTRIBUTE ask = {CKA_ALWAYS_AUTHENTICATE, &always, sizeof always};
	if (k->found)
		return 0;
	if (log_in(k->places, k->token, k->name, err) < 0 ||
	    find_objects(k, CKO_PRIVATE_KEY, &k->object, &count, err) < 0)
		return -1;
	if (count != 1)
		return no_single(k, count, "private", err);
	/* A token that does not know the attribute does not require the PIN at each use. */
	k->asks_always =
	    k->token->f->C_GetAttributeValue(k->token->session, k->object, &ask, 1) == CKR_OK && always;
	k->found = true;
	return 0;
}

int mf_pkcs11_unwrap_point(struct mf_bytes *point, struct mf_err *err)
{
	const uint8_t *p = point->p;
	/* PKCS #11 2.40 wraps the point in an OCTET STRING; older tokens return the bare point. */
	if (point->n > 2 && p[0] == 4 && p[1] == point->n - 2)
		*point = (struct mf_bytes){p + 2, point->n - 2};
	else if (point->n > 3 && p[0] == 4 && p[1] == 0x81 && p[2] == point->n - 3)
		*point = (struct mf_bytes){p + 3, point->n - 3};
	if (point->n >= 32)
		return 0;
	return mf_fail(err, MF_E_KEY, 0, "the public key on the token is malformed");
}

static struct mf_pubkey *read_public(struct token_key *k, CK_OBJECT_HANDLE object, struct mf_err *err)
{
	CK_KEY_TYPE type = 0;
	uint8_t params[64], octets[MAX_POINT];
	CK_ATTRIBUTE what[] = {{CKA_KEY_TYPE, &type, sizeof type},
			       {CKA_EC_PARAMS, params, sizeof params},
			       {CKA_EC_POINT, octets, sizeof octets}};
	CK_FUNCTION_LIST *f = k->token->f;
	CK_RV rv = f->C_GetAttributeValue(k->token->session, object, what, 1);
	if (rv == CKR_OK && type != CKK_EC && type != CKK_EC_EDWARDS) {
		(void)mf_fail(err, MF_E_KEY, 0,
			      "expected an ed25519 or ECDSA key on the token, got one of type 0x%lx", type);
		return NULL;
	}
	if (rv == CKR_OK)
		rv = f->C_GetAttributeValue(k->token->session, object, what + 1, 2);
	if (rv != CKR_OK) {
		(void)of_token(k->places->tokens, k->token, rv, "read the public key", err);
		return NULL;
	}
	struct mf_bytes point = {octets, what[2].ulValueLen}, curve = {params, what[1].ulValueLen};
	if (mf_pkcs11_unwrap_point(&point, err) < 0)
		return NULL;
	struct mf_pubkey *pub =
	    type == CKK_EC ? mf_pubkey_from_point(curve, point, err) : mf_pubkey_from_ed25519(point, err);
	if (!pub && !mf_err_is_ours(err))
		(void)mf_recode(err, MF_E_KEY);
	return pub;
}

/* Most tokens show public keys without a login. Only if this token shows none, log in and search again. */
static int find_public(struct token_key *k, struct mf_err *err)
{
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
	CK_ULONG count = 0;
	if (find_objects(k, CKO_PUBLIC_KEY, &object, &count, err) < 0 ||
	    (!count &&
	     (find_private(k, err) < 0 || find_objects(k, CKO_PUBLIC_KEY, &object, &count, err) < 0)))
		return -1;
	if (count != 1)
		return no_single(k, count, "public", err);
	k->pub = read_public(k, object, err);
	return k->pub ? 0 : -1;
}

/* ---- signing */

static int sign_on_token(struct token_key *k, CK_MECHANISM_TYPE mechanism, struct mf_bytes msg, uint8_t *sig,
			 CK_ULONG *n, struct mf_err *err)
{
	struct token *token = k->token;
	CK_MECHANISM how = {mechanism, NULL, 0};
	CK_RV rv = token->f->C_SignInit(token->session, &how, k->object);
	if (rv == CKR_MECHANISM_INVALID)
		return mf_fail(err, MF_E_KEY, 0, "the token cannot sign with %s",
			       mechanism == CKM_ECDSA ? "ECDSA" : "ed25519");
	if (rv == CKR_OK && k->asks_always && log_in_with(k->places, token, CKU_CONTEXT_SPECIFIC, err) < 0)
		return -1;
	if (rv == CKR_OK)
		rv = token->f->C_Sign(token->session, (CK_BYTE *)(uintptr_t)msg.p, msg.n, sig, n);
	return rv == CKR_OK ? 0 : of_token(k->places->tokens, token, rv, "sign", err);
}

static int sign(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		struct mf_err *err)
{
	struct token_key *k = arg;
	struct mf_digest digest;
	uint8_t raw[MAX_SIGNATURE];
	CK_ULONG n = sizeof raw;
	if (scheme == MF_SIG_ECDSA_DER_SHA384)
		return mf_fail(err, MF_E_KEY, 0, "signing with SHA-384 on a token is not supported");
	if (find_private(k, err) < 0)
		return -1;
	if (scheme == MF_SIG_ED25519)
		return sign_on_token(k, CKM_EDDSA, msg, raw, &n, err) < 0 ? -1 : mf_buf_add(sig, raw, n, err);
	/* The token signs the hash, and returns r||s. */
	if (mf_sha256(msg, &digest, err) < 0 ||
	    sign_on_token(k, CKM_ECDSA, (struct mf_bytes){digest.b, sizeof digest.b}, raw, &n, err) < 0)
		return -1;
	if (mf_sig_from_raw(k->pub, scheme, (struct mf_bytes){raw, n}, sig, err) == 0)
		return 0;
	return mf_err_is_ours(err) ? -1 : mf_recode(err, MF_E_KEY);
}

/* ---- the key */

static void close_key(void *arg)
{
	struct token_key *k = arg;
	if (k->uri)
		k->places->tokens->p11.uri_free(k->uri);
	mf_pubkey_unref(k->pub);
	free(k->name);
	free(k);
}

/* Attribute names are never percent-encoded (RFC 7512 section 2.3), so a comparison of text is enough. */
static bool has_attribute(const char *uri, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = uri; p; p = strpbrk(p, ";?&")) {
		p += p != uri;
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return true;
	}
	return false;
}

int mf_pkcs11_check(const char *where, struct mf_err *err)
{
	struct mf_esc e;
	if (has_attribute(where, "pin-value") || has_attribute(where, "pin-source")) {
		(void)mf_fail(err, MF_E_USAGE, 0, "the URI of a key must not say where its PIN is");
		mf_err_set_hint(err,
				"leave out pin-value and pin-source: the PIN is asked for, or comes from "
				"--passphrase-file and the other sources of passphrases");
		return -1;
	}
	for (const char *p = where; *p; p++)
		if (*p <= ' ' || *p > '~')
			return mf_fail(err, MF_E_USAGE, 0, "malformed URI 'pkcs11:%s'",
				       mf_esc(&e, mf_str_c(where)));
	if (*where && strlen(where) <= MF_MAX_REFERENCE)
		return 0;
	return mf_fail(err, MF_E_USAGE, 0, "expected 'pkcs11:' and attributes of a key, got %zu bytes",
		       strlen(where));
}

static int parse_uri(struct mf_tokens *t, const char *text, P11KitUri **out, struct mf_err *err)
{
	struct mf_esc e;
	*out = t->p11.uri_new();
	if (!*out)
		return mf_fail_nomem(err);
	int rc = t->p11.uri_parse(text, P11_KIT_URI_FOR_ANY, *out);
	if (rc != P11_KIT_URI_OK)
		return mf_fail(err, MF_E_USAGE, 0, "malformed URI '%s': %s", mf_esc(&e, mf_str_c(text)),
			       t->p11.uri_message(rc));
	/* A URI with such an attribute would match no token. */
	if (t->p11.uri_any_unrecognized(*out))
		return mf_fail(err, MF_E_USAGE, 0, "the URI '%s' has an attribute that is not known",
			       mf_esc(&e, mf_str_c(text)));
	return 0;
}

static int set_up(struct token_key *k, const struct mf_key_info *info, struct mf_err *err)
{
	k->name = mf_str_dup(mf_str_c(info->name));
	if (!k->name)
		return mf_fail_nomem(err);
	if (parse_uri(k->places->tokens, info->source, &k->uri, err) < 0 ||
	    find_token(k->places->tokens, k->uri, &k->token, err) < 0)
		return -1;
	if (!info->pub)
		return find_public(k, err);
	k->pub = mf_pubkey_ref(info->pub);
	return 0;
}

int mf_pkcs11_open_key(struct mf_places *p, const struct mf_key_info *info, struct mf_held *out,
		       struct mf_err *err)
{
	if (!tokens_of(p, err))
		return -1;
	struct token_key *k = mf_calloc(1, sizeof *k);
	if (!k)
		return mf_fail_nomem(err);
	k->places = p;
	if (set_up(k, info, err) < 0) {
		close_key(k);
		return -1;
	}
	*out = (struct mf_held){mf_pubkey_ref(k->pub), sign, close_key, k};
	return 0;
}
