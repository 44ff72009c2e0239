#include "tuf/build.h"

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "tuf/internal.h"

int mf_tuf_put_hash(const struct mf_dialect *d, struct mf_bytes hash, struct mf_buf *out, struct mf_err *err)
{
	char hex[129];
	if (mf_buf_addc(out, '"', err) < 0)
		return -1;
	if (d->hex) {
		mf_hex_encode(hex, hash.p, hash.n);
		if (mf_buf_addz(out, hex, err) < 0)
			return -1;
	} else if (mf_b64_encode(out, hash, err) < 0) {
		return -1;
	}
	return mf_buf_addc(out, '"', err);
}

int mf_tuf_edit_cmp(const void *a, const void *b)
{
	const struct mf_tuf_edit *x = a, *y = b;
	return mf_str_cmp(x->name, y->name);
}

static int put_expires(int64_t expires, struct mf_buf *out, struct mf_err *err)
{
	char text[MF_TIME_LEN];
	mf_time_format(text, expires);
	return mf_buf_printf(out, err, "\"expires\":\"%s\"", text);
}

static int put_spec(const struct mf_dialect *d, struct mf_buf *out, struct mf_err *err)
{
	return d->spec_version ? mf_buf_addz(out, "\"spec_version\":\"1.0.33\",", err) : 0;
}

/* ---- targets */

/* Appends a slice of the old file in canonical form: unchanged if the whole signed part was canonical. */
static int put_slice(const struct mf_tuf_file *f, struct mf_str raw, struct mf_buf *out, struct mf_err *err)
{
	return f->was_canonical ? mf_buf_add_str(out, raw, err) : mf_json_canonicalize_any(raw, out, err);
}

static int put_old_target(const struct mf_tuf_file *f, size_t i, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string name = mf_tuf_target_name(f, i);
	struct mf_str quoted = {name.raw.p - 1, name.raw.n + 2};
	if (put_slice(f, quoted, out, err) < 0 || mf_buf_addc(out, ':', err) < 0)
		return -1;
	return put_slice(f, mf_tuf_target_value(f, i), out, err);
}

static int comma(bool *first, struct mf_buf *out, struct mf_err *err)
{
	if (*first) {
		*first = false;
		return 0;
	}
	return mf_buf_addc(out, ',', err);
}

/* Appends the old entries `from` to `to` - 1, in one piece if their bytes are canonical as they stand. */
static int put_old_range(const struct mf_tuf_file *f, size_t from, size_t to, bool *first, struct mf_buf *out,
			 struct mf_err *err)
{
	if (from < to && f->was_canonical) {
		const char *quote = mf_tuf_target_name(f, from).raw.p - 1;
		struct mf_str last = mf_tuf_target_value(f, to - 1);
		struct mf_str piece = {quote, (size_t)(last.p + last.n - quote)};
		return comma(first, out, err) < 0 ? -1 : mf_buf_add_str(out, piece, err);
	}
	for (size_t i = from; i < to; i++)
		if (comma(first, out, err) < 0 || put_old_target(f, i, out, err) < 0)
			return -1;
	return 0;
}

