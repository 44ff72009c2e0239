/* status: reports what its owners should know about a repository, and which commands they should run. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/x509.h"
#include "ops/drift.h"
#include "publish/publish.h"

#define DEFAULT_WITHIN (30 * INT64_C(86400))

int manifesto_graver(int a, int b)
{
	return mf_exit_graver(a, b) ? a : b;
}

/* What a finding is about. Findings of one exit status are shown in this order; the steps add them in
 * another. */
enum topic { ROLES, SIGNERS, RECORDS, TARGETS, DRIFT, KEYS, TOPICS };

struct report {
	struct mf_image *im;
	const struct mf_tuf_set *set;
	const char *repository; /* as the user wrote it, for suggested commands */
	int64_t within;
	struct manifesto_status_result *out;
	struct mf_arena *a;
	enum topic topic; /* of the findings that are added next */
	struct {
		struct manifesto_status_finding *f; /* in the arena */
		enum topic topic;
	} * v;
	size_t n, cap;
	bool unread;           /* the signers of a record could not be read */
	struct mf_err unknown; /* why records and content could not be examined; empty: they could */
};

static void report_clear(struct report *r)
{
	free(r->v);
}

/* Removes the findings of a topic. */
static void withdraw_topic(struct report *r, enum topic topic)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].topic != topic)
			r->v[kept++] = r->v[i];
	r->n = kept;
}

/* Adds a finding with its message. NULL: failure. */
static struct manifesto_status_finding *add(struct report *r, const char *kind, int status,
					    struct mf_err *err, const char *fmt, ...) MF_PRINTF(5, 6);
static struct manifesto_status_finding *add(struct report *r, const char *kind, int status,
					    struct mf_err *err, const char *fmt, ...)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	va_list ap;
	va_start(ap, fmt);
	int rc = mf_buf_vprintf(&text, err, fmt, ap);
	va_end(ap);
	if (rc < 0 || mf_grow((void **)&r->v, &r->cap, r->n, sizeof *r->v, err) < 0)
		return NULL;
	struct manifesto_status_finding *f = mf_arena_alloc(r->a, 1, sizeof *f, err);
	if (!f)
		return NULL;
	r->v[r->n].f = f;
	r->v[r->n].topic = r->topic;
	*f = (struct manifesto_status_finding){.kind = kind, .status = status};
	f->message = mf_arena_text_of(r->a, mf_buf_str(&text));
	r->n++;
	return f;
}

static void act(struct report *r, struct manifesto_status_finding *f, const char *actor, const char *command)
{
	f->actor = actor;
	f->action = command ? mf_arena_format(r->a, "manifesto %s %s", command, r->repository) : NULL;
}

/* ---- roles */

/* Can this machine re-sign and publish the role? After any role but the root, snapshot and timestamp must
 * follow. */
static bool can_refresh(const struct report *r, const struct mf_tuf_role *role, enum mf_tuf_type type)
{
	const struct mf_trust *t = r->im->trust;
	return mf_publish_can_sign(t, role) && (type == MF_TUF_ROOT || mf_publish_can_follow(t));
}

/* When the first of the files of a role expires. */
struct expiry {
	const struct mf_tuf_role *role;
	enum mf_tuf_type type;
	int64_t until;
};

static int report_expiry(struct report *r, const struct expiry *x, const char *note, struct mf_err *err)
{
	const struct mf_tuf_role *role = x->role;
	bool expired = x->until <= r->set->now;
	char when[MF_TIME_LEN];
	struct mf_esc e;
	mf_time_format(when, x->until);
	struct manifesto_status_finding *f =
	    add(r, expired ? "role-expired" : "role-expiring",
		expired ? MANIFESTO_EXPIRED : MANIFESTO_EXPIRING, err, "%s %s at %s%s",
		mf_esc(&e, mf_str_c(role->name)), expired ? "expired" : "expires", when, note);
	if (!f)
		return -1;
	f->expires = x->until;
	f->role = mf_arena_text(r->a, role->name);
	/* Expired metadata is re-signed only by a machine that has seen the repository before. */
	bool here = can_refresh(r, role, x->type) && !(expired && mf_trust_first_seen(r->im->trust));
	act(r, f, here ? "here" : "key-holder", "trust refresh");
	return 0;
}

