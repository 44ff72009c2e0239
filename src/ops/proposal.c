/* proposal list, show, sign, publish, drop; and how other operations store a change as a proposal. */
#include <unistd.h>

#include "crypto/hash.h"
#include "ops/proposal.h"

struct work {
	struct manifesto *m;
	const struct manifesto_proposal_options *o;
	struct manifesto_proposal_result *out;
	struct mf_arena *a;
	struct mf_image im;
	struct mf_proposal p;
	struct manifesto_proposal *shown;
	bool beside; /* the proposal is beside the image, at `place`; else in a file */
	struct mf_proposal_place place;
	struct mf_digest read; /* SHA-256 of the file when it was read */
	const char **warnings;
};

static void work_clear(struct work *w)
{
	mf_proposal_clear(&w->p);
	mf_image_close(&w->im);
}

/* ---- a change that is proposed */

static bool goes_beside(const char *where)
{
	return strcmp(where, "@") == 0;
}

int mf_propose_begin(struct mf_image *im, const char *where, struct mf_proposal *p, struct mf_err *err)
{
	struct mf_esc e;
	if (!where)
		return 0;
	if (!goes_beside(where) && access(where, F_OK) == 0)
		return mf_fail(err, MF_E_USAGE, 0, "'%s' exists already, expected the name of a new file",
			       mf_esc(&e, mf_str_c(where)));
	im->proposes = true;
	p->created = mf_env_now(&im->m->env);
	p->expires = p->created + MF_PROPOSAL_LIFE;
	p->image = mf_arena_dup(&p->arena, mf_str_c(im->text), err);
	return p->image ? 0 : -1;
}

int mf_propose_store(struct mf_image *im, const char *where, const struct mf_proposal *p, struct mf_arena *a,
		     const char **name, struct mf_err *err)
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	struct mf_proposal_place at;
	if (!p->added)
		return mf_fail(err, MF_E_KEY, 0, "no key on this machine may sign any part of this change");
	if (goes_beside(where)) {
		if (mf_proposal_put(im, p, &at, err) < 0)
			return mf_wrap(err, "store the proposal beside the image");
		*name = mf_report_hex(a, &at.digest);
		return mf_arena_check(a, err);
	}
	if (mf_proposal_write(p, &doc, err) < 0 || mf_file_create(where, mf_buf_bytes(&doc), 0644, err) < 0)
		return -1;
	*name = mf_arena_text(a, where);
	return mf_arena_check(a, err);
}

/* ---- reading a proposal */

static bool is_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");
	return n >= 8 && n <= 64 && !text[n];
}

static int read_file(struct work *w, struct mf_err *err)
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	struct mf_esc e;
	if (mf_file_read(w->o->proposal, MF_MAX_PROPOSAL_BYTES, &doc, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	if (mf_proposal_parse(&w->p, mf_buf_bytes(&doc), err) < 0)
		return mf_wrap(err, "'%s'", mf_esc(&e, mf_str_c(w->o->proposal)));
	return mf_sha256(mf_buf_bytes(&doc), &w->read, err);
}

static int open_file(struct work *w, struct mf_err *err)
{
	if (read_file(w, err) < 0)
		return -1;
	return mf_image_open(&w->im, w->m, w->o->image ? w->o->image : w->p.image, err);
}

static int find_place(struct work *w, struct mf_err *err)
{
	struct mf_proposal_places found MF_CLEANUP(mf_proposal_places_clear) = {.n = 0};
	if (mf_proposal_find_places(&w->im, w->o->proposal, &found, err) < 0)
		return -1;
	if (found.n == 1) {
		w->place = found.v[0];
		return 0;
	}
	(void)mf_fail(err, found.n ? MF_E_AMBIGUOUS : MF_E_NOT_FOUND, 0,
		      found.n ? "several proposals of this image have IDs that begin with '%s'"
			      : "this image has no proposal '%s'",
		      w->o->proposal);
	mf_err_set_hint(err, "'manifesto proposal list %s' shows the proposals of the image", w->o->image);
	return -1;
}

static int open_image(struct work *w, struct mf_err *err)
{
	return mf_image_open(&w->im, w->m, w->o->image, err) < 0 ? -1 : mf_image_begin(&w->im, err);
}

/* Finds the proposal beside the image. Called after the load: only proposals for this trust repository are
 * found. */
static int resolve_place(struct work *w, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	if (mf_image_subjects(&w->im, (struct mf_subject_choice){.described = true}, &s, err) < 0)
		return -1;
	return find_place(w, err);
}

static int open_any(struct work *w, struct mf_err *err)
{
	if (!w->o->proposal)
		return mf_fail(err, MF_E_USAGE, 0, "no proposal is given");
	w->beside = w->o->image && is_id(w->o->proposal);
	return w->beside ? open_image(w, err) : open_file(w, err);
}

/* ---- checking and describing it */

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct work *w = arg;
	return mf_proposal_fill(&w->p, t, out, err);
}

