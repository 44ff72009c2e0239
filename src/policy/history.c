#include "policy/history.h"

#include <stdio.h>

#include "base/limits.h"
#include "crypto/hash.h"

const char *mf_event_name(enum mf_event e)
{
	static const char *const names[] = {
	    "none",       "present", "put",     "replaced",     "signed",     "unsigned", "withdrawn",
	    "reinstated", "removed", "foreign", "unauthorised", "authorised", "veto",     "veto-lifted"};
	return names[e];
}

static void past_clear(struct mf_past *p)
{
	mf_entry_clear(&p->entry);
	free(p->signers);
	*p = (struct mf_past){0};
}

void mf_pasts_clear(struct mf_pasts *p)
{
	for (size_t i = 0; i < p->n; i++)
		past_clear(&p->v[i]);
	free(p->v);
	*p = (struct mf_pasts){0};
}

void mf_pasts_forget_entries(struct mf_pasts *p)
{
	for (size_t i = 0; i < p->n; i++)
		mf_entry_clear(&p->v[i].entry);
}

int mf_pasts_move(struct mf_pasts *to, struct mf_past *p, struct mf_err *err)
{
	if (mf_grow((void **)&to->v, &to->cap, to->n, sizeof *to->v, err) < 0)
		return -1;
	to->v[to->n++] = *p;
	*p = (struct mf_past){0};
	return 0;
}

/* ---- reading */

/* Hashes content and description. Entries of other programs have no description: only their content
 * counts. */
static int digest_said(const struct mf_tuf_set *set, struct mf_str name, struct mf_past *p,
		       struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT((size_t)2 << 20);
	const struct mf_entry *e = &p->entry;
	char *gun MF_FREE = mf_str_dup(set->gun);
	struct mf_record_binding b = {
	    .repository = gun, .name = name, .length = e->info.length, .sha256 = e->info.sha256};
	char hex[65];
	if (!gun)
		return mf_fail_nomem(err);
	mf_digest_hex(hex, &e->info.sha256);
	if (e->record.tree
		? mf_record_payload(&payload, &b, e->record.tree, err) < 0
		: mf_buf_printf(&payload, err, "%s %llu ", hex, (unsigned long long)e->info.length) < 0)
		return -1;
	return mf_sha256(mf_buf_bytes(&payload), &p->described, err);
}

static int copy_signers(struct mf_past *p, struct mf_err *err)
{
	const struct mf_entry *e = &p->entry;
	p->signers = mf_calloc(e->nkeys, sizeof *p->signers);
	if (!p->signers)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < e->nkeys; i++)
		if (e->signed_by[i])
			p->signers[p->nsigners++] = mf_pubkey_fingerprint(e->keys[i]);
	return 0;
}

/* Reads entry i as a veto. MF_ABSENT: it is not one of the role's. */
static enum mf_found read_veto(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i,
			       const char *asked, struct mf_past *p, struct mf_err *err)
{
	enum mf_found found = mf_veto_read(set, l, i, &p->entry, err);
	if (found != MF_FOUND)
		return found;
	(void)snprintf(p->type, sizeof p->type, "%.*s", MF_STR_ARG(p->entry.type));
	p->subject = p->entry.subject;
	p->veto = true;
	p->authorised = !asked || mf_policy_role_matches(set, l, asked);
	p->blob = p->entry.info.sha256;
	p->length = p->entry.info.length;
	return digest_said(set, mf_tuf_target_name(l->file, i).raw, p, err) < 0 || copy_signers(p, err) < 0
		   ? MF_FAILED
		   : MF_FOUND;
}

/* Reads entry i. 1: it is a record or a veto, 0: neither. */
static int read_past(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i, const char *asked,
		     struct mf_past *p, struct mf_err *err)
{
	struct mf_str name = mf_tuf_target_name(l->file, i).raw, type;
	struct mf_digest subject;
	struct mf_str own;
	if (mf_veto_name_parse(name, &own, &type, &subject))
		return (int)read_veto(set, l, i, asked, p, err);
	int rc = mf_entry_read(set, l, i, &p->entry, err);
	if (rc < 0)
		return -1;
	if (!mf_record_name_parse(name, &type, &subject))
		return 0;
	(void)snprintf(p->type, sizeof p->type, "%.*s", MF_STR_ARG(type));
	p->subject = subject;
	if (!rc) /* the role's paths do not cover it */
		return 1;
	p->authorised = mf_policy_authorised(set, l, type, asked);
	p->withdrawn = p->entry.record.withdrawn;
	p->blob = p->entry.info.sha256;
	p->length = p->entry.info.length;
	return digest_said(set, name, p, err) < 0 || copy_signers(p, err) < 0 ? -1 : 1;
}

