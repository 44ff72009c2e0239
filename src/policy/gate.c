#include "policy/gate.h"

#include <strings.h>

#include "base/encode.h"

/* Limits of the text in `found`, which quotes reasons and names of roles of any length. */
#define MAX_FOUND ((size_t)8192)
#define LONG_FOUND ((size_t)1500)

const char *mf_gate_code_name(enum mf_gate_code c)
{
	static const char *const names[MF_GATE_CODES] = {
	    [MF_GATE_MET] = "met",
	    [MF_GATE_SIGNERS] = "signers",
	    [MF_GATE_MEDIA_TYPE] = "media_type",
	    [MF_GATE_TOO_OLD] = "too_old",
	    [MF_GATE_FROM_FUTURE] = "from_future",
	    [MF_GATE_EXPIRED] = "record_expired",
	    [MF_GATE_FOREIGN] = "foreign",
	    [MF_GATE_ABSENT] = "absent",
	    [MF_GATE_CONDITION] = "condition",
	    [MF_GATE_DISTINCT] = "distinct",
	    [MF_GATE_WAIVER] = "waiver",
	    [MF_GATE_UNKNOWN_ROLE] = "unknown_role",
	    [MF_GATE_ROLE_TYPE] = "role_type",
	    [MF_GATE_WITHDRAWN] = "withdrawn",
	    [MF_GATE_VETOED] = "vetoed",
	};
	return names[c];
}

enum mf_code mf_gate_error(enum mf_gate_code c)
{
	switch (c) {
	case MF_GATE_MET:
		return MF_OK;
	case MF_GATE_EXPIRED:
		return MF_E_RECORD_EXPIRED;
	case MF_GATE_WITHDRAWN:
	case MF_GATE_VETOED:
		return MF_E_WITHDRAWN;
	default:
		return MF_E_POLICY;
	}
}

bool mf_gate_waivable(enum mf_gate_code c)
{
	return c > MF_GATE_MET && c < MF_GATE_UNKNOWN_ROLE;
}

void mf_verdict_clear(struct mf_verdict *v)
{
	mf_buf_clear(&v->found);
	mf_entries_clear(&v->records);
	mf_entries_clear(&v->rivals);
	free(v->signers);
	free(v->originals);
	*v = (struct mf_verdict){0};
}

/* ---- roles */

/* A misspelt role must never pass, even if the other roles suffice. 1: all named roles may sign the type; 0:
 * *out says which one may not. */
static int check_roles(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *out,
		       struct mf_err *err)
{
	for (size_t i = 0; i < q->nroles; i++) {
		const struct mf_tuf_role *role;
		const struct mf_tuf_loaded *by;
		enum mf_named n = mf_policy_role_by_name(g->set, q->roles[i], &role, &by);
		if (n != MF_NAMES_ONE) {
			out->code = MF_GATE_UNKNOWN_ROLE;
			return mf_buf_printf(&out->found, err,
					     n == MF_NAMES_SEVERAL
						 ? "role '%s' is ambiguous: several delegators define "
						   "different roles of that name"
						 : "there is no role '%s' in the repository",
					     q->roles[i]);
		}
		if (!mf_policy_may_hold(g->set, q->roles[i], mf_str_c(q->type))) {
			out->code = MF_GATE_ROLE_TYPE;
			return mf_buf_printf(&out->found, err, "role '%s' may not sign '%s'", q->roles[i],
					     q->type);
		}
	}
	return 1;
}

/* Do records of this role count for the requirement? */
static bool speaks(const struct mf_gate *g, const struct mf_tuf_loaded *l, const struct mf_requirement *q)
{
	bool yes = q->nroles == 0 && mf_policy_authorised(g->set, l, mf_str_c(q->type), NULL);
	for (size_t i = 0; i < q->nroles; i++)
		yes |= mf_policy_authorised(g->set, l, mf_str_c(q->type), q->roles[i]);
	return yes;
}

/* ---- withdrawal */

/* Describes a withdrawal with the message of `get`. */
static int say_withdrawn(const struct mf_gate *g, const struct mf_entry *e, struct mf_verdict *out,
			 struct mf_err *err)
{
	struct mf_err words = MF_ERR_INIT;
	(void)mf_entry_refuse_withdrawn(e, g->set->names, &words);
	out->code = MF_GATE_WITHDRAWN;
	mf_buf_reset(&out->found);
	return mf_buf_addz(&out->found, words.msg, err);
}