static int composed(void *arg, struct mf_trust *t, const struct mf_outgoing *o, struct mf_err *err)
{
	struct work *w = arg;
	(void)t;
	return mf_proposal_describe(&w->im, &w->p, o, w->a, w->shown, err);
}

static int describe_head(struct work *w, struct mf_err *err)
{
	w->shown = mf_arena_alloc(w->a, 1, sizeof *w->shown, err);
	if (!w->shown)
		return -1;
	*w->shown =
	    (struct manifesto_proposal){.id = w->beside ? mf_report_hex(w->a, &w->place.digest) : NULL,
					.path = w->beside ? NULL : mf_arena_text(w->a, w->o->proposal),
					.image = mf_arena_text(w->a, w->im.text),
					.repository = mf_arena_text(w->a, w->p.repository),
					.dialect = mf_arena_text(w->a, w->p.dialect),
					.created = w->p.created,
					.expires = w->p.expires,
					.state = "done"};
	w->out->proposal = w->shown;
	return mf_arena_check(w->a, err);
}

/* Composes the proposed change, and ends as `end` says. MF_ABSENT: the repository is already in the proposed
 * state. */
static enum mf_found run(struct work *w, enum mf_publish_end end, int64_t *version, struct mf_err *err)
{
	const struct mf_publish_intent in = {.prefix = MF_STR(""),
					     .subjects = mf_no_subjects,
					     .end = end,
					     .proposal = &w->p,
					     .fill = fill,
					     .composed = composed,
					     .arg = w};
	return mf_publish_run(w->im.trust, &in, version, err);
}

static enum mf_found check(struct work *w, const struct mf_load *how, struct mf_err *err)
{
	int64_t version;
	if (mf_trust_load(w->im.trust, how, err) < 0)
		return MF_FAILED;
	if (w->beside && (resolve_place(w, err) < 0 || mf_proposal_fetch(&w->im, &w->place, &w->p, err) < 0 ||
			  mf_proposal_gather(&w->im, &w->place, &w->p, err) < 0))
		return MF_FAILED;
	return describe_head(w, err) < 0 ? MF_FAILED : run(w, MF_PUBLISH_CHECK, &version, err);
}

static void warn(struct work *w, const char *text)
{
	struct mf_err ignored = MF_ERR_INIT; /* mf_arena_check reports it */
	if (!w->warnings)
		w->warnings = mf_arena_alloc(w->a, 8, sizeof(char *), &ignored);
	w->a->failed |= !w->warnings;
	if (w->warnings && text && w->out->nwarnings < 8)
		w->warnings[w->out->nwarnings++] = text;
	w->out->warnings = w->warnings;
}

static int show(struct work *w, struct mf_err *err)
{
	const struct mf_load how = {.purpose = MF_LOAD_READ, .subjects = mf_no_subjects};
	return open_any(w, err) < 0 || check(w, &how, err) == MF_FAILED ? -1 : 0;
}

/* ---- signing */

static bool signed_by(const struct manifesto_proposal_file *f, const char *fingerprint)
{
	for (size_t i = 0; i < f->nsigners; i++)
		if (strcmp(f->signers[i]->fingerprint, fingerprint) == 0)
			return true;
	return false;
}

/* Counts the keys of this machine that may sign files of the proposal, and of these the useful ones: those
 * that have not signed a file that still lacks signatures. */
static void count_keys(const struct work *w, size_t *held, size_t *useful)
{
	*held = *useful = 0;
	for (size_t i = 0; i < w->shown->nfiles; i++) {
		const struct manifesto_proposal_file *f = w->shown->files[i];
		for (size_t k = 0; k < f->nkeys; k++) {
			struct mf_digest fp;
			if (!mf_fingerprint_parse(&fp, f->keys[k]->fingerprint) ||
			    !mf_keystore_find_fp(w->m->keys, &fp))
				continue;
			(*held)++;
			*useful += f->missing && !signed_by(f, f->keys[k]->fingerprint);
		}
	}
}