static int add_past(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, size_t i, const char *asked,
		    struct mf_pasts *out, struct mf_err *err)
{
	if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof *out->v, err) < 0)
		return -1;
	struct mf_past *p = &out->v[out->n];
	*p = (struct mf_past){0};
	int rc = read_past(set, l, i, asked, p, err);
	if (rc > 0)
		out->n++;
	else
		past_clear(p);
	return rc < 0 ? -1 : 0;
}

const struct mf_past *mf_pasts_record(const struct mf_pasts *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].veto)
			return &p->v[i];
	return NULL;
}

int mf_past_cmp(const void *a, const void *b)
{
	const struct mf_past *x = a, *y = b;
	int c = memcmp(x->subject.b, y->subject.b, sizeof x->subject.b);
	if (!c)
		c = strcmp(x->type, y->type);
	return c ? c : x->veto - y->veto;
}

/* Is it a veto for the subject, on this type (empty: any) or all? */
static bool is_veto(struct mf_str name, struct mf_str type, const struct mf_digest *subject)
{
	struct mf_str own, stopped;
	struct mf_digest d;
	return mf_veto_name_parse(name, &own, &stopped, &d) && mf_digest_eq(&d, subject) &&
	       (!type.n || mf_str_eq(type, stopped) || mf_str_eqz(stopped, MF_VETO_ALL));
}

static int read_vetoes(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
		       const struct mf_digest *subject, const char *asked, struct mf_pasts *out,
		       struct mf_err *err)
{
	for (size_t i = 0; i < mf_tuf_ntargets(l->file); i++)
		if (is_veto(mf_tuf_target_name(l->file, i).raw, type, subject) &&
		    add_past(set, l, i, asked, out, err) < 0)
			return -1;
	return 0;
}

static int read_all(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l,
		    const struct mf_digest *subject, const char *asked, struct mf_pasts *out,
		    struct mf_err *err)
{
	char tail[80] = "/sha256-";
	mf_digest_hex(tail + 8, subject);
	for (size_t i = 0; i < mf_tuf_ntargets(l->file); i++) {
		struct mf_json_string name = mf_tuf_target_name(l->file, i);
		/* Names with escapes are read, too: they are refused if they are those of records. */
		if ((name.escaped || mf_str_ends(name.raw, mf_str_c(tail))) &&
		    add_past(set, l, i, asked, out, err) < 0)
			return -1;
	}
	return 0;
}

int mf_pasts_read(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
		  const struct mf_digest *subject, const char *asked, struct mf_pasts *out,
		  struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512);
	struct mf_pasts all MF_PASTS_CLEANUP = {0};
	if (type.n) {
		if (mf_record_name(&name, type, subject, err) < 0)
			return -1;
		ptrdiff_t at = mf_tuf_target_find(l->file, mf_buf_str(&name));
		if (at >= 0 && add_past(set, l, (size_t)at, asked, &all, err) < 0)
			return -1;
	} else if (read_all(set, l, subject, asked, &all, err) < 0) {
		return -1;
	}
	if (read_vetoes(set, l, type, subject, asked, &all, err) < 0)
		return -1;
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, mf_past_cmp);
	*out = all;
	all = (struct mf_pasts){0};
	return 0;
}

/* ---- reading all of a role's file */

/* Reads type and subject from a name. False: it is neither that of a record nor that of a veto. */
static bool read_name(struct mf_str name, struct mf_past *p)
{
	struct mf_str own, type;
	p->veto = mf_veto_name_parse(name, &own, &type, &p->subject);
	if (!p->veto && !mf_record_name_parse(name, &type, &p->subject))
		return false;
	(void)snprintf(p->type, sizeof p->type, "%.*s", MF_STR_ARG(type));
	return true;
}

/* Finds an entry with the same octets in the other version. Several vetoes may compare as equal. */
static const struct mf_past *find_same(const struct mf_pasts *before, const struct mf_past *p)
{
	size_t lo = 0, hi = before->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (mf_past_cmp(&before->v[mid], p) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < before->n && mf_past_cmp(&before->v[lo], p) == 0; lo++)
		if (mf_digest_eq(&before->v[lo].raw, &p->raw))
			return &before->v[lo];
	return NULL;
}

/* One file of a role, and the result for another version. */
struct reading {
	const struct mf_tuf_set *set;
	const struct mf_tuf_loaded *l;
	const char *asked;
	const struct mf_pasts *before;
};

/* Authority may change while the entry stays the same: it also depends on the other roles that the file
 * lists. */
static bool is_authorised(const struct reading *r, const struct mf_past *p)
{
	if (p->veto)
		return !r->asked || mf_policy_role_matches(r->set, r->l, r->asked);
	return mf_policy_authorised(r->set, r->l, mf_str_c(p->type), r->asked);
}