/* A withdrawal by a veto role holds even if the role may not sign the type, or its paths do not cover the
 * name: it can only block. */
static int check_veto(const struct mf_gate *g, const struct mf_tuf_loaded *l, struct mf_str name,
		      struct mf_verdict *out, struct mf_err *err)
{
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_tuf_target_info info;
	ptrdiff_t at = mf_tuf_target_find(l->file, name);
	struct mf_esc e;
	if (at < 0 || mf_policy_is_hidden(l, name))
		return 0;
	if (mf_tuf_target_info(g->set->d, l->file, (size_t)at, &info, err) < 0 ||
	    mf_record_parse(&r, info.custom, err) < 0)
		return mf_wrap(err, "record '%s' of role '%s'", mf_esc(&e, name), l->role);
	if (!r.withdrawn)
		return 0;
	out->code = MF_GATE_VETOED;
	mf_buf_reset(&out->found);
	return mf_buf_printf(&out->found, err, "it was withdrawn by '%s', which has a veto%s%s", l->role,
			     r.reason ? ": " : "", r.reason ? mf_esc(&e, mf_str_c(r.reason)) : "");
}

/* Checks for a veto of the role, on the type or on all types. */
static int check_own_veto(const struct mf_gate *g, const struct mf_tuf_loaded *l, struct mf_str type,
			  struct mf_verdict *out, struct mf_err *err)
{
	struct mf_entry e MF_ENTRY_CLEANUP = {0};
	struct mf_esc role, reason;
	enum mf_found found = mf_policy_find_veto(g->set, l, type, g->subject, &e, err);
	if (found != MF_FOUND)
		return found == MF_FAILED ? -1 : 0;
	out->code = MF_GATE_VETOED;
	mf_buf_reset(&out->found);
	return mf_buf_printf(&out->found, err, "vetoed by role '%s'%s%s%s", mf_esc(&role, mf_str_c(l->role)),
			     mf_str_eqz(e.type, MF_VETO_ALL) ? ", for all types" : "",
			     e.record.reason ? ": " : "",
			     e.record.reason ? mf_esc(&reason, mf_str_c(e.record.reason)) : "");
}

static int check_vetoes(const struct mf_gate *g, const char *type, struct mf_str name, struct mf_verdict *out,
			struct mf_err *err)
{
	for (size_t i = 0; i < g->set->nroles; i++)
		for (size_t j = 0; j < g->rules->nveto; j++)
			if (mf_policy_role_matches(g->set, g->set->roles[i], g->rules->veto[j]) &&
			    (check_veto(g, g->set->roles[i], name, out, err) < 0 ||
			     check_own_veto(g, g->set->roles[i], mf_str_c(type), out, err) < 0))
				return -1;
	return 0;
}

/* ---- records */

/* Collects the records of the roles that count. A tombstone blocks in these roles, and in every authority for
 * the type. */
static int collect(const struct mf_gate *g, const struct mf_requirement *q, struct mf_str name,
		   struct mf_verdict *out, struct mf_err *err)
{
	struct mf_entries *all = &out->records;
	for (size_t i = 0; i < g->set->nroles; i++) {
		const struct mf_tuf_loaded *l = g->set->roles[i];
		bool counts = speaks(g, l, q);
		if (!counts && !mf_policy_authorised(g->set, l, mf_str_c(q->type), NULL))
			continue;
		if (mf_grow((void **)&all->v, &all->cap, all->n, sizeof *all->v, err) < 0)
			return -1;
		struct mf_entry *e = &all->v[all->n];
		int rc = mf_policy_read(g->set, l, name, e, err);
		if (rc < 0)
			return -1;
		if (rc && e->state == MF_STATE_WITHDRAWN) {
			rc = say_withdrawn(g, e, out, err);
			mf_entry_clear(e);
			if (rc < 0)
				return -1;
		} else if (rc && counts) {
			all->n++;
		} else {
			mf_entry_clear(e);
		}
	}
	return 0;
}

