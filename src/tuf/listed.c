/* Reads the lists in a file: other metadata files (4.4, 4.6) and targets (4.5). */
#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"
#include "tuf/internal.h"

/* ---- meta */

static int read_hashes(struct mf_tuf_parser *p, struct mf_tuf_meta *m, struct mf_err *err)
{
	struct mf_json_string name;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		struct mf_str text;
		bool is256 = mf_json_string_eq(name, "sha256"), is512 = mf_json_string_eq(name, "sha512");
		if (!is256 && !is512) {
			if (mf_json_skip(p->r, NULL, err) < 0)
				return -1;
			continue;
		}
		if (mf_tuf_read_text(p, &text, err) < 0 ||
		    mf_tuf_hash_decode(p->d, text, is256 ? m->sha256.b : m->sha512, is256 ? 32 : 64, err) < 0)
			return -1;
		m->has_sha256 |= is256;
		m->has_sha512 |= is512;
	}
	return more;
}

static int read_meta_entry(struct mf_tuf_parser *p, struct mf_tuf_meta *m, struct mf_err *err)
{
	struct mf_json_string name;
	int64_t length;
	int more;
	m->length = UINT64_MAX;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		int rc;
		if (mf_json_string_eq(name, "length")) {
			rc = mf_json_int(p->r, 1, MF_MAX_VERSION, &length, err); /* no metadata is empty */
			m->length = (uint64_t)length;
		} else if (mf_json_string_eq(name, "version")) {
			rc = mf_json_int(p->r, 1, MF_MAX_VERSION, &m->version, err);
		} else if (mf_json_string_eq(name, "hashes")) {
			rc = read_hashes(p, m, err);
		} else {
			rc = mf_json_skip(p->r, NULL, err);
		}
		if (rc < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	if (p->d->meta_needs_version && !m->version)
		return mf_fail(err, MF_E_FORMAT, 0, "no version");
	if (p->d->meta_needs_sha256 && (!m->has_sha256 || m->length == UINT64_MAX))
		return mf_fail(err, MF_E_FORMAT, 0, "no sha256 and length");
	return 0;
}

static int meta_cmp(const void *a, const void *b)
{
	const struct mf_tuf_meta *x = a, *y = b;
	return mf_str_cmp(x->name, y->name);
}

/* Reads the value of an entry. In a tolerant dialect, an entry that cannot be read is marked `broken`. */
static int read_meta_value(struct mf_tuf_parser *p, struct mf_tuf_meta *m, struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_tuf_parser sub = {.d = p->d, .f = p->f, .r = &r};
	struct mf_err why = MF_ERR_INIT;
	struct mf_str raw;
	if (!p->d->tolerant)
		return read_meta_entry(p, m, err);
	if (mf_json_skip(p->r, &raw, err) < 0)
		return -1;
	mf_tuf_reader_init(&r, p->d, raw);
	m->broken = read_meta_entry(&sub, m, &why) < 0;
	return mf_err_pass_ours(err, &why);
}

int mf_tuf_read_meta(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name;
	struct mf_str suffix = p->d->meta_has_suffix ? MF_STR(".json") : MF_STR("");
	size_t cap = 0;
	int more;
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		if (mf_grow((void **)&f->meta, &cap, f->nmeta, sizeof *f->meta, err) < 0)
			return -1;
		struct mf_tuf_meta *m = &f->meta[f->nmeta];
		struct mf_esc e;
		*m = (struct mf_tuf_meta){0};
		if (mf_tuf_decoded(p, name, &m->name, err) < 0)
			return -1;
		bool fits = mf_str_ends(m->name, suffix);
		if (!fits && !p->d->tolerant)
			return mf_fail(err, MF_E_FORMAT, 0, "meta '%s' does not end in .json",
				       mf_esc(&e, m->name));
		if (read_meta_value(p, m, err) < 0)
			return mf_wrap(err, "meta '%s'", mf_esc(&e, m->name));
		if (!fits) /* not the entry of a role */
			continue;
		m->name.n -= suffix.n;
		f->nmeta++;
	}
	/* Sorted, because thousands of delegations are looked up among tens of thousands of entries. */
	if (more == 0 && f->nmeta)
		qsort(f->meta, f->nmeta, sizeof *f->meta, meta_cmp);
	return more;
}