/* Index of the first entry of the old file whose name is not less than `name`. */
static size_t lower_bound(const struct mf_tuf_file *f, struct mf_str name, bool *equal, struct mf_err *err)
{
	struct mf_buf quoted MF_BUF_CLEANUP = MF_BUF_INIT(name.n * 2 + 8);
	size_t lo = 0, hi = mf_tuf_ntargets(f);
	*equal = false;
	if (mf_json_quote(name, &quoted, err) < 0)
		return SIZE_MAX;
	struct mf_json_string want = {{quoted.p + 1, quoted.n - 2}, quoted.n - 2 != name.n};
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = mf_json_string_cmp(mf_tuf_target_name(f, mid), want);
		*equal |= c == 0;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int put_targets(const struct mf_tuf_targets_spec *spec, struct mf_buf *out, struct mf_err *err)
{
	static const struct mf_tuf_file none = {.was_canonical = true};
	const struct mf_tuf_file *old = spec->old ? spec->old : &none;
	bool first = true;
	size_t at = 0;
	for (size_t i = 0; i < spec->nedits; i++) {
		const struct mf_tuf_edit *e = &spec->edits[i];
		bool equal;
		size_t to = lower_bound(old, e->name, &equal, err);
		if (to == SIZE_MAX || put_old_range(old, at, to, &first, out, err) < 0)
			return -1;
		at = to + (equal ? 1 : 0);
		if (e->entry.n == 0)
			continue;
		if (comma(&first, out, err) < 0 || mf_json_quote(e->name, out, err) < 0 ||
		    mf_buf_addc(out, ':', err) < 0 || mf_buf_add_str(out, e->entry, err) < 0)
			return -1;
	}
	return put_old_range(old, at, mf_tuf_ntargets(old), &first, out, err);
}

int mf_tuf_build_targets(const struct mf_dialect *d, const struct mf_tuf_targets_spec *spec,
			 struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_reserve(out, (spec->old ? spec->old->canonical.n : 0) + 1024, err) < 0 ||
	    mf_buf_printf(out, err, "{\"_type\":\"%s\",\"delegations\":", d->type_names[MF_TUF_TARGETS]) < 0)
		return -1;
	int rc;
	if (spec->delegations)
		rc = mf_buf_add_str(out, *spec->delegations, err);
	else if (spec->old && spec->old->delegations_raw.n)
		rc = put_slice(spec->old, spec->old->delegations_raw, out, err);
	else
		rc = mf_buf_addz(out, "{\"keys\":{},\"roles\":[]}", err);
	if (rc < 0 || mf_buf_addc(out, ',', err) < 0 || put_expires(spec->expires, out, err) < 0 ||
	    mf_buf_addc(out, ',', err) < 0 || put_spec(d, out, err) < 0 ||
	    mf_buf_addz(out, "\"targets\":{", err) < 0 || put_targets(spec, out, err) < 0)
		return -1;
	if (mf_buf_printf(out, err, "},\"version\":%lld", (long long)spec->version) < 0 ||
	    (spec->role && d->says_role &&
	     (mf_buf_addz(out, ",\"" MF_TUF_OF_ROLE "\":", err) < 0 ||
	      mf_json_quote(mf_str_c(spec->role), out, err) < 0)))
		return -1;
	return mf_buf_addc(out, '}', err);
}

/* ---- snapshot, timestamp */

static int put_meta_name(const struct mf_dialect *d, struct mf_str role, struct mf_buf *out,
			 struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	if (mf_buf_add_str(&name, role, err) < 0 ||
	    (d->meta_has_suffix && mf_buf_addz(&name, ".json", err) < 0) ||
	    mf_json_quote(mf_buf_str(&name), out, err) < 0)
		return -1;
	return mf_buf_addc(out, ':', err);
}

/* A hash that is empty is left out. */
static int put_hashes(const struct mf_dialect *d, struct mf_bytes sha256, struct mf_bytes sha512,
		      struct mf_buf *out, struct mf_err *err)
{
	bool first = true;
	if (mf_buf_addz(out, "\"hashes\":{", err) < 0)
		return -1;
	if (sha256.n && (comma(&first, out, err) < 0 || mf_buf_addz(out, "\"sha256\":", err) < 0 ||
			 mf_tuf_put_hash(d, sha256, out, err) < 0))
		return -1;
	if (sha512.n && (comma(&first, out, err) < 0 || mf_buf_addz(out, "\"sha512\":", err) < 0 ||
			 mf_tuf_put_hash(d, sha512, out, err) < 0))
		return -1;
	return mf_buf_addc(out, '}', err);
}

int mf_tuf_put_target(const struct mf_dialect *d, const struct mf_tuf_target_info *t, struct mf_buf *out,
		      struct mf_err *err)
{
	struct mf_bytes sha256 = {t->sha256.b, t->has_sha256 ? 32 : 0};
	struct mf_bytes sha512 = {t->sha512, t->has_sha512 ? 64 : 0};
	if (mf_buf_addc(out, '{', err) < 0 ||
	    (t->custom.n && (mf_buf_addz(out, "\"custom\":", err) < 0 ||
			     mf_buf_add_str(out, t->custom, err) < 0 || mf_buf_addc(out, ',', err) < 0)) ||
	    put_hashes(d, sha256, sha512, out, err) < 0)
		return -1;
	return mf_buf_printf(out, err, ",\"length\":%llu}", (unsigned long long)t->length);
}

