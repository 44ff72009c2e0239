/* The recovery kit: a second root key in a directory of its own, with a page to read and a page to print. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "ops/recovery.h"
#include "publish/publish.h"
#include "store/file.h"

/* ---- the directory */

static void dir_cleanup(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int mf_recovery_prepare(const char *dir, struct mf_err *err)
{
	struct mf_esc e;
	if (mf_dir_make(dir, 0700, err) < 0)
		return -1;
	DIR *d MF_CLEANUP(dir_cleanup) = opendir(dir);
	const struct dirent *entry;
	if (!d)
		return mf_fail(err, MF_E_USAGE, errno, "read '%s'", mf_esc(&e, mf_str_c(dir)));
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			(void)mf_fail(err, MF_E_USAGE, 0,
				      "expected an empty directory for the recovery kit: '%s'",
				      mf_esc(&e, mf_str_c(dir)));
			mf_err_set_hint(err, "a kit that is there already belongs to another repository");
			return -1;
		}
	return 0;
}

/* ---- the pages */

enum block { TITLE, HEADING, TEXT, COMMAND, FACT };
struct page {
	struct mf_buf text, html;
	bool facts; /* a table of facts is open in the HTML page */
};

static void page_clear(struct page *p)
{
	mf_buf_clear(&p->text);
	mf_buf_clear(&p->html);
}

/* Escapes the text: the name of a repository must not add markup to the page. */
static int add_html(struct mf_buf *out, const char *text, struct mf_err *err)
{
	for (; *text; text++) {
		const char *safe = *text == '&'    ? "&amp;"
				   : *text == '<'  ? "&lt;"
				   : *text == '>'  ? "&gt;"
				   : *text == '"'  ? "&quot;"
				   : *text == '\'' ? "&#39;"
						   : NULL;
		if ((safe ? mf_buf_addz(out, safe, err) : mf_buf_addc(out, *text, err)) < 0)
			return -1;
	}
	return 0;
}

static int add_block_html(struct page *p, enum block kind, const char *text, struct mf_err *err)
{
	static const char *const open[] = {"<h1>", "<h2>", "<p>", "<pre>", "<tr><th>"}, *const close[] = {
											    "</h1>\n",
											    "</h2>\n",
											    "</p>\n",
											    "</pre>\n",
											    "</td></tr>\n"};
	bool facts = kind == FACT;
	if (facts != p->facts && mf_buf_addz(&p->html, facts ? "<table>\n" : "</table>\n", err) < 0)
		return -1;
	p->facts = facts;
	if (mf_buf_addz(&p->html, open[kind], err) < 0)
		return -1;
	if (facts) {
		char label[16];
		size_t n = strcspn(text, ":");
		(void)snprintf(label, sizeof label, "%.*s", (int)n, text);
		text += n + 1 + strspn(text + n + 1, " ");
		if (add_html(&p->html, label, err) < 0 || mf_buf_addz(&p->html, "</th><td>", err) < 0)
			return -1;
	}
	return add_html(&p->html, text, err) < 0 ? -1 : mf_buf_addz(&p->html, close[kind], err);
}

#define COLUMNS 78

/* Breaks lines between words, so that the text can be read and printed anywhere. */
static int add_wrapped(struct mf_buf *out, const char *text, struct mf_err *err)
{
	for (size_t at = 0; *text;) {
		size_t n = strcspn(text, " ");
		const char *before = at == 0 ? "" : at + 1 + n > COLUMNS ? "\n" : " ";
		at = *before == ' ' ? at + 1 + n : n;
		if (mf_buf_addz(out, before, err) < 0 || mf_buf_add(out, text, n, err) < 0)
			return -1;
		text += n + strspn(text + n, " ");
	}
	return 0;
}

static int add_block_text(struct page *p, enum block kind, const char *text, struct mf_err *err)
{
	static const char *const before[] = {"", "\n", "\n", "\n    ", ""};
	if (mf_buf_addz(&p->text, before[kind], err) < 0 ||
	    (kind == TEXT ? add_wrapped(&p->text, text, err) : mf_buf_addz(&p->text, text, err)) < 0)
		return -1;
	return mf_buf_addc(&p->text, '\n', err);
}

/* Adds one block to both pages. */
static int add(struct page *p, struct mf_err *err, enum block kind, const char *fmt, ...) MF_PRINTF(4, 5);
static int add(struct page *p, struct mf_err *err, enum block kind, const char *fmt, ...)
{
	struct mf_buf line MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	va_list ap;
	va_start(ap, fmt);
	int rc = mf_buf_vprintf(&line, err, fmt, ap);
	va_end(ap);
	return rc < 0 || add_block_text(p, kind, mf_buf_str(&line).p, err) < 0
		   ? -1
		   : add_block_html(p, kind, mf_buf_str(&line).p, err);
}