const struct mf_tuf_meta *mf_tuf_meta_find(const struct mf_tuf_file *f, const char *name)
{
	struct mf_tuf_meta wanted = {.name = mf_str_c(name)};
	return f->nmeta ? bsearch(&wanted, f->meta, f->nmeta, sizeof *f->meta, meta_cmp) : NULL;
}

static int check_entry(const struct mf_tuf_file *f, const char *file, const char *role, struct mf_err *err)
{
	const struct mf_tuf_meta *m = mf_tuf_meta_find(f, role);
	if (m && !m->broken)
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, m ? "%s lists %s in a malformed entry" : "%s does not list %s",
		       file, role);
}

int mf_tuf_check_meta(const struct mf_dialect *d, const struct mf_tuf_file *f, struct mf_err *err)
{
	if (f->type == MF_TUF_TIMESTAMP)
		return check_entry(f, "timestamp", "snapshot", err);
	if (f->type != MF_TUF_SNAPSHOT)
		return 0;
	if (check_entry(f, "snapshot", "targets", err) < 0)
		return -1;
	return d->snapshot_lists_root ? check_entry(f, "snapshot", "root", err) : 0;
}

/* ---- targets */

static struct mf_json_string target_name(const struct mf_tuf_target *t)
{
	return (struct mf_json_string){{t->name, t->name_n}, t->escaped};
}

struct mf_json_string mf_tuf_target_name(const struct mf_tuf_file *f, size_t i)
{
	return target_name(&f->targets[i]);
}

static int target_cmp(const void *a, const void *b)
{
	return mf_json_string_cmp(target_name(a), target_name(b));
}

struct mf_tuf_target mf_tuf_target_at(struct mf_json_string name, struct mf_str value)
{
	return (struct mf_tuf_target){.name = name.raw.p,
				      .name_n = (uint32_t)name.raw.n,
				      .value = (uint32_t)(value.p - name.raw.p),
				      .value_n = (uint32_t)value.n,
				      .escaped = name.escaped};
}

int mf_tuf_read_targets(struct mf_tuf_parser *p, struct mf_err *err)
{
	struct mf_tuf_file *f = p->f;
	struct mf_json_string name, last = {0};
	enum mf_json_type type;
	const size_t from = mf_json_offset(p->r);
	bool sorted = true;
	int more;
	if (mf_json_peek(p->r, &type, err) < 0)
		return -1;
	if (type == MF_JSON_NULL) /* Go writes null for an empty map */
		return mf_json_null(p->r, err);
	if (mf_json_object(p->r, err) < 0)
		return -1;
	while ((more = mf_json_object_next(p->r, &name, err)) > 0) {
		struct mf_str value;
		if (mf_grow((void **)&f->targets, &f->targets_cap, f->ntargets, sizeof *f->targets, err) <
			0 ||
		    mf_json_skip(p->r, &value, err) < 0)
			return -1;
		if (f->ntargets && sorted && mf_json_string_cmp(last, name) >= 0)
			sorted = false;
		last = name;
		f->targets[f->ntargets++] = mf_tuf_target_at(name, value);
	}
	if (more < 0)
		return -1;
	f->targets_raw = (struct mf_str){f->bytes.p + from, (size_t)(p->r->at - p->r->start) - from};
	if (!sorted)
		qsort(f->targets, f->ntargets, sizeof *f->targets, target_cmp);
	return 0;
}