static int fail_no_key(const struct work *w, struct mf_err *err)
{
	(void)mf_fail(err, MF_E_KEY, 0, "no key on this machine may sign the file of role '%s'",
		      w->shown->files[0]->role);
	mf_err_set_hint(err,
			"'manifesto proposal show' lists the keys that may sign it, 'manifesto key list' the "
			"keys on this machine");
	return -1;
}

/* Checks that the content of each proposed record can be fetched, before it is signed. A veto has no other
 * content than its entry. */
static int check_content(struct work *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->p.nedits; i++) {
		const struct mf_proposal_edit *e = &w->p.edits[i];
		struct mf_tuf_target_info info;
		struct mf_digest subject;
		struct mf_str type;
		if (!e->entry.n || !mf_record_name_parse(e->name, &type, &subject))
			continue;
		if (mf_tuf_entry_info(mf_trust_dialect(w->im.trust), e->entry, &info, err) < 0)
			return -1;
		struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
		if (mf_content_get(&w->im, &(struct mf_content_wanted){e->name, &info, NULL}, &content, err) <
		    0)
			return mf_wrap(err, "the content of a proposed record");
	}
	return 0;
}

static int confirm(struct work *w, struct mf_err *err)
{
	int64_t asked = mf_monotonic_ms();
	int yes = !w->o->confirm || w->o->confirm(w->o->confirm_arg, w->shown);
	mf_op_exclude(w->m, asked);
	return yes ? 0 : mf_fail(err, MF_E_CANCELLED, 0, "the proposal was not signed");
}

/* Locks the file; on a file system without locks, goes on without one. */
static int lock_file(struct work *w, struct mf_lock *lock, const char *path, struct mf_err *err)
{
	if (mf_lock_content(lock, path, &w->m->env, err) == 0)
		return 0;
	if (err->code != MF_E_IO)
		return -1;
	mf_err_clear(err);
	return 0;
}

/* Writes the proposal to its file. If a colleague has changed the file meanwhile, merges their signatures
 * first. */
static int write_file(struct work *w, struct mf_err *err)
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES),
			  there MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	struct mf_proposal now MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	struct mf_digest digest;
	char *path MF_FREE = realpath(w->o->proposal, NULL);
	if (!path)
		return mf_fail(err, MF_E_IO, 0, "'%s' is gone", w->o->proposal);
	if (lock_file(w, &lock, path, err) < 0 ||
	    mf_file_read(path, MF_MAX_PROPOSAL_BYTES, &there, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&there), &digest, err) < 0)
		return -1;
	if (!mf_digest_eq(&digest, &w->read) && (mf_proposal_parse(&now, mf_buf_bytes(&there), err) < 0 ||
						 mf_proposal_merge(&w->p, &now, NULL, err) < 0))
		return -1;
	return mf_proposal_write(&w->p, &doc, err) < 0 ? -1
						       : mf_file_write(path, mf_buf_bytes(&doc), 0644, err);
}

static int write_beside(struct work *w, bool moved, struct mf_err *err)
{
	struct mf_proposal_place old = w->place;
	struct mf_err why = MF_ERR_INIT;
	if (!moved)
		return mf_proposal_put_signatures(&w->im, &w->place, &w->p, err);
	if (mf_proposal_put(&w->im, &w->p, &w->place, err) < 0)
		return -1;
	w->shown->id = mf_report_hex(w->a, &w->place.digest);
	if (mf_proposal_remove(&w->im, &old, &w->p, &why) < 0)
		warn(w, mf_arena_format(w->a, "the proposal as it was before is still listed: %s", why.msg));
	return mf_arena_check(w->a, err);
}

