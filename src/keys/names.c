#include "keys/names.h"

#include <stdio.h>

#define DIGITS_MIN 8 /* fewer digits never stand for a fingerprint */

void mf_names_clear(struct mf_names *names)
{
	free(names->v);
	*names = (struct mf_names){0};
}

/* Reduces a name to what readers notice: without case and separators, and with one form for shapes that
 * look nearly the same. Single characters are replaced first, so that "c1" becomes "cl", which then
 * becomes "d". */
static void reduce(char out[MF_NAME_LABEL], const char *name)
{
	static const char from[] = "015i8", to[] = "olslb";
	static const struct {
		const char *pair;
		char one;
	} alike[] = {{"rn", 'm'}, {"vv", 'w'}, {"cl", 'd'}};
	char simple[MF_NAME_LABEL] = "";
	size_t n = 0;
	for (size_t i = 0; name[i] && i + 1 < sizeof simple; i++) {
		char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
		const char *at = strchr(from, c);
		simple[i] = at ? to[at - from] : c;
	}
	for (const char *p = simple; *p; p++) {
		size_t k = 0, count = sizeof alike / sizeof alike[0];
		while (k < count && strncmp(p, alike[k].pair, 2) != 0)
			k++;
		if (k < count)
			out[n++] = alike[k].one;
		else if (!strchr("._-", *p))
			out[n++] = *p;
		p += k < count;
	}
	out[n] = 0;
}

static bool like_digits(const char *name)
{
	size_t digits = 0;
	for (; *name; name++) {
		if (!strchr("0123456789abcdefABCDEF._-", *name))
			return false;
		digits += strchr("._-", *name) == NULL;
	}
	return digits >= DIGITS_MIN;
}

/* Finds an entry of another key whose name looks like this one; NULL: none. */
static const struct mf_name *find_rival(const struct mf_names *names, const char *name,
					const struct mf_digest *fingerprint)
{
	char reduced[MF_NAME_LABEL];
	reduce(reduced, name);
	for (size_t i = 0; i < names->n; i++) {
		const struct mf_name *other = &names->v[i];
		bool same = !other->own && mf_digest_eq(&other->fingerprint, fingerprint);
		if (!same && strcmp(other->reduced, reduced) == 0)
			return other;
	}
	return NULL;
}

/* Refuses a name that no key may have. */
static int check_form(const char *name, struct mf_err *err)
{
	struct mf_esc e;
	if (!mf_key_name_valid(name))
		return mf_fail(err, MF_E_USAGE, 0,
			       "invalid name '%s': expected at most 64 letters, digits, '.', '_' and '-', a "
			       "letter or digit first",
			       mf_esc(&e, mf_str_c(name)));
	if (like_digits(name))
		return mf_fail(err, MF_E_USAGE, 0, "invalid name '%s': it could be read as a fingerprint",
			       name);
	return 0;
}

int mf_names_check(const struct mf_names *names, const char *name, const struct mf_digest *fingerprint,
		   const struct mf_name **rival, struct mf_err *err)
{
	if (check_form(name, err) < 0)
		return -1;
	const struct mf_key_info *ours = names->store ? mf_keystore_find_fp(names->store, fingerprint) : NULL;
	if (ours)
		return mf_fail(err, MF_E_USAGE, 0, "the key is on this machine, and is called '%s'",
			       ours->name);
	const struct mf_name *other = find_rival(names, name, fingerprint);
	if (!other)
		return 0;
	if (rival)
		*rival = other;
	return mf_fail(err, MF_E_CONFLICT, 0, "'%s' could be taken for '%s', %s", name, other->name,
		       other->own ? "a key on this machine" : "the name of another key");
}

static int add(struct mf_names *out, const char *name, struct mf_name entry, struct mf_err *err)
{
	if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof *out->v, err) < 0)
		return -1;
	struct mf_name *n = &out->v[out->n++];
	*n = entry;
	(void)snprintf(n->name, sizeof n->name, "%s", name);
	reduce(n->reduced, n->name);
	return 0;
}

static int add_own(void *arg, const char *name, struct mf_err *err)
{
	return add(arg, name, (struct mf_name){.own = true}, err);
}

/* Drops invalid names of colleagues, and names that look like another key's: of two that look alike,
 * neither is shown. */
static void drop_rivals(struct mf_names *names, const struct mf_names *all)
{
	size_t kept = 0;
	for (size_t i = 0; i < names->n; i++) {
		const struct mf_name *n = &names->v[i];
		struct mf_err ignored = MF_ERR_INIT;
		if (n->own ||
		    (check_form(n->name, &ignored) == 0 && !find_rival(all, n->name, &n->fingerprint)))
			names->v[kept++] = *n;
	}
	names->n = kept;
}

int mf_names_load(struct mf_names *out, const json_t *names, struct mf_keystore *own, struct mf_err *err)
{
	struct mf_names all MF_NAMES_CLEANUP = {0};
	struct mf_names result MF_NAMES_CLEANUP = {0};
	json_t *object = (json_t *)(uintptr_t)names,
	       *value; /* iterating needs a non-const tree, but does not change it */
	const char *name;
	if (json_object_size(names) > MF_MAX_NAMES)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d names", MF_MAX_NAMES);
	if (mf_keystore_names(own, add_own, &all, err) < 0 ||
	    mf_keystore_names(own, add_own, &result, err) < 0)
		return -1;
	json_object_foreach(object, name, value)
	{
		struct mf_digest fp;
		if (!mf_key_name_valid(name) || !json_is_string(value) ||
		    !mf_fingerprint_parse(&fp, json_string_value(value)))
			continue;
		if (add(&all, name, (struct mf_name){.fingerprint = fp}, err) < 0 ||
		    add(&result, name, (struct mf_name){.fingerprint = fp}, err) < 0)
			return -1;
	}
	drop_rivals(&result, &all);
	*out = result;
	out->store = own;
	result = (struct mf_names){0};
	return 0;
}

const char *mf_names_of(const struct mf_names *names, const struct mf_digest *fingerprint)
{
	for (size_t i = 0; names && i < names->n; i++)
		if (!names->v[i].own && mf_digest_eq(&names->v[i].fingerprint, fingerprint))
			return names->v[i].name;
	return NULL;
}

const char *mf_names_label(const struct mf_names *names, const struct mf_pubkey *key, char out[MF_NAME_LABEL])
{
	char hex[65];
	struct mf_digest fp = mf_pubkey_fingerprint(key);
	const char *name = mf_names_of(names, &fp);
	const struct mf_key_info *ours =
	    !name && names && names->store ? mf_keystore_find_fp(names->store, &fp) : NULL;
	if (ours)
		name = ours->name;
	mf_digest_hex(hex, &fp);
	(void)snprintf(out, MF_NAME_LABEL, "%.*s", name ? MF_NAME_LABEL - 1 : 16, name ? name : hex);
	return out;
}

const struct mf_digest *mf_names_find(const struct mf_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (!names->v[i].own && strcmp(names->v[i].name, name) == 0)
			return &names->v[i].fingerprint;
	return NULL;
}