int mf_tuf_entry_info(const struct mf_dialect *d, struct mf_str entry, struct mf_tuf_target_info *out,
		      struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_tuf_file scratch = {.type = MF_TUF_TARGETS};
	struct mf_tuf_parser p = {.d = d, .f = &scratch, .r = &r};
	struct mf_tuf_meta m = {.length = UINT64_MAX};
	struct mf_str custom = {0};
	int64_t length = -1;
	int more = 0, rc = 0;
	mf_tuf_reader_init(&r, d, entry);
	if (mf_json_object(&r, err) < 0)
		return -1;
	while (rc == 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "length"))
			rc = mf_json_int(&r, 0, MF_MAX_VERSION, &length, err);
		else if (mf_json_string_eq(name, "hashes"))
			rc = read_hashes(&p, &m, err);
		else if (mf_json_string_eq(name, "custom"))
			rc = mf_json_skip(&r, &custom, err);
		else
			rc = mf_json_skip(&r, NULL, err);
	}
	mf_arena_clear(&scratch.arena);
	if (rc < 0 || more < 0)
		return -1;
	if (length < 0 || !(m.has_sha256 || m.has_sha512))
		return mf_fail(err, MF_E_FORMAT, 0, "target without %s",
			       length < 0 ? "length" : "a known hash");
	*out = (struct mf_tuf_target_info){.length = (uint64_t)length,
					   .has_sha256 = m.has_sha256,
					   .has_sha512 = m.has_sha512,
					   .sha256 = m.sha256,
					   .custom = custom};
	memcpy(out->sha512, m.sha512, sizeof out->sha512);
	return 0;
}

int mf_tuf_target_info(const struct mf_dialect *d, const struct mf_tuf_file *f, size_t i,
		       struct mf_tuf_target_info *out, struct mf_err *err)
{
	return mf_tuf_entry_info(d, mf_tuf_target_value(f, i), out, err);
}

/* ---- finding targets */

struct mf_str mf_tuf_target_value(const struct mf_tuf_file *f, size_t i)
{
	return (struct mf_str){f->targets[i].name + f->targets[i].value, f->targets[i].value_n};
}

size_t mf_tuf_ntargets(const struct mf_tuf_file *f)
{
	assert(!f->index);
	return f->ntargets;
}

/* From the end: the subject is usually the one that was read last, or one of the last. */
const struct mf_tuf_part *mf_tuf_part_find(const struct mf_tuf_file *f, const struct mf_digest *subject)
{
	for (size_t i = f->nparts; i > 0; i--)
		if (mf_digest_eq(&f->parts[i - 1].subject, subject))
			return &f->parts[i - 1];
	return NULL;
}

void mf_tuf_targets_of(const struct mf_tuf_file *f, const struct mf_digest *subject, size_t *from, size_t *to)
{
	*from = 0;
	*to = f->ntargets;
	if (!f->index)
		return;
	assert(subject);
	const struct mf_tuf_part *part = mf_tuf_part_find(f, subject);
	assert(part);
	*from = part->from;
	*to = part->to;
}

bool mf_tuf_name_subject(struct mf_str name, struct mf_digest *out)
{
	const struct mf_str mark = MF_STR("sha256-");
	const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	if (!slash)
		return false;
	size_t rest = name.n - (size_t)(slash - name.p);
	const char *at = memmem(slash, rest, mark.p, mark.n);
	return at && rest - (size_t)(at - slash) >= mark.n + 64 &&
	       mf_hex_decode(out->b, sizeof out->b, (struct mf_str){at + mark.n, 64}) == 0;
}

/* Compares a target's decoded name with decoded text that may hold a quote or backslash. */
static int name_cmp(struct mf_json_string a, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	if (!a.escaped)
		return mf_str_cmp(a.raw, text);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(a.raw.n + 4);
	if (mf_json_string_decode(a, &b, &err) < 0)
		return -1; /* out of memory only: the reader accepted the string */
	return mf_str_cmp(mf_buf_str(&b), text);
}

ptrdiff_t mf_tuf_target_find(const struct mf_tuf_file *f, struct mf_str name)
{
	struct mf_digest subject;
	size_t lo, hi;
	mf_tuf_targets_of(f, mf_tuf_name_subject(name, &subject) ? &subject : NULL, &lo, &hi);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = name_cmp(mf_tuf_target_name(f, mid), name);
		if (c == 0)
			return (ptrdiff_t)mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}