/* Compares a description with the requirement. */
static enum mf_gate_code evaluate_record(const struct mf_gate *g, const struct mf_requirement *q,
					 const struct mf_record *r)
{
	int64_t now = g->set->now;
	if (r->has_expires && r->expires <= now)
		return MF_GATE_EXPIRED;
	if (q->max_age_s && r->created > now + MF_CLOCK_TOLERANCE_S)
		return MF_GATE_FROM_FUTURE;
	if (q->max_age_s && (!r->created || now - r->created > q->max_age_s))
		return MF_GATE_TOO_OLD;
	if (q->media_type && (!r->media_type || strcasecmp(r->media_type, q->media_type) != 0))
		return MF_GATE_MEDIA_TYPE;
	return MF_GATE_MET;
}

static enum mf_gate_code evaluate_entry(const struct mf_gate *g, const struct mf_requirement *q,
					const struct mf_entry *e)
{
	if (e->state == MF_STATE_EXPIRED)
		return MF_GATE_EXPIRED;
	if (e->state != MF_STATE_CURRENT)
		return MF_GATE_FOREIGN;
	return evaluate_record(g, q, &e->record);
}

/* ---- original signers */

/* Does the description of an original meet the requirement? A waiver holds only in the repository where it
 * was granted. */
static bool original_counts(const struct mf_gate *g, const struct mf_requirement *q,
			    const struct mf_original *o)
{
	return strcmp(q->type, MF_TYPE_WAIVER) != 0 && evaluate_record(g, q, &o->record) == MF_GATE_MET;
}

static bool is_from(const struct mf_requirement *q, const struct mf_original *o)
{
	for (size_t i = 0; i < q->noriginal_repositories; i++) {
		const char *pattern = q->original_repositories[i];
		size_t n = strlen(pattern);
		if (pattern[n - 1] == '*' ? strncmp(pattern, o->repository, n - 1) == 0
					  : strcmp(pattern, o->repository) == 0)
			return true;
	}
	return !q->noriginal_repositories;
}

static struct mf_pubkey *signed_original(const struct mf_gate *g, const struct mf_requirement *q,
					 const struct mf_entry *e, const struct mf_digest *key)
{
	for (size_t i = 0; i < e->originals.n; i++) {
		const struct mf_original *o = &e->originals.v[i];
		if (!original_counts(g, q, o) || !is_from(q, o))
			continue;
		for (size_t j = 0; j < o->nkeys; j++) {
			struct mf_digest fp = mf_pubkey_fingerprint(o->keys[j]);
			if (mf_digest_eq(&fp, key))
				return o->keys[j];
		}
	}
	return NULL;
}

/* Have enough of the keys that the policy names under `original` signed originals of this content? */
static bool originals_suffice(const struct mf_gate *g, const struct mf_requirement *q,
			      const struct mf_digest *content, const struct mf_entries *all)
{
	int64_t n = 0;
	for (size_t k = 0; k < q->noriginal_keys; k++) {
		bool has = false;
		for (size_t i = 0; !has && i < all->n; i++)
			has = evaluate_entry(g, q, &all->v[i]) == MF_GATE_MET &&
			      mf_digest_eq(&all->v[i].info.sha256, content) &&
			      signed_original(g, q, &all->v[i], &q->original_keys[k]) != NULL;
		n += has;
	}
	return !q->noriginal_keys || n >= q->original_signers;
}

/* ---- counting */

static bool has_key(struct mf_pubkey *const *keys, size_t n, const struct mf_pubkey *key)
{
	for (size_t i = 0; i < n; i++)
		if (mf_pubkey_eq(keys[i], key))
			return true;
	return false;
}

/* Adds to `keys` the distinct keys of the role that signed entry e or an original of it. */
static size_t add_signers(const struct mf_gate *g, const struct mf_requirement *q, const struct mf_entry *e,
			  struct mf_pubkey **keys, size_t n)
{
	for (size_t i = 0; i < e->nkeys; i++) {
		bool counts = e->signed_by[i];
		for (size_t j = 0; !counts && e->keys[i] && j < e->originals.n; j++) {
			const struct mf_original *o = &e->originals.v[j];
			counts = original_counts(g, q, o) && has_key(o->keys, o->nkeys, e->keys[i]);
		}
		if (counts && !has_key(keys, n, e->keys[i]))
			keys[n++] = e->keys[i];
	}
	return n;
}