static int put_meta(const struct mf_dialect *d, const struct mf_tuf_meta *m, struct mf_buf *out,
		    struct mf_err *err)
{
	bool first = true;
	if (put_meta_name(d, m->name, out, err) < 0 || mf_buf_addc(out, '{', err) < 0)
		return -1;
	struct mf_bytes sha256 = {m->sha256.b, m->has_sha256 ? 32 : 0};
	struct mf_bytes sha512 = {m->sha512, m->has_sha512 ? 64 : 0};
	if ((sha256.n || sha512.n) &&
	    (comma(&first, out, err) < 0 || put_hashes(d, sha256, sha512, out, err) < 0))
		return -1;
	if (m->length != UINT64_MAX &&
	    (comma(&first, out, err) < 0 ||
	     mf_buf_printf(out, err, "\"length\":%llu", (unsigned long long)m->length) < 0))
		return -1;
	if (d->meta_needs_version && (comma(&first, out, err) < 0 ||
				      mf_buf_printf(out, err, "\"version\":%lld", (long long)m->version) < 0))
		return -1;
	return mf_buf_addc(out, '}', err);
}

static int listed_meta(const struct mf_dialect *d, const struct mf_tuf_listed *l, struct mf_tuf_meta *m,
		       struct mf_err *err)
{
	*m = (struct mf_tuf_meta){
	    .name = mf_str_c(l->role), .version = l->version, .length = l->bytes.n, .has_sha256 = true};
	if (mf_sha256(l->bytes, &m->sha256, err) < 0)
		return -1;
	m->has_sha512 = !d->meta_needs_version; /* Notary's Go programs write both hashes */
	return m->has_sha512 ? mf_sha512(l->bytes, m->sha512, err) : 0;
}

/* Octet i of an entry's name as written, with its suffix; -1 behind its end. */
static int meta_name_octet(bool has_suffix, struct mf_str name, size_t i)
{
	struct mf_str suffix = has_suffix ? MF_STR(".json") : MF_STR("");
	if (i < name.n)
		return (unsigned char)name.p[i];
	return i - name.n < suffix.n ? (unsigned char)suffix.p[i - name.n] : -1;
}

/* Canonical order is that of the names as written: with ".json" behind both, "a" comes after "a-b", because
 * '-' comes before '.'. */
static int meta_cmp(const void *a, const void *b, void *has_suffix)
{
	const struct mf_tuf_meta *x = a, *y = b;
	bool suffix = *(const bool *)has_suffix;
	for (size_t i = 0;; i++) {
		int cx = meta_name_octet(suffix, x->name, i), cy = meta_name_octet(suffix, y->name, i);
		if (cx != cy)
			return cx < cy ? -1 : 1;
		if (cx < 0)
			return 0;
	}
}

/* Old entries with the listed ones replaced or added, sorted; the caller frees. */
static struct mf_tuf_meta *merge_meta(const struct mf_dialect *d, const struct mf_tuf_meta_spec *spec,
				      size_t *n, struct mf_err *err)
{
	size_t old = spec->old ? spec->old->nmeta : 0;
	struct mf_tuf_meta *v MF_FREE = mf_calloc(old + spec->nfiles, sizeof *v);
	if (!v) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*n = old;
	if (old)
		memcpy(v, spec->old->meta, old * sizeof *v);
	for (size_t i = 0; i < spec->nfiles; i++) {
		size_t at = 0;
		while (at < *n && !mf_str_eqz(v[at].name, spec->files[i].role))
			at++;
		if (listed_meta(d, &spec->files[i], &v[at], err) < 0)
			return NULL;
		if (at == *n)
			(*n)++;
	}
	bool suffix = d->meta_has_suffix;
	qsort_r(v, *n, sizeof *v, meta_cmp, &suffix);
	struct mf_tuf_meta *out = v;
	v = NULL;
	return out;
}