static int take_over(const struct mf_past *old, struct mf_pasts *out, struct mf_err *err)
{
	if (mf_grow((void **)&out->v, &out->cap, out->n, sizeof *out->v, err) < 0)
		return -1;
	struct mf_past *p = &out->v[out->n];
	*p = *old;
	p->entry = (struct mf_entry){0};
	p->signers = mf_calloc(old->nsigners, sizeof *p->signers);
	if (!p->signers)
		return mf_fail_nomem(err);
	if (old->nsigners)
		memcpy(p->signers, old->signers, old->nsigners * sizeof *p->signers);
	out->n++;
	return 0;
}

static int read_or_take(const struct reading *r, size_t i, struct mf_pasts *out, struct mf_err *err)
{
	struct mf_past p = {.nsigners = 0};
	struct mf_json_string name = mf_tuf_target_name(r->l->file, i);
	bool named = !name.escaped && read_name(name.raw, &p);
	struct mf_str value = mf_tuf_target_value(r->l->file, i);
	if (named && mf_sha256((struct mf_bytes){(const uint8_t *)value.p, value.n}, &p.raw, err) < 0)
		return -1;
	const struct mf_past *old = named && r->before ? find_same(r->before, &p) : NULL;
	if (old && old->authorised == is_authorised(r, old))
		return take_over(old, out, err);
	size_t n = out->n;
	if (add_past(r->set, r->l, i, r->asked, out, err) < 0)
		return -1;
	if (out->n > n)
		out->v[n].raw = p.raw;
	return 0;
}

static bool is_of_type(const struct mf_tuf_loaded *l, size_t i, struct mf_str type)
{
	struct mf_json_string name = mf_tuf_target_name(l->file, i);
	struct mf_past p = {.nsigners = 0};
	return !type.n || name.escaped || !read_name(name.raw, &p) || mf_str_eqz(type, p.type) ||
	       (p.veto && strcmp(p.type, MF_VETO_ALL) == 0);
}

int mf_pasts_read_repository(const struct mf_tuf_set *set, const struct mf_tuf_loaded *l, struct mf_str type,
			     const char *asked, const struct mf_pasts *before, struct mf_pasts *out,
			     struct mf_err *err)
{
	const struct reading r = {set, l, asked, before};
	struct mf_pasts all MF_PASTS_CLEANUP = {0};
	for (size_t i = 0; i < mf_tuf_ntargets(l->file); i++)
		if (is_of_type(l, i, type) && read_or_take(&r, i, &all, err) < 0)
			return -1;
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, mf_past_cmp);
	*out = all;
	all = (struct mf_pasts){0};
	return 0;
}

/* ---- comparing */

bool mf_past_signed_by(const struct mf_past *p, const struct mf_digest *fp)
{
	for (size_t i = 0; i < p->nsigners; i++)
		if (mf_digest_eq(&p->signers[i], fp))
			return true;
	return false;
}

/* Has `b` a signer that `a` has not? */
static bool more_signers(const struct mf_past *a, const struct mf_past *b)
{
	for (size_t i = 0; i < b->nsigners; i++)
		if (!mf_past_signed_by(a, &b->signers[i]))
			return true;
	return false;
}

static enum mf_event came(const struct mf_past *p, enum mf_event how)
{
	if (p->withdrawn)
		return MF_EVENT_WITHDRAWN;
	return p->nsigners ? how : MF_EVENT_FOREIGN;
}

enum mf_event mf_event_between(const struct mf_past *before, const struct mf_past *after, bool known)
{
	bool was = before && before->authorised, is = after && after->authorised;
	if ((before && before->veto) || (after && after->veto)) {
		if (!is)
			return was ? MF_EVENT_VETO_LIFTED : MF_EVENT_NONE;
		return was && mf_digest_eq(&before->described, &after->described) ? MF_EVENT_NONE
										  : MF_EVENT_VETO;
	}
	if (!was && !is)
		return MF_EVENT_NONE;
	if (!is)
		return after ? MF_EVENT_UNAUTHORISED : MF_EVENT_REMOVED;
	if (!was && before)
		return MF_EVENT_AUTHORISED;
	if (!was)
		return known ? came(after, MF_EVENT_PUT) : MF_EVENT_PRESENT;
	if (before->withdrawn != after->withdrawn)
		return after->withdrawn ? MF_EVENT_WITHDRAWN : MF_EVENT_REINSTATED;
	if (!mf_digest_eq(&before->described, &after->described))
		return came(after, MF_EVENT_REPLACED);
	if (more_signers(before, after))
		return MF_EVENT_SIGNED;
	return more_signers(after, before) ? MF_EVENT_UNSIGNED : MF_EVENT_NONE;
}
