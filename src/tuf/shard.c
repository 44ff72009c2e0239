/* Shards: the delegated roles among which the records of a large role are spread. */
#include "base/limits.h"
#include "tuf/build.h"
#include "tuf/internal.h"

#define SUBJECT "/sha256-"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The digits behind a role's name and the mark; empty: the name has another form. */
static struct mf_str name_digits(const struct mf_dialect *d, const char *role, const char *name)
{
	struct mf_str none = {name, 0};
	size_t n = strlen(role), mark = strlen(d->shard_mark);
	if (strncmp(name, role, n) != 0 || strncmp(name + n, d->shard_mark, mark) != 0)
		return none;
	struct mf_str rest = {name + n + mark, strlen(name + n + mark)};
	if (rest.n < 1 || rest.n > MF_MAX_SHARD_DIGITS)
		return none;
	for (size_t i = 0; i < rest.n; i++)
		if (!is_hex(rest.p[i]))
			return none;
	return rest;
}

struct mf_str mf_tuf_shard_type(const struct mf_dialect *d, struct mf_str digits, struct mf_str path)
{
	struct mf_str tail = mf_str_c(d->prefix_tail), middle = MF_STR(SUBJECT), none = {path.p, 0};
	size_t behind = middle.n + digits.n + tail.n;
	if (path.n <= behind || !mf_str_ends(path, tail))
		return none;
	struct mf_str type = {path.p, path.n - behind}, m = {path.p + type.n, middle.n},
		      at = {m.p + m.n, digits.n};
	return mf_str_eq(m, middle) && mf_str_eq(at, digits) && mf_tuf_is_type(type) ? type : none;
}

struct mf_str mf_tuf_shard_digits(const struct mf_dialect *d, const char *role,
				  const struct mf_tuf_role *listed)
{
	struct mf_str digits = name_digits(d, role, listed->name), none = {listed->name, 0};
	if (!digits.n || !listed->npaths || listed->nhash_prefixes || listed->terminating)
		return none;
	for (size_t i = 0; i < listed->npaths; i++)
		if (!mf_tuf_shard_type(d, digits, listed->paths[i]).n)
			return none;
	return digits;
}

bool mf_tuf_shard_divided(const struct mf_dialect *d, const char *role, const struct mf_tuf_role *listed)
{
	return name_digits(d, role, listed->name).n && !listed->npaths && !listed->nhash_prefixes;
}

bool mf_tuf_is_shard(const struct mf_dialect *d, const struct mf_tuf_loaded *by,
		     const struct mf_tuf_role *listed)
{
	return !by->shard &&
	       (mf_tuf_shard_digits(d, by->role, listed).n > 0 || mf_tuf_shard_divided(d, by->role, listed));
}

bool mf_tuf_shard_is_loaded(const struct mf_tuf_set *s, const struct mf_tuf_loaded *by,
			    const struct mf_tuf_role *listed)
{
	for (size_t i = 0; i < s->nroles; i++)
		if (s->roles[i]->parent == by && strcmp(mf_tuf_loaded_name(s->roles[i]), listed->name) == 0)
			return true;
	return false;
}

int mf_tuf_check_shard_names(const struct mf_dialect *d, const struct mf_tuf_edge *w,
			     const struct mf_tuf_file *f, struct mf_err *err)
{
	const struct mf_str digits = mf_tuf_shard_digits(d, w->parent->role, w->role);
	for (size_t i = 0; i < f->ntargets; i++) {
		const struct mf_str name = mf_tuf_target_name(f, i).raw;
		struct mf_digest subject;
		struct mf_esc e, e2;
		char hex[65];
		if (!mf_tuf_name_subject(name, &subject))
			continue;
		mf_digest_hex(hex, &subject);
		if (!mf_str_starts((struct mf_str){hex, 64}, digits))
			return mf_fail(err, MF_E_FORMAT, 0, "'%s' has '%s', which belongs to another part",
				       mf_esc(&e, mf_str_c(w->role->name)), mf_esc(&e2, name));
	}
	return 0;
}

bool mf_tuf_shard_wanted(struct mf_str digits, const char *const *subjects)
{
	for (; *subjects; subjects++) {
		struct mf_str s = mf_str_c(*subjects);
		if (mf_str_starts(s, digits) || mf_str_starts(digits, s))
			return true;
	}
	return false;
}

size_t mf_tuf_count_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects)
{
	size_t n = 0;
	for (size_t i = 0; i < s->nroles; i++) {
		const struct mf_tuf_loaded *l = s->roles[i];
		for (size_t j = 0; !l->shard && j < l->file->nroles; j++) {
			const struct mf_tuf_role *role = &l->file->roles[j];
			struct mf_str digits = mf_tuf_shard_digits(s->d, l->role, role);
			n += digits.n && mf_tuf_shard_wanted(digits, subjects) &&
			     !mf_tuf_shard_is_loaded(s, l, role);
		}
	}
	return n;
}

size_t mf_tuf_shard_octets(const struct mf_tuf_set *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->nroles; i++)
		n += s->roles[i]->shard ? s->roles[i]->file->bytes.n : 0;
	return n;
}

void mf_tuf_set_drop_shards(struct mf_tuf_set *s)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->nroles; i++)
		if (!s->roles[i]->shard)
			s->roles[i]->until = mf_tuf_role_expires(s, s->roles[i]);
	for (size_t i = 0; i < s->nroles; i++) {
		if (!s->roles[i]->shard) {
			s->roles[kept++] = s->roles[i];
			continue;
		}
		mf_tuf_file_free(s->roles[i]->file);
		free(s->roles[i]);
	}
	s->nroles = kept;
}

size_t mf_tuf_role_entries(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role)
{
	size_t n = mf_tuf_ntargets(role->file);
	for (size_t i = 0; i < s->nroles; i++)
		if (s->roles[i]->shard && s->roles[i]->parent == role)
			n += mf_tuf_ntargets(s->roles[i]->file);
	return n;
}

int64_t mf_tuf_role_expires(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role)
{
	int64_t until = role->file->expires < role->until ? role->file->expires : role->until;
	for (size_t i = 0; i < s->nroles; i++)
		if (s->roles[i]->shard && s->roles[i]->parent == role && s->roles[i]->file->expires < until)
			until = s->roles[i]->file->expires;
	return until;
}

size_t mf_tuf_shard_range(struct mf_str digits, size_t *first)
{
	size_t at = 0, n = digits.n ? 1 : 0;
	for (size_t i = 0; i < MF_MAX_SHARD_DIGITS; i++) {
		char c = i < digits.n ? digits.p[i] : '0';
		at = at * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		n *= i < digits.n ? 1 : 16;
	}
	*first = at;
	return n;
}

int mf_tuf_put_shard_name(const struct mf_dialect *d, const char *role, struct mf_str digits,
			  struct mf_buf *out, struct mf_err *err)
{
	return mf_buf_addz(out, role, err) < 0 || mf_buf_addz(out, d->shard_mark, err) < 0
		   ? -1
		   : mf_buf_add_str(out, digits, err);
}

int mf_tuf_put_shard_path(const struct mf_dialect *d, struct mf_str type, struct mf_str digits,
			  struct mf_buf *out, struct mf_err *err)
{
	return mf_buf_add_str(out, type, err) < 0 || mf_buf_addz(out, SUBJECT, err) < 0 ||
		       mf_buf_add_str(out, digits, err) < 0
		   ? -1
		   : mf_buf_addz(out, d->prefix_tail, err);
}