int mf_tuf_build_meta(const struct mf_dialect *d, const struct mf_tuf_meta_spec *spec, struct mf_buf *out,
		      struct mf_err *err)
{
	size_t n;
	struct mf_tuf_meta *v MF_FREE = merge_meta(d, spec, &n, err);
	if (!v || mf_buf_printf(out, err, "{\"_type\":\"%s\",", d->type_names[spec->type]) < 0 ||
	    put_expires(spec->expires, out, err) < 0 || mf_buf_addz(out, ",\"meta\":{", err) < 0)
		return -1;
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		struct mf_esc e;
		if (v[i].broken) /* an entry that could not be read cannot be written either */
			return mf_fail(err, MF_E_FORMAT, 0, "the entry of '%s' is malformed",
				       mf_esc(&e, v[i].name));
		if (comma(&first, out, err) < 0 || put_meta(d, &v[i], out, err) < 0)
			return -1;
	}
	if (mf_buf_addz(out, "},", err) < 0 || put_spec(d, out, err) < 0 ||
	    mf_buf_printf(out, err, "\"version\":%lld", (long long)spec->version) < 0 ||
	    (spec->copy_of.n && (mf_buf_addz(out, ",\"" MF_TUF_COPY_OF "\":", err) < 0 ||
				 mf_buf_add_str(out, spec->copy_of, err) < 0)))
		return -1;
	return mf_buf_addc(out, '}', err);
}

/* ---- root */

static int key_cmp(const void *a, const void *b)
{
	const struct mf_tuf_root_key *const *x = a, *const *y = b;
	return strcmp((*x)->id, (*y)->id);
}

static int put_root_roles(const struct mf_tuf_root_key **keys, const struct mf_tuf_root_spec *spec,
			  struct mf_buf *out, struct mf_err *err)
{
	static const enum mf_tuf_type order[MF_TUF_TYPES] = {MF_TUF_ROOT, MF_TUF_SNAPSHOT, MF_TUF_TARGETS,
							     MF_TUF_TIMESTAMP};
	for (size_t r = 0; r < MF_TUF_TYPES; r++) {
		bool first = true;
		if (mf_buf_printf(out, err, "%s\"%s\":{\"keyids\":[", r ? "," : "",
				  mf_tuf_role_names[order[r]]) < 0)
			return -1;
		int64_t threshold = order[r] == MF_TUF_ROOT && spec->threshold ? spec->threshold : 1;
		for (size_t i = 0; i < spec->nkeys; i++)
			if ((keys[i]->roles >> order[r] & 1) &&
			    (comma(&first, out, err) < 0 ||
			     mf_buf_printf(out, err, "\"%s\"", keys[i]->id) < 0))
				return -1;
		if (mf_buf_printf(out, err, "],\"threshold\":%lld}", (long long)threshold) < 0)
			return -1;
	}
	return 0;
}