/* The distinct keys that signed the content of entry i, in all entries that meet the requirement. */
static size_t signers_of(const struct mf_gate *g, const struct mf_requirement *q,
			 const struct mf_entries *all, size_t i, struct mf_pubkey **keys)
{
	size_t n = 0;
	for (size_t j = 0; j < all->n; j++)
		if (evaluate_entry(g, q, &all->v[j]) == MF_GATE_MET &&
		    mf_digest_eq(&all->v[i].info.sha256, &all->v[j].info.sha256))
			n = add_signers(g, q, &all->v[j], keys, n);
	return n;
}

static struct mf_pubkey **room_for_keys(const struct mf_entries *all, struct mf_err *err)
{
	size_t room = 0;
	for (size_t i = 0; i < all->n; i++)
		room += all->v[i].nkeys;
	struct mf_pubkey **keys = mf_calloc(room, sizeof(struct mf_pubkey *));
	if (!keys)
		(void)mf_fail_nomem(err);
	return keys;
}

/* Finds the content with the most signers, among the entries that meet the requirement. *best: an entry with
 * it, or NULL. */
static int count(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *out,
		 const struct mf_entry **best, struct mf_err *err)
{
	const struct mf_entries *all = &out->records;
	struct mf_pubkey **keys MF_FREE = room_for_keys(all, err);
	*best = NULL;
	if (!keys || !(out->signers = room_for_keys(all, err)))
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		size_t n = signers_of(g, q, all, i, keys);
		if (n <= out->nsigners || !originals_suffice(g, q, &all->v[i].info.sha256, all))
			continue;
		out->nsigners = n;
		*best = &all->v[i];
		memcpy(out->signers, keys, n * sizeof(struct mf_pubkey *));
	}
	return 0;
}

static bool holds_content(const struct mf_entries *all, const struct mf_digest *content)
{
	for (size_t i = 0; i < all->n; i++)
		if (mf_digest_eq(&all->v[i].info.sha256, content))
			return true;
	return false;
}

/* Moves to the rivals one record of each other content that also has enough signers. */
static int set_rivals_apart(const struct mf_gate *g, const struct mf_requirement *q,
			    const struct mf_digest *content, struct mf_verdict *v, struct mf_err *err)
{
	struct mf_entries *all = &v->records;
	struct mf_pubkey **keys MF_FREE = room_for_keys(all, err);
	bool *rival MF_FREE = mf_calloc(all->n, sizeof *rival);
	if (!keys || !rival)
		return err->code ? -1 : mf_fail_nomem(err);
	for (size_t i = 0; i < all->n; i++)
		rival[i] = !mf_digest_eq(&all->v[i].info.sha256, content) &&
			   (int64_t)signers_of(g, q, all, i, keys) >= q->signers &&
			   originals_suffice(g, q, &all->v[i].info.sha256, all);
	for (size_t i = 0; i < all->n; i++) {
		if (!rival[i] || evaluate_entry(g, q, &all->v[i]) != MF_GATE_MET ||
		    holds_content(&v->rivals, &all->v[i].info.sha256))
			continue;
		if (mf_grow((void **)&v->rivals.v, &v->rivals.cap, v->rivals.n, sizeof *v->rivals.v, err) < 0)
			return -1;
		v->rivals.v[v->rivals.n++] = all->v[i];
		all->v[i] = (struct mf_entry){0};
	}
	return 0;
}

/* Drops all records except those that count: of this content, and meeting the requirement. */
static void keep_content(const struct mf_gate *g, const struct mf_requirement *q,
			 const struct mf_digest *content, struct mf_entries *all)
{
	size_t kept = 0;
	for (size_t i = 0; i < all->n; i++)
		if (evaluate_entry(g, q, &all->v[i]) == MF_GATE_MET &&
		    mf_digest_eq(&all->v[i].info.sha256, content))
			all->v[kept++] = all->v[i];
		else
			mf_entry_clear(&all->v[i]);
	all->n = kept;
}