static int add_facts(struct page *p, const struct mf_recovery *k, struct mf_err *err)
{
	char hex[65], when[MF_TIME_LEN];
	struct mf_esc gun, where;
	mf_pubkey_hex(hex, k->key->pub);
	mf_time_format(when, mf_env_now(&k->im->m->env));
	if (add(p, err, TITLE, "Recovery kit: the second root key") < 0 ||
	    add(p, err, FACT, "Repository:  %s", mf_esc(&gun, mf_str_c(mf_trust_pin_name(k->im->trust)))) <
		0 ||
	    add(p, err, FACT, "Trust data:  %s", mf_esc(&where, mf_str_c(mf_trust_where(k->im->trust)))) <
		0 ||
	    add(p, err, FACT, "Key file:    %s.key (%s, encrypted)", k->key->name,
		mf_key_type_name(k->key->type)) < 0 ||
	    add(p, err, FACT, "Fingerprint: %s", hex) < 0 || add(p, err, FACT, "Made:        %s", when) < 0)
		return -1;
	return add(p, err, FACT, "Root needs:  %d of 2 signatures", k->threshold);
}

static int add_purpose(struct page *p, const struct mf_recovery *k, struct mf_err *err)
{
	const char *const one =
	    "The root keys of a repository decide which keys sign everything else. This is the second of "
	    "two: if "
	    "the first one is lost, or somebody else may have a copy of it, this key puts another one in its "
	    "place. Colleagues and machines then need to do nothing.";
	const char *const two =
	    "The root keys of a repository decide which keys sign everything else. This is the second of "
	    "two, and "
	    "every change of the root needs both. If either of them is lost, the keys of this repository can "
	    "never change again: keep a second copy of each.";
	if (add(p, err, HEADING, "What it is for") < 0 ||
	    add(p, err, TEXT, "%s", k->threshold < 2 ? one : two) < 0)
		return -1;
	return add(
	    p, err, TEXT,
	    "Keep the key file where the first root key is not, and its passphrase apart from it: whoever "
	    "has both can take the repository over. Nothing else needs this key, and no copy of it is on "
	    "the machine that made it.");
}

/* The steps for a root that needs one signature: replace the lost key. */
static int add_replacement(struct page *p, const struct mf_recovery *k, const char *repository,
			   struct mf_err *err)
{
	if (add(p, err, TEXT, "3. Make a new first root key, and find the fingerprint of the lost one:") <
		0 ||
	    add(p, err, COMMAND, "manifesto key generate new-root --type %s",
		mf_key_type_name(k->key->type)) < 0 ||
	    add(p, err, COMMAND, "manifesto trust show %s", repository) < 0 ||
	    add(p, err, TEXT, "4. Put the new key in the place of the lost one (its fingerprint for LOST):") <
		0)
		return -1;
	return add(p, err, COMMAND, "manifesto key revoke LOST %s --key new-root", repository);
}

static int add_change(struct page *p, const char *repository, struct mf_err *err)
{
	if (add(p, err, TEXT, "3. Put the first root key there, too.") < 0 ||
	    add(p, err, TEXT, "4. Make the change, for example give targets another key:") < 0)
		return -1;
	return add(p, err, COMMAND, "manifesto trust rotate %s targets --key NEW", repository);
}

static int add_steps(struct page *p, const struct mf_recovery *k, struct mf_err *err)
{
	const char *name = k->key->name;
	char hex[65];
	struct mf_esc image;
	const char *repository = mf_esc(&image, mf_str_c(mf_trust_pin_name(k->im->trust)));
	mf_pubkey_hex(hex, k->key->pub);
	if (add(p, err, HEADING, "How to use it") < 0 ||
	    add(p, err, TEXT,
		"1. On a machine with manifesto, in this directory, put the key beside the others:") < 0 ||
	    add(p, err, COMMAND,
		"install -D -m 600 %s.key \"${MANIFESTO_HOME:-$HOME/.local/share/manifesto}/keys/%s.key\"",
		name, name) < 0 ||
	    add(p, err, TEXT, "2. If the machine does not know the repository yet, pin this key:") < 0 ||
	    add(p, err, COMMAND, "manifesto trust pin %s %s", repository, hex) < 0 ||
	    (k->threshold < 2 ? add_replacement(p, k, repository, err) : add_change(p, repository, err)) <
		0 ||
	    add(p, err, COMMAND, "manifesto status %s", repository) < 0)
		return -1;
	return add(
	    p, err, TEXT,
	    "5. Take %s.key away from that machine again, and put this kit back: it is still the second "
	    "root key.",
	    name);
}