static int add_signatures(struct work *w, struct mf_err *err)
{
	bool moved = w->p.moved;
	size_t dropped = w->p.dropped;
	int64_t version;
	if (check_content(w, err) < 0 || confirm(w, err) < 0)
		return -1;
	if (run(w, MF_PUBLISH_PROPOSE, &version, err) == MF_FAILED)
		return -1;
	if (w->p.moved)
		return mf_fail(err, MF_E_CONFLICT, 0,
			       "what the proposal signs has changed since it was shown: nothing was signed");
	w->out->added = w->p.added;
	if ((w->beside ? write_beside(w, moved, err) : write_file(w, err)) < 0)
		return -1;
	w->shown->moved = moved;
	w->shown->dropped = dropped;
	return 0;
}

/* ---- publishing */

/* The subjects of the changed records, each once, with media type and size if the registry has them. */
static int find_subjects(struct work *w, struct mf_subjects *out, struct mf_err *err)
{
	struct mf_digest *v MF_FREE = mf_calloc(w->p.nedits, sizeof *v);
	struct mf_looked *looked MF_FREE = mf_calloc(w->p.nedits, sizeof *looked);
	size_t n = 0;
	out->v = mf_calloc(w->p.nedits, sizeof *out->v);
	if (!v || !looked || !out->v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->p.nedits; i++) {
		struct mf_str type;
		bool twice = false;
		if (!mf_record_name_parse(w->p.edits[i].name, &type, &v[n]))
			continue;
		for (size_t k = 0; k < n; k++)
			twice |= mf_digest_eq(&v[k], &v[n]);
		n += !twice;
	}
	if (mf_manifests_look(w->im.images, v, n, looked, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct mf_subject *s = &out->v[out->n++];
		*s = (struct mf_subject){.digest = v[i], .size = looked[i].present ? looked[i].size : 0};
		if (looked[i].present)
			memcpy(s->media_type, looked[i].media_type, sizeof s->media_type);
	}
	return 0;
}

/* Rebuilds catalogue and referrers. A failure is a warning only, since nothing trusts them. */
static int rebuild(struct work *w, struct mf_err *err)
{
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	struct mf_err why = MF_ERR_INIT;
	struct mf_rebuild_ahead none = {0};
	struct mf_rebuild r = {.ahead = &none,
			       .subjects = &s,
			       .changed = true,
			       .restore = true,
			       .catalogue = MF_ERR_INIT,
			       .lists = MF_ERR_INIT,
			       .deletes = MF_ERR_INIT};
	if (w->p.nedits && find_subjects(w, &s, &why) == 0)
		(void)!mf_rebuild(&w->im, &r, &why);
	const struct mf_err *first = why.code ? &why : r.catalogue.code ? &r.catalogue : &r.lists;
	if (first->code)
		warn(w, mf_arena_format(
			    w->a,
			    "it is published, but catalogue and referrers are behind: %s; 'manifesto "
			    "repair %s' writes them",
			    first->msg, mf_trust_pin_name(w->im.trust)));
	return mf_arena_check(w->a, err);
}

static int store_target(struct work *w, const struct mf_proposal_edit *e, struct mf_err *err)
{
	struct mf_tuf_target_info info;
	struct mf_spool *content MF_SPOOL_CLEANUP = NULL;
	if (mf_tuf_entry_info(mf_trust_dialect(w->im.trust), e->entry, &info, err) < 0 ||
	    mf_content_get_any(&w->im, &(struct mf_content_wanted){e->name, &info, NULL}, &content, err) < 0)
		return -1;
	return mf_content_put_target(&w->im, e->name, content, &info.sha256, err);
}

/* Stores the content of the records again. It was stored when the change was proposed, but since no version
 * names it yet, prune may have removed it. */
static int store_targets(struct work *w, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	if (!mf_trust_keeps_targets(w->im.trust))
		return 0;
	if (mf_publish_lock(w->im.trust, &lock, err) < 0)
		return -1;
	for (size_t i = 0; i < w->p.nedits; i++)
		if (w->p.edits[i].entry.n && store_target(w, &w->p.edits[i], err) < 0)
			return mf_wrap(err, "the content of a proposed record");
	return 0;
}

static int fail_moved(const struct work *w, struct mf_err *err)
{
	if (!w->p.dropped)
		(void)mf_fail(err, MF_E_THRESHOLD, 0, "the proposal lacks a file that must be signed");
	else
		(void)mf_fail(
		    err, MF_E_THRESHOLD, 0,
		    "somebody has published since this was proposed: %zu signature%s no longer fit%s",
		    w->p.dropped, w->p.dropped == 1 ? "" : "s", w->p.dropped == 1 ? "s" : "");
	mf_err_set_hint(err, "'manifesto proposal sign' applies it to what is there now and signs that");
	return -1;
}

static int publish(struct work *w, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	int64_t version = 0;
	if (w->p.moved && w->p.missing)
		return fail_moved(w, err);
	if (store_targets(w, err) < 0)
		return -1;
	enum mf_found found = run(w, MF_PUBLISH_SEND, &version, err);
	if (found == MF_FAILED)
		return -1;
	w->out->published = found == MF_FOUND;
	w->out->version = version;
	w->out->published_to = mf_arena_text(w->a, mf_trust_where(w->im.trust));
	w->shown->state = "done";
	if (found == MF_FOUND && rebuild(w, err) < 0)
		return -1;
	if (w->beside && mf_proposal_remove(&w->im, &w->place, &w->p, &why) < 0)
		warn(w, mf_arena_format(w->a, "the proposal is still listed beside the image: %s", why.msg));
	return mf_arena_check(w->a, err);
}

/* Signs, and with the option `publish` publishes if no signature is missing. Without it, the trust repository
 * need not be writable. */
static int sign(struct work *w, struct mf_err *err)
{
	const struct mf_load how = {
	    .purpose = MF_LOAD_SIGN, .subjects = mf_no_subjects, .proposes = !w->o->publish};
	size_t held, useful;
	if (open_any(w, err) < 0)
		return -1;
	enum mf_found found = check(w, &how, err);
	if (found != MF_FOUND)
		return found;
	count_keys(w, &held, &useful);
	if (!held)
		return fail_no_key(w, err);
	if (useful && add_signatures(w, err) < 0)
		return -1;
	return w->o->publish && !w->shown->missing ? publish(w, err) : 0;
}

static int publish_it(struct work *w, struct mf_err *err)
{
	const struct mf_load how = {.purpose = MF_LOAD_SIGN, .subjects = mf_no_subjects};
	if (open_any(w, err) < 0)
		return -1;
	enum mf_found found = check(w, &how, err);
	return found == MF_FAILED ? -1 : publish(w, err);
}

/* ---- drop, list */

static int drop(struct work *w, struct mf_err *err)
{
	if (!w->o->image || !w->o->proposal || !is_id(w->o->proposal)) {
		(void)mf_fail(err, MF_E_USAGE, 0, "expected an image and the ID of a proposal beside it");
		mf_err_set_hint(err, "a proposal in a file is gone with the file");
		return -1;
	}
	w->beside = true;
	if (open_image(w, err) < 0 ||
	    mf_trust_load(w->im.trust, &(struct mf_load){.subjects = mf_no_subjects}, err) < 0 ||
	    resolve_place(w, err) < 0)
		return -1;
	struct manifesto_proposal *shown = mf_arena_alloc(w->a, 1, sizeof *shown, err);
	struct mf_err ignored = MF_ERR_INIT;
	if (!shown)
		return -1;
	/* if the proposal can be read, the signatures beside it are removed, too */
	bool read = mf_proposal_fetch(&w->im, &w->place, &w->p, &ignored) == 0;
	if (mf_proposal_remove(&w->im, &w->place, read ? &w->p : NULL, err) < 0)
		return -1;
	*shown = (struct manifesto_proposal){.id = mf_report_hex(w->a, &w->place.digest),
					     .image = mf_arena_text(w->a, w->im.text),
					     .state = "dropped"};
	w->out->proposal = shown;
	return mf_arena_check(w->a, err);
}

/* Lists one proposal. One that cannot be read is listed with the reason, and the list goes on: anyone who may
 * push could have stored it. */
static int list_one(struct work *w, const struct mf_proposal_place *at, struct manifesto_proposal *out,
		    struct mf_err *err)
{
	static const struct {
		enum mf_code code;
		const char *state;
	} states[] = {{MF_E_RECORD_EXPIRED, "expired"}, {MF_E_CONFLICT, "conflict"}};
	struct mf_err why = MF_ERR_INIT;
	int64_t version;
	w->place = *at;
	mf_proposal_clear(&w->p);
	mf_trust_drop_shards(w->im.trust); /* each proposal names its own */
	*out = (struct manifesto_proposal){.id = mf_report_hex(w->a, &at->digest),
					   .image = mf_arena_text(w->a, w->im.text),
					   .state = "done"};
	w->shown = out;
	if (mf_proposal_fetch(&w->im, at, &w->p, &why) == 0) {
		out->repository = mf_arena_text(w->a, w->p.repository);
		out->dialect = mf_arena_text(w->a, w->p.dialect);
		out->created = w->p.created;
		out->expires = w->p.expires;
		if (mf_proposal_gather(&w->im, at, &w->p, &why) == 0 &&
		    run(w, MF_PUBLISH_CHECK, &version, &why) != MF_FAILED)
			return mf_arena_check(w->a, err);
	}
	if (mf_err_is_ours(&why) || mf_err_ends_run(&why) || why.code == MF_E_UNAVAILABLE)
		return mf_fail(err, why.code, 0, "%s", why.msg);
	out->state = "invalid";
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (why.code == states[i].code)
			out->state = states[i].state;
	out->message = mf_arena_text(w->a, why.msg);
	return mf_arena_check(w->a, err);
}

static int list(struct work *w, struct manifesto_proposal_list *out, struct mf_err *err)
{
	struct mf_proposal_places found MF_CLEANUP(mf_proposal_places_clear) = {.n = 0};
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	if (mf_image_open(&w->im, w->m, w->o->image, err) < 0 || mf_image_begin(&w->im, err) < 0 ||
	    mf_trust_load(w->im.trust, &(struct mf_load){.subjects = mf_no_subjects}, err) < 0 ||
	    mf_image_subjects(&w->im, (struct mf_subject_choice){.described = false}, &s, err) < 0 ||
	    mf_proposal_find_places(&w->im, "", &found, err) < 0)
		return -1;
	struct manifesto_proposal *v = mf_arena_alloc(w->a, found.n, sizeof *v, err);
	for (size_t i = 0; v && i < found.n; i++)
		if (list_one(w, &found.v[i], &v[i], err) < 0)
			return -1;
	if (!v)
		return -1;
	out->proposals = mf_arena_list(w->a, v, found.n, sizeof *v);
	out->nproposals = found.n;
	return mf_arena_check(w->a, err);
}

int manifesto_proposal_list(struct manifesto *m, const char *image,
			    const struct manifesto_proposal_list **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	const struct manifesto_proposal_options o = {.image = image};
	struct work w MF_CLEANUP(work_clear) = {
	    .m = m, .o = &o, .p = {.arena = MF_ARENA_INIT}, .beside = true};
	mf_op_begin(m, error);
	struct manifesto_proposal_list *r = mf_result_new(sizeof *r, &err);
	if (r)
		w.a = mf_result_arena(r);
	int rc = r ? list(&w, r, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

static int run_one(struct manifesto *m, const struct manifesto_proposal_options *opt,
		   int (*what)(struct work *w, struct mf_err *err),
		   const struct manifesto_proposal_result **out, struct manifesto_error *error)
{
	struct mf_err err = MF_ERR_INIT;
	struct manifesto_proposal_options o;
	struct manifesto_proposal_result *r = MF_OP_START(m, &o, opt, r, error, &err);
	struct work w MF_CLEANUP(work_clear) = {
	    .m = m, .o = &o, .out = r, .a = r ? mf_result_arena(r) : NULL, .p = {.arena = MF_ARENA_INIT}};
	int rc = r ? what(&w, &err) : -1;
	return MF_OP_END(rc, r, out, error, &err);
}

int manifesto_proposal_show(struct manifesto *m, const struct manifesto_proposal_options *opt,
			    const struct manifesto_proposal_result **out, struct manifesto_error *error)
{
	return run_one(m, opt, show, out, error);
}

int manifesto_proposal_sign(struct manifesto *m, const struct manifesto_proposal_options *opt,
			    const struct manifesto_proposal_result **out, struct manifesto_error *error)
{
	return run_one(m, opt, sign, out, error);
}

int manifesto_proposal_publish(struct manifesto *m, const struct manifesto_proposal_options *opt,
			       const struct manifesto_proposal_result **out, struct manifesto_error *error)
{
	return run_one(m, opt, publish_it, out, error);
}

int manifesto_proposal_drop(struct manifesto *m, const struct manifesto_proposal_options *opt,
			    const struct manifesto_proposal_result **out, struct manifesto_error *error)
{
	return run_one(m, opt, drop, out, error);
}