int mf_tuf_build_root(const struct mf_dialect *d, const struct mf_tuf_root_spec *spec, struct mf_buf *out,
		      struct mf_err *err)
{
	size_t n = spec->nkeys;
	const struct mf_tuf_root_key **v MF_FREE = mf_calloc(n, sizeof(struct mf_tuf_root_key *));
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		v[i] = &spec->keys[i];
	qsort(v, n, sizeof *v, key_cmp);
	if (mf_buf_printf(out, err, "{\"_type\":\"%s\",\"consistent_snapshot\":%s,",
			  d->type_names[MF_TUF_ROOT], d->meta_needs_version ? "true" : "false") < 0 ||
	    put_expires(spec->expires, out, err) < 0 || mf_buf_addz(out, ",\"keys\":{", err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (mf_buf_printf(out, err, "%s\"%s\":", i ? "," : "", v[i]->id) < 0 ||
		    mf_buf_add_str(out, v[i]->object, err) < 0)
			return -1;
	if (mf_buf_addz(out, "},\"roles\":{", err) < 0 || put_root_roles(v, spec, out, err) < 0 ||
	    mf_buf_addz(out, "},", err) < 0 || put_spec(d, out, err) < 0)
		return -1;
	return mf_buf_printf(out, err, "\"version\":%lld}", (long long)spec->version);
}

/* ---- re-signing: the members stay, version and expiry are new */

static bool is_replaced(struct mf_json_string name)
{
	return mf_json_string_eq(name, "version") || mf_json_string_eq(name, "expires") ||
	       mf_json_string_eq(name, MF_TUF_OF_ROLE);
}

/* Copies the members of "signed", where the reader stands, except version, expiry and role. */
static int copy_members(struct mf_json_reader *r, bool *first, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string name;
	struct mf_str value;
	int rc;
	if (mf_json_object(r, err) < 0 || mf_buf_addc(out, '{', err) < 0)
		return -1;
	while ((rc = mf_json_object_next(r, &name, err)) > 0) {
		if (mf_json_skip(r, &value, err) < 0)
			return -1;
		if (is_replaced(name))
			continue;
		if (comma(first, out, err) < 0 || mf_buf_addc(out, '"', err) < 0 ||
		    mf_buf_add_str(out, name.raw, err) < 0 || mf_buf_addz(out, "\":", err) < 0 ||
		    mf_buf_add_str(out, value, err) < 0)
			return -1;
	}
	return rc;
}

/* The "signed" object with its new version and expiry, not canonical yet. */
static int rewrite(const struct mf_tuf_file *old, const char *role, int64_t version, int64_t expires,
		   struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	char text[MF_TIME_LEN];
	bool first = true;
	int rc;
	mf_json_reader_init(&r, mf_buf_bytes(&old->bytes));
	r.any_size = true;
	if (mf_json_object(&r, err) < 0)
		return -1;
	while ((rc = mf_json_object_next(&r, &name, err)) > 0 && !mf_json_string_eq(name, "signed"))
		if (mf_json_skip(&r, NULL, err) < 0)
			return -1;
	if (rc <= 0)
		return rc < 0 ? -1 : mf_fail(err, MF_E_INTERNAL, 0, "a file without its signed part");
	mf_time_format(text, expires);
	if (copy_members(&r, &first, out, err) < 0 || comma(&first, out, err) < 0)
		return -1;
	if (mf_buf_printf(out, err, "\"expires\":\"%s\",\"version\":%lld", text, (long long)version) < 0 ||
	    (role && (mf_buf_addz(out, ",\"" MF_TUF_OF_ROLE "\":", err) < 0 ||
		      mf_json_quote(mf_str_c(role), out, err) < 0)))
		return -1;
	return mf_buf_addc(out, '}', err);
}

int mf_tuf_build_renewed(const struct mf_tuf_file *old, const char *role, int64_t version, int64_t expires,
			 struct mf_buf *out, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(old->bytes.n + 256 + 6 * MF_MAX_ROLE_NAME);
	if (rewrite(old, role, version, expires, &text, err) < 0)
		return -1;
	return mf_json_canonicalize_any(mf_buf_str(&text), out, err);
}

/* ---- envelope */

static int put_signature(const struct mf_dialect *d, const struct mf_tuf_made_signature *s,
			 struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_addz(out, "{\"keyid\":", err) < 0 || mf_json_quote(mf_str_c(s->keyid), out, err) < 0 ||
	    mf_buf_addc(out, ',', err) < 0 ||
	    (s->method && mf_buf_printf(out, err, "\"method\":\"%s\",", s->method) < 0) ||
	    mf_buf_addz(out, "\"sig\":\"", err) < 0)
		return -1;
	if (!d->hex)
		return mf_b64_encode(out, s->sig, err) < 0 ? -1 : mf_buf_addz(out, "\"}", err);
	for (size_t i = 0; i < s->sig.n; i++)
		if (mf_buf_printf(out, err, "%02x", s->sig.p[i]) < 0)
			return -1;
	return mf_buf_addz(out, "\"}", err);
}

int mf_tuf_put_json(struct mf_str canonical, struct mf_buf *out, struct mf_err *err)
{
	size_t from = 0;
	for (size_t i = 0; i < canonical.n; i++) {
		unsigned char c = (unsigned char)canonical.p[i];
		if (c >= 0x20)
			continue;
		if (mf_buf_add(out, canonical.p + from, i - from, err) < 0 ||
		    mf_buf_printf(out, err, "\\u%04x", c) < 0)
			return -1;
		from = i + 1;
	}
	return mf_buf_add(out, canonical.p + from, canonical.n - from, err);
}

int mf_tuf_build_file(const struct mf_dialect *d, struct mf_str canonical,
		      const struct mf_tuf_made_signature *sigs, size_t n, struct mf_buf *out,
		      struct mf_err *err)
{
	if (mf_buf_reserve(out, canonical.n + 1024 * (n + 1), err) < 0 ||
	    mf_buf_addz(out, "{\"signed\":", err) < 0 ||
	    (d->hex ? mf_tuf_put_json(canonical, out, err) : mf_json_wire(canonical, out, err)) < 0 ||
	    mf_buf_addz(out, ",\"signatures\":[", err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((i && mf_buf_addc(out, ',', err) < 0) || put_signature(d, &sigs[i], out, err) < 0)
			return -1;
	return mf_buf_addz(out, "]}", err);
}
