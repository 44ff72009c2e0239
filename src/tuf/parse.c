/* Parses metadata files in one pass of the strict reader. Some members of the signed part are read in roles.c
 * and listed.c. */
#include "tuf/tuf.h"

#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/x509.h"
#include "tuf/index.h"
#include "tuf/internal.h"

enum member {
	M_TYPE = 1,
	M_VERSION = 2,
	M_EXPIRES = 4,
	M_KEYS = 8,
	M_ROLES = 16,
	M_META = 32,
	M_TARGETS = 64,
	M_DELEGATIONS = 128,
	M_SPEC = 256,
	M_CONSISTENT = 512,
	M_OF_ROLE = 1024,
	M_COPY_OF = 2048,
};

static const unsigned required[MF_TUF_TYPES] = {
    [MF_TUF_ROOT] = M_TYPE | M_VERSION | M_EXPIRES | M_KEYS | M_ROLES,
    [MF_TUF_TIMESTAMP] = M_TYPE | M_VERSION | M_EXPIRES | M_META,
    [MF_TUF_SNAPSHOT] = M_TYPE | M_VERSION | M_EXPIRES | M_META,
    [MF_TUF_TARGETS] = M_TYPE | M_VERSION | M_EXPIRES | M_TARGETS,
};

static const size_t max_bytes[MF_TUF_TYPES] = {
    [MF_TUF_ROOT] = MF_MAX_ROOT_BYTES,
    [MF_TUF_TIMESTAMP] = MF_MAX_TIMESTAMP_BYTES,
    [MF_TUF_SNAPSHOT] = MF_MAX_SNAPSHOT_BYTES,
    [MF_TUF_TARGETS] = MF_MAX_TARGETS_BYTES, /* must fit the 32 bits of sizes in struct mf_tuf_target */
};

void mf_tuf_file_free(struct mf_tuf_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nkeys; i++) {
		mf_pubkey_unref(f->keys[i].pub);
		mf_root_certs_unref(f->keys[i].certs);
	}
	free(f->keys);
	free(f->targets);
	free(f->parts);
	mf_index_free(f->index);
	mf_buf_clear(&f->rest);
	free(f->meta);
	free(f->signatures);
	mf_buf_clear(&f->bytes);
	mf_buf_clear(&f->canonical_buf);
	mf_arena_clear(&f->arena);
	free(f);
}

void mf_tuf_reader_init(struct mf_json_reader *r, const struct mf_dialect *d, struct mf_str text)
{
	mf_json_reader_init(r, mf_bytes_of(text));
	r->any_size = d->any_size;
}

/* The decoded text of a string: a slice of the document, or a copy in the arena. */
int mf_tuf_decoded(struct mf_tuf_parser *p, struct mf_json_string s, struct mf_str *out, struct mf_err *err)
{
	if (!s.escaped) {
		*out = s.raw;
		return 0;
	}
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(s.raw.n + 4);
	if (mf_json_string_decode(s, &b, err) < 0)
		return -1;
	char *z = mf_arena_dup(&p->f->arena, mf_buf_str(&b), err);
	*out = (struct mf_str){z, b.n};
	return z ? 0 : -1;
}

int mf_tuf_read_text(struct mf_tuf_parser *p, struct mf_str *out, struct mf_err *err)
{
	struct mf_json_string s;
	return mf_json_string(p->r, &s, err) < 0 ? -1 : mf_tuf_decoded(p, s, out, err);
}

/* ---- the signed part and the envelope */

static int read_type(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str text;
	const char *want = p->d->type_names[p->f->type];
	if (mf_tuf_read_text(p, &text, err) < 0)
		return -1;
	if (!mf_str_eqz(text, want))
		return mf_fail(err, MF_E_FORMAT, 0, "expected _type '%s', got '%s'", want, mf_esc(&e, text));
	return 0;
}

static int read_spec_version(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str text;
	if (mf_tuf_read_text(p, &text, err) < 0)
		return -1;
	if (!mf_str_starts(text, MF_STR("1.")))
		return mf_fail(err, MF_E_FORMAT, 0, "unsupported spec_version '%s'", mf_esc(&e, text));
	return 0;
}

static int read_expires(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_str text;
	return mf_tuf_read_text(p, &text, err) < 0 ? -1 : mf_time_parse(text, &p->f->expires, err);
}

static int read_version(struct mf_tuf_parser *p, struct mf_err *err)
{
	return mf_json_int(p->r, 1, MF_MAX_VERSION, &p->f->version, err);
}

static int read_consistent(struct mf_tuf_parser *p, struct mf_err *err)
{
	return mf_json_bool(p->r, &p->f->consistent_snapshot, err);
}