static int write_file(const struct mf_recovery *k, const char *name, const struct mf_buf *text,
		      struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(k->dir, name, NULL);
	return path ? mf_file_create(path, mf_buf_bytes(text), 0644, err) : mf_fail_nomem(err);
}

/* The HTML page has no script and loads nothing: it is printed, and opened on machines without a network. */
static int write_pages(const struct mf_recovery *k, struct mf_err *err)
{
	struct page p MF_CLEANUP(page_clear) = {.text = MF_BUF_INIT(65536), .html = MF_BUF_INIT(131072)};
	if (mf_buf_addz(
		&p.html,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>Recovery "
		"kit</title>\n<style>\n"
		"body { font: 12pt/1.45 serif; max-width: 40em; margin: 2em auto; padding: 0 1em; }\n"
		"h1 { font-size: 1.6em; } h2 { font-size: 1.2em; }\n"
		"table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top;\n"
		"  padding: .25em .8em .25em 0; border-bottom: 1px solid #bbb; word-break: break-all; }\n"
		"th { white-space: nowrap; } td, pre { font-family: monospace; font-size: .92em; }\n"
		"pre { white-space: pre-wrap; word-wrap: break-word; border-left: 3px solid #bbb; "
		"padding-left: .8em; }\n"
		"@page { margin: 2cm; } @media print { body { margin: 0; max-width: none; } h2, pre { "
		"break-inside: avoid; } }\n"
		"</style>\n</head>\n<body>\n",
		err) < 0 ||
	    add_facts(&p, k, err) < 0 || add_purpose(&p, k, err) < 0 || add_steps(&p, k, err) < 0 ||
	    mf_buf_addz(&p.html, "</body>\n</html>\n", err) < 0)
		return -1;
	return write_file(k, "README.txt", &p.text, err) < 0 ? -1
							     : write_file(k, "recovery.html", &p.html, err);
}

/* ---- the key */

static int ask_passphrase(struct manifesto *m, const char *name, struct mf_secret *out, struct mf_err *err)
{
	if (m->passphrase.get(m->passphrase.arg, name, MF_PASSPHRASE_NEW_KEY, out, err) < 0)
		return -1;
	return out->n ? 0 : mf_fail(err, MF_E_KEY, 0, "no passphrase for the spare key '%s'", name);
}

/* Decrypts the file again: a damaged one must be found now, not when the key is needed. */
static int read_back(const char *path, const struct mf_secret *passphrase, const struct mf_privkey *key,
		     struct mf_err *err)
{
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	if (mf_file_read(path, MF_MAX_KEYFILE_BYTES, &file, err) < 0)
		return -1;
	struct mf_privkey *again MF_PRIVKEY_CLEANUP = mf_keyfile_decode(mf_buf_bytes(&file), passphrase, err);
	if (!again)
		return mf_wrap(err, "read back '%s'", path);
	return mf_pubkey_eq(mf_privkey_public(again), mf_privkey_public(key))
		   ? 0
		   : mf_fail(err, MF_E_IO, 0, "read back '%s': expected the key that was written", path);
}

/* Makes the key. It is always encrypted, and never stored in the home, where it would be lost together with
 * the first key. */
static int make_key(struct mf_recovery *k, struct mf_err *err)
{
	struct manifesto *m = k->im->m;
	enum mf_key_type type = mf_publish_has_server(k->im->trust) ? MF_KEY_ECDSA : MF_KEY_ED25519;
	struct mf_privkey *key MF_PRIVKEY_CLEANUP = mf_privkey_generate(type, err);
	struct mf_buf file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_KEYFILE_BYTES);
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	char hex[65], name[32], base[40];
	if (!key)
		return -1;
	mf_pubkey_hex(hex, mf_privkey_public(key));
	(void)snprintf(name, sizeof name, "recovery-%.8s", hex);
	(void)snprintf(base, sizeof base, "%s.key", name);
	char *path MF_FREE = mf_path_join(k->dir, base, NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (ask_passphrase(m, name, &pass, err) < 0 || mf_keyfile_encode(&file, name, key, &pass, err) < 0 ||
	    mf_file_create(path, mf_buf_bytes(&file), 0600, err) < 0 || read_back(path, &pass, key, err) < 0)
		return -1;
	struct mf_privkey *taken = key;
	key = NULL;
	return mf_keystore_lend(m->keys, name, path, taken, &k->key, err);
}

int mf_recovery_make(void *arg, const struct mf_key_info **out, struct mf_err *err)
{
	struct mf_recovery *k = arg;
	if (!k->key && (make_key(k, err) < 0 || write_pages(k, err) < 0))
		return mf_wrap(err, "recovery kit");
	*out = k->key;
	return 0;
}