/* Reports a role that has expired or soon will. A Notary server re-signs its timestamp and snapshot on the
 * first request after they expired: until then they are not reported. */
static int check_role(struct report *r, const struct expiry *x, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_trust *t = r->im->trust;
	bool expired = x->until <= r->set->now;
	if (x->until > r->set->now + mf_publish_window(t, x->type, r->within))
		return 0;
	int server = mf_publish_server_signs(t, x->type, &why);
	if (server < 0)
		return report_expiry(r, x, "; it is unknown whether the server signs it", err);
	if (!server || expired)
		if (report_expiry(r, x, server ? "; the server should have re-signed it" : "", err) < 0)
			return -1;
	if (server && expired) {
		r->v[r->n - 1].f->actor = "server";
		r->v[r->n - 1].f->action = NULL;
	}
	return 0;
}

static int check_certificates(struct report *r, struct mf_err *err)
{
	const struct mf_tuf_role *role = &r->set->root->roles[MF_TUF_ROOT];
	for (size_t i = 0; i < role->nkeys; i++) {
		const bool check_expiry = false;
		struct mf_root_cert c MF_CLEANUP(mf_root_cert_clear) = {0};
		struct mf_err ignored = MF_ERR_INIT;
		char when[MF_TIME_LEN], label[MF_NAME_LABEL];
		if (!role->keys[i]->certs ||
		    mf_root_certs_check(role->keys[i]->certs, r->set->gun, r->set->now, check_expiry, &c,
					&ignored) < 0 ||
		    c.not_after > r->set->now + r->within)
			continue;
		mf_time_format(when, c.not_after);
		/* The status does not depend on this certificate alone: if too few root keys had valid ones,
		 * `expired_certificate` would be set. */
		bool expired = c.not_after <= r->set->now,
		     here = mf_trust_key_here(r->im->trust, role->keys[i]);
		struct manifesto_status_finding *f = add(
		    r, expired ? "certificate-expired" : "certificate-expiring",
		    r->set->expired_certificate ? MANIFESTO_EXPIRED : MANIFESTO_EXPIRING, err,
		    "the certificate of root key %s %s at %s: the root needs a new certificate",
		    mf_names_label(&r->im->m->names, c.leaf, label), expired ? "expired" : "expires", when);
		if (!f)
			return -1;
		f->actor = here ? "here" : "key-holder";
		f->action = mf_arena_format(r->a, "manifesto trust rotate %s root", r->repository);
		f->expires = c.not_after;
		f->role = "root";
	}
	return 0;
}

/* How many keys a role has that can verify, each counted once. */
static size_t count_keys(const struct mf_tuf_role *role)
{
	size_t n = 0;
	for (size_t i = 0; i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		bool counts = k->pub && k->id_fits;
		for (size_t j = 0; j < i && counts; j++)
			counts = !mf_pubkey_eq(role->keys[j]->pub, k->pub);
		n += counts;
	}
	return n;
}

/* Warns if this machine has all keys of a role with a threshold: if it is taken over, the threshold protects
 * nothing. */
static int check_spread(struct report *r, const struct mf_tuf_role *role, struct mf_err *err)
{
	struct mf_esc e;
	size_t n = count_keys(role);
	if (role->threshold < 2 || mf_publish_held(r->im->trust, role) < n)
		return 0;
	struct manifesto_status_finding *f =
	    add(r, "keys-together", MANIFESTO_EXPIRING, err,
		"all %zu keys of %s, which needs %lld signatures, are on this machine", n,
		mf_esc(&e, mf_str_c(role->name)), (long long)role->threshold);
	if (!f)
		return -1;
	f->actor = "here";
	f->role = mf_arena_text(r->a, role->name);
	return 0;
}