static int read_copy_of(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	size_t from = mf_json_offset(p->r);
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0)
		if ((mf_json_string_eq(name, "repository") ? mf_tuf_read_text(p, &f->copied_gun, err)
							   : mf_json_skip(p->r, NULL, err)) < 0)
			return -1;
	if (more < 0)
		return -1;
	f->copy_of = (struct mf_str){f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	return f->copied_gun.n ? 0 : mf_fail(err, MF_E_FORMAT, 0, "it names no repository");
}

static int read_of_role(struct mf_tuf_parser *p, struct mf_err *err)
{
	if (mf_tuf_read_text(p, &p->f->of_role, err) < 0)
		return -1;
	return p->f->of_role.n ? 0 : mf_fail(err, MF_E_FORMAT, 0, "an empty role name");
}

static int read_roles_raw(struct mf_tuf_parser *p, struct mf_err *err)
{
	return mf_json_skip(p->r, &p->roles_raw, err);
}

static int read_member(struct mf_tuf_parser *p, struct mf_json_string name, struct mf_err *err)
{
	static const struct {
		const char *name;
		enum member bit;
		unsigned types; /* bits of enum mf_tuf_type; in other types the member is ignored */
		int (*read)(struct mf_tuf_parser *p, struct mf_err *err);
	} rows[] = {
	    {"_type", M_TYPE, 15, read_type},
	    {"spec_version", M_SPEC, 15, read_spec_version},
	    {"version", M_VERSION, 15, read_version},
	    {"expires", M_EXPIRES, 15, read_expires},
	    {"consistent_snapshot", M_CONSISTENT, 1 << MF_TUF_ROOT, read_consistent},
	    {"keys", M_KEYS, 1 << MF_TUF_ROOT, mf_tuf_read_keys},
	    {"roles", M_ROLES, 1 << MF_TUF_ROOT, read_roles_raw},
	    {"meta", M_META, 1 << MF_TUF_SNAPSHOT | 1 << MF_TUF_TIMESTAMP, mf_tuf_read_meta},
	    {"targets", M_TARGETS, 1 << MF_TUF_TARGETS, mf_tuf_read_targets},
	    {"delegations", M_DELEGATIONS, 1 << MF_TUF_TARGETS, mf_tuf_read_delegations},
	    {MF_TUF_OF_ROLE, M_OF_ROLE, 1 << MF_TUF_TARGETS, read_of_role},
	    {MF_TUF_COPY_OF, M_COPY_OF, 1 << MF_TUF_TIMESTAMP, read_copy_of},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rows[i].types >> p->f->type & 1) && mf_json_string_eq(name, rows[i].name)) {
			/* If the members are not sorted, the reader finds a duplicate only at the end of the
			 * object. By then the second value would have replaced the first. */
			if (p->seen & rows[i].bit)
				return mf_fail(err, MF_E_FORMAT, 0, "a member occurs twice");
			p->seen |= rows[i].bit;
			return rows[i].read(p, err);
		}
	return mf_json_skip(p->r, NULL, err);
}

static int read_signed(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	int more;
	size_t from = mf_json_offset(p->r);
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0)
		if (read_member(p, name, err) < 0) {
			struct mf_esc e;
			return mf_wrap(err, "'%s'", mf_esc(&e, name.raw));
		}
	if (more < 0)
		return -1;
	if ((p->seen & required[f->type]) != required[f->type] || (p->d->spec_version && !(p->seen & M_SPEC)))
		return mf_fail(err, MF_E_FORMAT, 0, "a required member of the signed part is missing");
	if (f->type == MF_TUF_ROOT && mf_tuf_read_root_roles(p, err) < 0)
		return -1;
	if (mf_tuf_check_meta(p->d, f, err) < 0)
		return -1;
	f->canonical = (struct mf_str){f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	f->was_canonical = mf_json_canonical_since(p->r, from);
	if (f->was_canonical)
		return 0;
	/* The canonical form is never longer than another JSON spelling of the same value, with two
	 * exceptions: U+FFFD, and numbers like 1e15. */
	mf_buf_init(&f->canonical_buf, f->canonical.n * 2 + 64);
	if ((p->d->any_size ? mf_json_canonicalize_any : mf_json_canonicalize)(f->canonical,
									       &f->canonical_buf, err) < 0)
		return -1;
	f->canonical = mf_buf_str(&f->canonical_buf);
	return 0;
}