/* Collects the keys of the policy that signed originals of the records that were kept. */
static int keep_originals(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *v,
			  struct mf_err *err)
{
	v->originals = mf_calloc(q->noriginal_keys, sizeof(struct mf_pubkey *));
	if (!v->originals)
		return mf_fail_nomem(err);
	for (size_t k = 0; k < q->noriginal_keys; k++) {
		struct mf_pubkey *key = NULL;
		for (size_t i = 0; !key && i < v->records.n; i++)
			key = signed_original(g, q, &v->records.v[i], &q->original_keys[k]);
		if (key)
			v->originals[v->noriginals++] = key;
	}
	return 0;
}

/* ---- words */

static int say_signers(const struct mf_gate *g, const struct mf_entry *e, struct mf_buf *out,
		       struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT], label[MF_NAME_LABEL];
	mf_digest_format(digest, &e->info.sha256);
	/* Digests are cut to as many digits as people need to distinguish them. */
	if (mf_buf_printf(out, err, "%.19s signed by", digest) < 0)
		return -1;
	for (size_t i = 0, n = 0; i < e->nkeys; i++) {
		if (!e->signed_by[i])
			continue;
		if (mf_buf_printf(out, err, "%s %s", n++ ? "," : "",
				  mf_names_label(g->set->names, e->keys[i], label)) < 0)
			return -1;
	}
	for (size_t i = 0; i < e->originals.n; i++)
		for (size_t j = 0; j < e->originals.v[i].nkeys && out->n < LONG_FOUND; j++)
			if (mf_buf_printf(out, err, "%s %s", i + j ? "," : "; its original by",
					  mf_names_label(g->set->names, e->originals.v[i].keys[j], label)) <
			    0)
				return -1;
	return 0;
}

static int say_entry(const struct mf_gate *g, const struct mf_requirement *q, const struct mf_entry *e,
		     struct mf_buf *out, struct mf_err *err)
{
	char when[MF_TIME_LEN];
	struct mf_esc esc;
	enum mf_gate_code c = evaluate_entry(g, q, e);
	if (mf_buf_printf(out, err, "%srole '%s': ", out->n ? "; " : "", e->role->role) < 0)
		return -1;
	mf_time_format(when, c == MF_GATE_EXPIRED ? e->record.expires : e->record.created);
	switch (c) {
	case MF_GATE_EXPIRED:
		return mf_buf_printf(out, err, "expired at %s", when);
	case MF_GATE_FOREIGN:
		return mf_buf_addz(out, "a record without a signature that counts", err);
	case MF_GATE_FROM_FUTURE:
		return mf_buf_printf(out, err, "made at %s, which is in the future", when);
	case MF_GATE_TOO_OLD:
		return e->record.created ? mf_buf_printf(out, err, "made at %s", when)
					 : mf_buf_addz(out, "does not say when it was made", err);
	case MF_GATE_MEDIA_TYPE:
		return mf_buf_printf(
		    out, err, "its media type is '%s'",
		    mf_esc(&esc, mf_str_c(e->record.media_type ? e->record.media_type : "")));
	default:
		return say_signers(g, e, out, err);
	}
}

/* The roles whose records count, by name or by type. At most MF_MAX_POLICY_ROLES. */
static size_t roles_of(const struct mf_gate *g, const struct mf_requirement *q,
		       const struct mf_tuf_role *roles[MF_MAX_POLICY_ROLES])
{
	const struct mf_tuf_loaded *by;
	size_t n = 0;
	if (!q->nroles)
		return mf_policy_roles(g->set, mf_str_c(q->type), roles, MF_MAX_POLICY_ROLES);
	for (size_t i = 0; i < q->nroles; i++)
		if (mf_policy_role_by_name(g->set, q->roles[i], &roles[n], &by) == MF_NAMES_ONE)
			n++;
	return n;
}

/* Adds a note if the roles list fewer keys than must sign: that is a mistake in the policy or in the
 * roles. */