/* Does a role of the repository need several signatures? */
static bool shares_power(const struct mf_tuf_set *s)
{
	for (size_t i = 0; i < s->nroles; i++)
		for (size_t k = 0; k < s->roles[i]->file->nroles; k++)
			if (s->roles[i]->file->roles[k].threshold > 1)
				return true;
	return s->root->roles[MF_TUF_TARGETS].threshold > 1;
}

/* Warns of a root with one key only: if it is lost, no key can be added or removed again; a thief of it can
 * undo each threshold. If no role needs several signatures, it is only a note (status 0). */
static int check_root_keys(struct report *r, struct mf_err *err)
{
	const struct mf_tuf_role *root = &r->set->root->roles[MF_TUF_ROOT];
	if (count_keys(root) > 1)
		return 0;
	struct manifesto_status_finding *f = add(
	    r, "one-root-key", shares_power(r->set) ? MANIFESTO_EXPIRING : MANIFESTO_OK, err,
	    "the root has only one key: if it is lost, the keys of this repository can never change again");
	if (!f)
		return -1;
	f->role = "root";
	f->actor = mf_publish_held(r->im->trust, root) ? "here" : "key-holder";
	f->action =
	    mf_arena_format(r->a, "manifesto trust rotate %s root --key SPARE --keep-old", r->repository);
	return 0;
}

static int check_keys(struct report *r, struct mf_err *err)
{
	const struct mf_tuf_set *s = r->set;
	r->topic = KEYS;
	if (check_root_keys(r, err) < 0)
		return -1;
	for (size_t i = 0; i < MF_TUF_TYPES; i++)
		if (check_spread(r, &s->root->roles[i], err) < 0)
			return -1;
	for (size_t i = 0; i < s->nroles; i++)
		for (size_t k = 0; k < s->roles[i]->file->nroles; k++)
			if (!mf_tuf_is_shard(s->d, s->roles[i], &s->roles[i]->file->roles[k]) &&
			    check_spread(r, &s->roles[i]->file->roles[k], err) < 0)
				return -1;
	return 0;
}

static int report_broken(struct report *r, const struct mf_trust_broken *b, struct mf_err *err)
{
	struct manifesto_status_finding *f = add(r, "role-broken", mf_code_exit(b->code), err, "%s", b->why);
	if (!f)
		return -1;
	act(r, f, "key-holder", NULL);
	f->role = mf_arena_text(r->a, b->role);
	return 0;
}

/* Reports broken roles in the order in which they are listed, since shards are loaded in another order. */
static int check_broken(struct report *r, struct mf_err *err)
{
	size_t n;
	const struct mf_trust_broken *b = mf_trust_broken(r->im->trust, &n);
	bool *done MF_FREE = mf_calloc(n, sizeof *done);
	if (!done)
		return mf_fail_nomem(err);
	for (size_t i = 0; n && i < r->set->nroles; i++)
		for (size_t j = 0; j < r->set->roles[i]->file->nroles; j++)
			for (size_t k = 0; k < n; k++) {
				if (done[k] || strcmp(b[k].role, r->set->roles[i]->file->roles[j].name) != 0)
					continue;
				done[k] = true;
				if (report_broken(r, &b[k], err) < 0)
					return -1;
			}
	return 0;
}