/* In a tolerant dialect, a signature that cannot be decoded is empty, and verifies nothing. */
static int decode_signature(struct mf_tuf_parser *p, struct mf_str text, struct mf_bytes *out,
			    struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(text.n + 4);
	if (p->d->signature(text, &b, &why) < 0) {
		if (!p->d->tolerant)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (mf_err_pass_ours(err, &why) < 0)
			return -1;
		mf_buf_reset(&b);
	}
	char *copy = mf_arena_dup(&p->f->arena, mf_buf_str(&b), err);
	*out = (struct mf_bytes){(const uint8_t *)copy, b.n};
	return copy ? 0 : -1;
}

static int read_signature(struct mf_tuf_parser *p, struct mf_tuf_signature *out, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_str sig = {0};
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "keyid"))
			rc = mf_tuf_read_text(p, &out->keyid, err);
		else if (mf_json_string_eq(name, "sig"))
			rc = mf_tuf_read_text(p, &sig, err);
		else if (mf_json_string_eq(name, "method"))
			rc = mf_tuf_read_text(p, &out->method, err);
		else
			rc = mf_json_skip(p->r, NULL, err);
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (!out->keyid.p || !sig.p)
		return mf_fail(err, MF_E_FORMAT, 0, "a signature has no keyid or no sig");
	return decode_signature(p, sig, &out->sig, err);
}

/* Reads one signature of the list. MF_ABSENT: it cannot be read, and the dialect is tolerant; it verifies
 * nothing. */
static enum mf_found next_signature(struct mf_tuf_parser *p, struct mf_tuf_signature *out, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_tuf_parser sub = {.d = p->d, .f = p->f, .r = &r};
	struct mf_err why = MF_ERR_INIT;
	struct mf_str raw;
	if (mf_json_skip(p->r, &raw, err) < 0)
		return MF_FAILED;
	mf_tuf_reader_init(&r, p->d, raw);
	if (read_signature(&sub, out, &why) == 0)
		return MF_FOUND;
	if (p->d->tolerant)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	*err = why;
	return MF_FAILED;
}

static int read_signatures(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	size_t cap = 0;
	int more;
	if (mf_json_array(p->r, err) < 0)
		return -1;
	while ((more = mf_json_array_next(p->r, err)) > 0) {
		if (f->nsignatures == MF_MAX_SIGNATURES)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d signatures", MF_MAX_SIGNATURES);
		if (mf_grow((void **)&f->signatures, &cap, f->nsignatures, sizeof *f->signatures, err) < 0)
			return -1;
		f->signatures[f->nsignatures] = (struct mf_tuf_signature){0};
		enum mf_found found = next_signature(p, &f->signatures[f->nsignatures], err);
		if (found == MF_FAILED)
			return mf_wrap(err, "signature %zu", f->nsignatures + 1);
		if (found == MF_ABSENT)
			continue;
		for (size_t i = 0; p->d->unique && i < f->nsignatures; i++)
			if (mf_str_eq(f->signatures[i].keyid, f->signatures[f->nsignatures].keyid))
				return mf_fail(err, MF_E_FORMAT, 0, "signatures %zu and %zu share a key ID",
					       i + 1, f->nsignatures + 1);
		f->nsignatures++;
	}
	return more;
}

static int read_envelope(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_json_string name;
	bool is_signed = false, signatures = false;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "signed")) {
			is_signed = true;
			rc = read_signed(p, err);
		} else if (mf_json_string_eq(name, "signatures")) {
			signatures = true;
			rc = read_signatures(p, err);
		} else {
			rc = mf_json_skip(p->r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0 || mf_json_end(p->r, err) < 0)
		return -1;
	if (!is_signed || !signatures)
		return mf_fail(err, MF_E_FORMAT, 0, "no '%s'", is_signed ? "signatures" : "signed");
	return 0;
}

struct mf_tuf_file *mf_tuf_parse_unverified(const struct mf_dialect *d, enum mf_tuf_type type,
					    struct mf_buf *bytes, struct mf_err *err)
{
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = calloc(1, sizeof *f);
	if (!f) {
		mf_buf_clear(bytes);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	f->type = type;
	f->bytes = *bytes;
	*bytes = (struct mf_buf){.max = bytes->max};
	if (f->bytes.n > max_bytes[type]) {
		(void)mf_fail(err, MF_E_FORMAT, 0, "%s has more than %zu bytes", d->type_names[type],
			      max_bytes[type]);
		return NULL;
	}
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_tuf_reader_init(&r, d, mf_buf_str(&f->bytes));
	struct mf_tuf_parser p = {.d = d, .f = f, .r = &r};
	if (read_envelope(&p, err) < 0) {
		(void)mf_wrap(err, "%s", d->type_names[type]);
		return NULL;
	}
	struct mf_tuf_file *out = f;
	f = NULL;
	return out;
}