static int say_too_few_listed(const struct mf_gate *g, const struct mf_requirement *q, struct mf_buf *out,
			      struct mf_err *err)
{
	const struct mf_tuf_role *roles[MF_MAX_POLICY_ROLES] = {NULL};
	size_t n = roles_of(g, q, roles), room = 0, listed = 0;
	for (size_t i = 0; i < n; i++)
		room += roles[i]->nkeys;
	struct mf_pubkey **keys MF_FREE = mf_calloc(room, sizeof(struct mf_pubkey *));
	if (!keys)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < roles[i]->nkeys; j++) {
			const struct mf_tuf_key *k = roles[i]->keys[j];
			if (k->pub && k->id_fits && !has_key(keys, listed, k->pub))
				keys[listed++] = k->pub;
		}
	if (!n || n == MF_MAX_POLICY_ROLES || (int64_t)listed >= q->signers)
		return 0;
	return mf_buf_printf(out, err, "; the role%s %zu key%s, which can never be %lld signers",
			     n == 1 ? " lists" : "s list", listed, listed == 1 ? "" : "s",
			     (long long)q->signers);
}

static int say_unmet(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *out,
		     struct mf_err *err)
{
	enum mf_gate_code nearest = MF_GATE_ABSENT;
	for (size_t i = 0; i < out->records.n; i++) {
		enum mf_gate_code c = evaluate_entry(g, q, &out->records.v[i]);
		c = c == MF_GATE_MET ? MF_GATE_SIGNERS : c;
		nearest = c < nearest ? c : nearest;
		if (out->found.n < LONG_FOUND && say_entry(g, q, &out->records.v[i], &out->found, err) < 0)
			return -1;
	}
	out->code = nearest;
	mf_entries_clear(&out->records);
	out->nsigners = 0;
	if (!out->found.n && mf_buf_addz(&out->found, "no record", err) < 0)
		return -1;
	return say_too_few_listed(g, q, &out->found, err);
}

/* ---- verdict */

static void drop_seen(struct mf_entries *all, const struct mf_digest *seen, size_t nseen)
{
	size_t kept = 0;
	for (size_t i = 0; i < all->n; i++) {
		bool drop = false;
		for (size_t j = 0; j < nseen; j++)
			drop |= mf_digest_eq(&all->v[i].info.sha256, &seen[j]);
		if (drop)
			mf_entry_clear(&all->v[i]);
		else
			all->v[kept++] = all->v[i];
	}
	all->n = kept;
}

static int evaluate(const struct mf_gate *g, const struct mf_requirement *q, const struct mf_digest *seen,
		    size_t nseen, struct mf_verdict *v, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	const struct mf_entry *best;
	if (mf_record_name(&name, mf_str_c(q->type), g->subject, err) < 0 ||
	    collect(g, q, mf_buf_str(&name), v, err) < 0 ||
	    check_vetoes(g, q->type, mf_buf_str(&name), v, err) < 0)
		return -1;
	if (v->code == MF_GATE_MET && check_roles(g, q, v, err) < 0)
		return -1;
	if (v->code != MF_GATE_MET) {
		mf_entries_clear(&v->records);
		return 0;
	}
	drop_seen(&v->records, seen, nseen);
	if (count(g, q, v, &best, err) < 0)
		return -1;
	if (!best || (int64_t)v->nsigners < q->signers)
		return say_unmet(g, q, v, err);
	struct mf_digest content = best->info.sha256;
	if (q->nwhere && set_rivals_apart(g, q, &content, v, err) < 0)
		return -1;
	keep_content(g, q, &content, &v->records);
	return keep_originals(g, q, v, err);
}

static int evaluate_into(const struct mf_gate *g, const struct mf_requirement *q,
			 const struct mf_digest *seen, size_t nseen, struct mf_verdict *out,
			 struct mf_err *err)
{
	struct mf_verdict v MF_VERDICT_CLEANUP = {.found = MF_BUF_INIT(MAX_FOUND)};
	if (evaluate(g, q, seen, nseen, &v, err) < 0)
		return -1;
	*out = v;
	v = (struct mf_verdict){0};
	return 0;
}

int mf_gate_evaluate(const struct mf_gate *g, const struct mf_requirement *q, struct mf_verdict *out,
		     struct mf_err *err)
{
	return evaluate_into(g, q, NULL, 0, out, err);
}

int mf_gate_find_waiver(const struct mf_gate *g, const struct mf_digest *seen, size_t nseen,
			struct mf_verdict *out, struct mf_err *err)
{
	return evaluate_into(g, &g->rules->waiver, seen, nseen, out, err);
}