static int check_roles(struct report *r, struct mf_err *err)
{
	const struct mf_tuf_set *s = r->set;
	const struct mf_tuf_file *top[] = {s->root, s->timestamp, s->snapshot};
	r->topic = ROLES;
	for (size_t i = 0; i < 3; i++) {
		const struct expiry x = {&s->root->roles[top[i]->type], top[i]->type, top[i]->expires};
		if (check_role(r, &x, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->nroles; i++) {
		const struct mf_tuf_loaded *l = s->roles[i];
		const struct expiry x = {l->delegation ? l->delegation : &s->root->roles[MF_TUF_TARGETS],
					 MF_TUF_TARGETS, mf_tuf_role_expires(s, l)};
		/* a role that two delegators list is loaded for each: report it once */
		if (mf_tuf_set_find(s, l->role) == l && check_role(r, &x, err) < 0)
			return -1;
	}
	return check_certificates(r, err) < 0 ? -1 : check_broken(r, err);
}

/* ---- records */

static void about(struct report *r, struct manifesto_status_finding *f, const struct mf_entry *e)
{
	f->role = mf_arena_text(r->a, e->role->role);
	f->type = mf_arena_text_of(r->a, e->type);
	f->subject = mf_report_digest(r->a, &e->subject);
	f->expires = e->record.expires;
}

/* Suggests the `put` that makes the record again. */
static void publisher(struct report *r, struct manifesto_status_finding *f)
{
	f->actor = "publisher";
	f->action = mf_arena_format(r->a, "manifesto put %s@%s %s FILE", r->repository, f->subject, f->type);
}

static int add_withdrawn(struct report *r, const struct mf_entry *e, const char *subject, struct mf_err *err)
{
	struct mf_esc reason;
	const char *text = e->record.reason ? mf_esc(&reason, mf_str_c(e->record.reason)) : "";
	struct manifesto_status_finding *f =
	    add(r, "record-withdrawn", MANIFESTO_OK, err, "'%.*s' of %s is withdrawn by '%s'%s%s",
		MF_STR_ARG(e->type), subject, e->role->role, e->record.reason ? ": " : "", text);
	if (!f)
		return -1;
	about(r, f, e);
	return 0;
}

static int check_record(struct report *r, const struct mf_entry *e, bool unreachable, struct mf_err *err)
{
	char subject[MF_DIGEST_TEXT], blob[MF_DIGEST_TEXT], when[MF_TIME_LEN];
	struct manifesto_status_finding *f;
	mf_digest_format(subject, &e->subject);
	if (e->record.withdrawn)
		return add_withdrawn(r, e, subject, err);
	if (unreachable) {
		mf_digest_format(blob, &e->info.sha256);
		f = add(r, "blob-missing", MANIFESTO_CONTENT_GONE, err,
			"the content of '%.*s' of %s in '%s' is gone: %s", MF_STR_ARG(e->type), subject,
			e->role->role, blob);
		if (!f)
			return -1;
		about(r, f, e);
		publisher(r, f);
	}
	if (!e->record.has_expires || e->record.expires > r->set->now + r->within)
		return 0;
	/* An expired record is only a note (status 0): it is normal that approvals of old images expire. */
	bool expired = e->record.expires <= r->set->now;
	mf_time_format(when, e->record.expires);
	f = add(r, expired ? "record-expired" : "record-expiring",
		expired ? MANIFESTO_OK : MANIFESTO_EXPIRING, err, "'%.*s' of %s in '%s' %s at %s",
		MF_STR_ARG(e->type), subject, e->role->role, expired ? "expired" : "expires", when);
	if (!f)
		return -1;
	about(r, f, e);
	if (!expired)
		publisher(r, f);
	return 0;
}

static int report_veto(struct report *r, const struct mf_entry *e, struct mf_err *err)
{
	char subject[MF_DIGEST_TEXT];
	struct mf_esc reason;
	mf_digest_format(subject, &e->subject);
	struct manifesto_status_finding *f =
	    add(r, "record-veto", MANIFESTO_OK, err, "'%.*s' of %s is vetoed by '%s'%s%s",
		MF_STR_ARG(e->type), subject, e->role->role, e->record.reason ? ": " : "",
		e->record.reason ? mf_esc(&reason, mf_str_c(e->record.reason)) : "");
	if (!f)
		return -1;
	about(r, f, e);
	return 0;
}

/* Reports a record whose signers' keys are not listed by the role, so that it does not count as signed. */
static int check_signer(void *arg, struct mf_entry *e, struct mf_err *err)
{
	struct report *r = arg;
	char subject[MF_DIGEST_TEXT], signer[65];
	if (e->state == MF_STATE_VETO && report_veto(r, e, err) < 0)
		return -1;
	if (e->state != MF_STATE_FOREIGN || !e->record.nsigs)
		return 0;
	mf_digest_format(subject, &e->subject);
	mf_digest_hex(signer, &e->record.sigs[0].fingerprint);
	struct manifesto_status_finding *f =
	    add(r, "record-unsigned", MANIFESTO_EXPIRING, err,
		"'%.*s' of %s in '%s' has no signature that counts: its signer %.16s is not, or no longer, "
		"listed by the role",
		MF_STR_ARG(e->type), subject, e->role->role, signer);
	if (!f)
		return -1;
	about(r, f, e);
	f->actor = "publisher";
	f->action = mf_arena_format(r->a, "manifesto sign %s@%s %s", r->repository, f->subject, f->type);
	return 0;
}

static int check_signers(struct report *r, const bool *given, struct mf_err *err)
{
	const struct mf_entry_filter which = {.first_bytes = given};
	struct mf_err why = MF_ERR_INIT;
	r->topic = SIGNERS;
	if (r->unread || mf_policy_each(r->set, which, check_signer, r, &why) == 0)
		return 0;
	r->unread = true;
	withdraw_topic(r, SIGNERS); /* check_registry reports an entry that cannot be read */
	return why.code == MF_E_NOMEM ? mf_fail_nomem(err) : 0;
}

static bool in_force(const struct report *r, const struct mf_entry *e)
{
	return !e->record.withdrawn && (!e->record.has_expires || e->record.expires > r->set->now);
}

static int check_records(void *arg, const struct mf_drift_part *d, struct mf_err *err)
{
	struct report *r = arg;
	r->topic = RECORDS;
	for (size_t i = 0; i < d->all->n; i++) {
		r->out->nrecords += in_force(r, &d->all->v[i]);
		if (check_record(r, &d->all->v[i], d->unreachable[i], err) < 0)
			return -1;
	}
	return 0;
}

static int check_targets(struct report *r, size_t missing, struct mf_err *err)
{
	if (!missing)
		return 0;
	r->topic = TARGETS;
	struct manifesto_status_finding *f =
	    add(r, "targets-missing", MANIFESTO_EXPIRING, err,
		"%zu target files are missing from the trust repository", missing);
	if (!f)
		return -1;
	act(r, f, "here", "repair");
	return 0;
}

/* ---- catalogue and referrers */

/* If the registry refused a repair, the difference is only a note (status 0): nothing trusts catalogue and
 * referrers. */
static int drift_status(const struct mf_drift *d)
{
	return d->refused ? MANIFESTO_OK : MANIFESTO_EXPIRING;
}

static const char *drift_note(const struct mf_drift *d)
{
	return d->refused ? "; the registry refused to change that" : "";
}

static int check_subject(struct report *r, const struct mf_drift *d, const struct mf_subject_differs *x,
			 bool whole, struct mf_err *err)
{
	char subject[MF_DIGEST_TEXT];
	struct manifesto_status_finding *f;
	size_t stale = whole ? x->nstale : 0;
	mf_digest_format(subject, &x->digest);
	if (x->gone)
		f = add(r, "image-gone", MANIFESTO_OK, err,
			"%zu records belong to %s, which no longer exists", x->nrecords, subject);
	else if (x->unlisted || stale)
		f = add(r, "referrers-drift", drift_status(d), err,
			"the referrers of %s lack %zu records and have %zu too many%s", subject, x->unlisted,
			stale, drift_note(d));
	else
		return 0;
	if (!f)
		return -1;
	if (!x->gone && !d->refused)
		act(r, f, "here", "repair");
	f->subject = mf_arena_text(r->a, subject);
	return 0;
}

/* Reports catalogue and referrers that differ. The catalogue keeps content from garbage collection: if it is
 * wrong, nothing is lost yet, but may be soon. The records of a role that cannot be read are not known, so
 * with such a role nothing is reported as superfluous. */
static int check_drift(struct report *r, const struct mf_drift *d, struct mf_err *err)
{
	size_t nbroken;
	(void)mf_trust_broken(r->im->trust, &nbroken);
	r->topic = DRIFT;
	if (d->catalogue && !nbroken) {
		struct manifesto_status_finding *f =
		    add(r, "catalogue-drift", drift_status(d), err,
			"the catalogue '_manifesto' differs from the signed records%s", drift_note(d));
		if (!f)
			return -1;
		if (!d->refused)
			act(r, f, "here", "repair");
	}
	for (size_t i = 0; i < d->n; i++)
		if (check_subject(r, d, &d->v[i], nbroken == 0, err) < 0)
			return -1;
	return 0;
}

/* If the registry does not answer, the findings about the trust repository are reported all the same. */
static int report_unknown(struct report *r, struct mf_err *err)
{
	const struct mf_err *why = &r->unknown;
	bool names_endpoint = strstr(why->msg, why->endpoint) != NULL;
	withdraw_topic(r, RECORDS);
	r->out->nrecords = 0;
	r->topic = RECORDS;
	return add(r, "not-examined", mf_code_exit(why->code), err,
		   "records and content could not be examined: %s%s%s", why->msg,
		   names_endpoint ? "" : " at ", names_endpoint ? "" : why->endpoint)
		   ? 0
		   : -1;
}

static int check_registry(struct report *r, struct mf_drift_find *f, struct mf_err *err)
{
	if (!r->unknown.code && mf_drift_end(f, &r->unknown) < 0 && mf_err_ends_run(&r->unknown))
		return mf_fail(err, r->unknown.code, 0, "%s", r->unknown.msg);
	if (r->unknown.code)
		return report_unknown(r, err);
	r->out->nsubjects = f->found.nsubjects;
	return check_targets(r, f->found.no_target, err) < 0 ? -1 : check_drift(r, &f->found, err);
}

/* ---- all of it */

static bool has_expired(const struct mf_trust *t)
{
	size_t n;
	const struct mf_trust_broken *b = mf_trust_broken(t, &n);
	bool expired = false;
	for (size_t i = 0; i < n; i++)
		expired |= b[i].code == MF_E_EXPIRED;
	return expired;
}

/* MF_ABSENT: a file has expired, so that MF_LOAD_SHOW is needed. */
static enum mf_found load(struct mf_trust *t, enum mf_load_purpose purpose, struct mf_err *err)
{
	const struct mf_load how = {.purpose = purpose, .tolerate_broken = true, .subjects = mf_no_subjects};
	if (mf_trust_load(t, &how, err) == 0)
		return purpose != MF_LOAD_SHOW && has_expired(t) ? MF_ABSENT : MF_FOUND;
	if (purpose == MF_LOAD_SHOW || err->code != MF_E_EXPIRED)
		return MF_FAILED;
	mf_err_clear(err);
	return MF_ABSENT;
}

/* Goes through all records. MF_ABSENT: as for load(). */
static enum mf_found walk(struct report *r, enum mf_load_purpose purpose, struct mf_err *err)
{
	struct mf_drift_find f MF_DRIFT_FIND_CLEANUP = {
	    .im = r->im, .take = check_records, .arg = r, .keep_gone = true};
	struct mf_shard_steps steps = {.t = r->im->trust, .env = &r->im->m->env};
	enum mf_found more = mf_drift_begin(&f, err) < 0 ? MF_FAILED : MF_FOUND;
	while (more == MF_FOUND && (more = mf_shards_next(&steps, err)) == MF_FOUND) {
		if (purpose != MF_LOAD_SHOW && has_expired(r->im->trust))
			return MF_ABSENT;
		if (check_signers(r, steps.given, err) < 0)
			return MF_FAILED;
		if (!r->unknown.code && mf_drift_step(&f, &steps, &r->unknown) < 0 &&
		    mf_err_ends_run(&r->unknown)) {
			(void)mf_fail(err, r->unknown.code, 0, "%s", r->unknown.msg);
			return MF_FAILED;
		}
	}
	if (more == MF_FAILED)
		return MF_FAILED;
	return check_registry(r, &f, err) < 0 ? MF_FAILED : MF_FOUND;
}

/* MF_ABSENT: as for load(). */
static enum mf_found examine(struct report *r, enum mf_load_purpose purpose, struct mf_err *err)
{
	enum mf_found found = load(r->im->trust, purpose, err);
	r->set = mf_trust_set(r->im->trust);
	r->n = 0;
	r->unread = false;
	r->unknown = (struct mf_err)MF_ERR_INIT;
	r->out->nrecords = 0;
	return found == MF_FOUND ? walk(r, purpose, err) : found;
}

/* The gravest status of the findings that are less grave than `below` (-1: of all findings). -1: there is
 * none. */
static int gravest(const struct report *r, int below)
{
	int s = -1;
	for (size_t i = 0; i < r->n; i++)
		if ((below < 0 || mf_exit_graver(below, r->v[i].f->status)) &&
		    (s < 0 || mf_exit_graver(r->v[i].f->status, s)))
			s = r->v[i].f->status;
	return s;
}

static int finish(struct report *r, struct manifesto_status_result *out, struct mf_err *err)
{
	const struct manifesto_status_finding **v =
	    mf_arena_alloc(r->a, r->n, sizeof(struct manifesto_status_finding *), err);
	size_t at = 0;
	if (!v)
		return -1;
	for (int s = gravest(r, -1); s >= 0; s = gravest(r, s))
		for (enum topic topic = ROLES; topic < TOPICS; topic++)
			for (size_t i = 0; i < r->n; i++)
				if (r->v[i].f->status == s && r->v[i].topic == topic)
					v[at++] = r->v[i].f;
	out->status = at ? v[0]->status : MANIFESTO_OK;
	out->findings = v;
	out->nfindings = at;
	return mf_arena_check(r->a, err);
}

static int status(struct mf_image *im, const struct manifesto_status_options *o,
		  struct manifesto_status_result *out, struct mf_err *err)
{
	struct report r MF_CLEANUP(report_clear) = {.im = im,
						    .repository = o->repository,
						    .within =
							o->warn_within > 0 ? o->warn_within : DEFAULT_WITHIN,
						    .out = out,
						    .a = mf_result_arena(out)};
	if (im->map) /* suggest commands for the mapped repository, which can be written to */
		r.repository = mf_trust_pin_name(im->trust);
	enum mf_found done = examine(&r, MF_LOAD_READ, err);
	if (done == MF_ABSENT)
		done = examine(&r, MF_LOAD_SHOW, err);
	if (done != MF_FOUND)
		return -1;
	out->dialect = mf_trust_dialect(im->trust)->name;
	out->gun = mf_arena_dup(r.a, mf_str_c(mf_trust_pin_name(im->trust)), err);
	out->where = out->gun ? mf_arena_dup(r.a, mf_str_c(mf_trust_where(im->trust)), err) : NULL;
	if (!out->where || mf_report_roles(im->m, r.set, r.a, &out->roles, &out->nroles, err) < 0 ||
	    check_roles(&r, err) < 0 || check_keys(&r, err) < 0)
		return -1;
	return finish(&r, out, err);
}

int manifesto_status(struct manifesto *m, const struct manifesto_status_options *opt,
		     const struct manifesto_status_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_image im MF_IMAGE_CLEANUP = {0};
	struct manifesto_status_options o;
	struct manifesto_status_result *r = NULL;
	mf_op_begin(m, error);
	if (mf_op_options(&o, sizeof o, opt, &err) == 0)
		r = mf_result_new(sizeof *r, &err);
	int rc = !r || mf_repository_open_by(&im, m, o.repository, MF_MAPS_FOLLOW, &err) < 0
		     ? -1
		     : status(&im, &o, r, &err);
	return MF_OP_END(rc, r, out, error, &err);
}
