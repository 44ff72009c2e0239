/* put: stores the content first, then publishes the signed records, then writes the lists that show them.
 * After a crash at any point the old or the new state can be read, and no signed record lacks its content. */
#include <stdio.h>

#include "ops/write.h"
#include "record/attest.h"

/* The input of a run. It is read once, for all repositories. */
struct input {
	struct mf_content content;
	char media_type[256];
	struct mf_attestation attestation; /* if an attestation is put: its Statement is the content */
	const char **annotations;          /* then: the requested ones, and signer and predicate type */
	struct mf_arena arena;
};

struct put {
	struct mf_write w;
	size_t *dropped; /* for each item: how many signatures of others are lost with the description that is
			    replaced */
	struct mf_publish_made made;
};

static struct put *put_of(struct mf_write *w)
{
	return (struct put *)w;
}

static const struct input *input_of(const struct mf_write *w)
{
	return w->op->arg;
}

static void put_clear(struct mf_write *w)
{
	free(put_of(w)->dropped);
	mf_arena_clear(&put_of(w)->made.arena);
}

/* ---- content */

/* MF_FAILED: out of memory. */
static enum mf_found is_text(struct mf_str s, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_buf quoted MF_BUF_CLEANUP = MF_BUF_INIT(s.n * 2 + 16);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == 0x7f || (c < 0x20 && !strchr("\t\n\r\f", c)))
			return MF_ABSENT;
	}
	if (mf_json_quote(s, &quoted, &why) == 0)
		return MF_FOUND;
	if (why.code != MF_E_NOMEM)
		return MF_ABSENT;
	(void)mf_fail_nomem(err);
	return MF_FAILED;
}

static enum mf_found is_json(struct mf_str s, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, mf_bytes_of(s));
	if (mf_json_skip(&r, NULL, &why) == 0 && mf_json_end(&r, &why) == 0)
		return MF_FOUND;
	if (why.code != MF_E_NOMEM)
		return MF_ABSENT;
	(void)mf_fail_nomem(err);
	return MF_FAILED;
}

/* Accepts TYPE/SUBTYPE in the characters of RFC 6838, and parameters of printable ASCII: the media type goes
 * into manifests that other tools read. */
static bool is_media_type(const char *s)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
	size_t type = strspn(s, name), sub = s[type] == '/' ? strspn(s + type + 1, name) : 0;
	if (!type || !sub)
		return false;
	s += type + 1 + sub;
	if (*s && *s != ';' && *s != ' ')
		return false;
	while (*s >= ' ' && *s <= '~')
		s++;
	return !*s;
}

/* Sets the given media type, or derives one from the content if that is small enough to be read. */
static int find_media_type(struct input *in, const char *given, struct mf_err *err)
{
	const uint64_t most = (uint64_t)4 << 20;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT((size_t)most);
	const char *found = "application/octet-stream";
	char chunk[65536];
	size_t got = 1;
	if (given) {
		struct mf_esc e;
		if (strlen(given) >= sizeof in->media_type || !is_media_type(given))
			return mf_fail(err, MF_E_USAGE, 0, "expected a media type TYPE/SUBTYPE, got '%s'",
				       mf_esc(&e, mf_str_c(given)));
		found = given;
	} else if (in->content.length <= most) {
		while (b.n < in->content.length) {
			if (mf_spool_read(in->content.blob, b.n, chunk, sizeof chunk, &got, err) < 0 ||
			    mf_buf_add(&b, chunk, got, err) < 0)
				return -1;
			if (!got)
				break;
		}
		struct mf_str s = mf_buf_str(&b);
		enum mf_found json = s.n ? is_json(s, err) : MF_ABSENT;
		enum mf_found text = json == MF_ABSENT ? is_text(s, err) : MF_ABSENT;
		if (json == MF_FAILED || text == MF_FAILED)
			return -1;
		found = json == MF_FOUND ? "application/json" : text == MF_FOUND ? "text/plain" : found;
	}
	(void)snprintf(in->media_type, sizeof in->media_type, "%s", found);
	in->content.media_type = in->media_type;
	return 0;
}

/* Adds the signer and the predicate type of the attestation, as "name=value", to the annotations that were
 * requested. */
static int annotate(struct input *in, const struct manifesto_change_options *o,
		    const struct mf_pubkey *signer, struct mf_err *err)
{
	char hex[65];
	size_t n = 0;
	while (o->annotations && o->annotations[n])
		n++;
	mf_pubkey_hex(hex, signer);
	in->annotations = mf_calloc(n + 3, sizeof *in->annotations);
	if (!in->annotations)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		in->annotations[i] = o->annotations[i];
	in->annotations[n] = mf_arena_format(&in->arena, "dsse.signer=%s", hex);
	in->annotations[n + 1] =
	    mf_arena_format(&in->arena, "dsse.predicateType=%s", in->attestation.predicate_type);
	return mf_arena_check(&in->arena, err);
}

/* Verifies the attestation, and takes its Statement as the content: the exact octets that were signed. */
static int read_attestation(struct mf_write_run *r, struct input *in, struct mf_err *err)
{
	const struct manifesto_change_options *o = &r->o;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_ATTESTATION);
	if (!o->attestation_signer)
		return mf_fail(err, MF_E_USAGE, 0,
			       "an attestation needs the public key that must have signed it");
	struct mf_pubkey *signer MF_PUBKEY_CLEANUP = mf_op_public_key(r->m, o->attestation_signer, err);
	if (!signer)
		return mf_wrap(err, "signer of the attestation");
	if (mf_file_read(o->attestation_path, 2 * MF_MAX_ATTESTATION, &doc, err) < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE)
						   : -1; /* status 3 is about an image */
	if (mf_attestation_read(&in->attestation, mf_buf_bytes(&doc), signer, err) < 0)
		return mf_wrap(err, "attestation '%s'", o->attestation_path);
	struct mf_str payload = mf_buf_str(&in->attestation.payload);
	return mf_spool_add(in->content.blob, payload.p, payload.n, err) < 0 ||
		       mf_spool_end(in->content.blob, &in->content.digest, &in->content.length, err) < 0
		   ? -1
		   : annotate(in, o, signer, err);
}

static int read_input(struct mf_write_run *r, struct mf_err *err)
{
	struct input *in = r->op->arg;
	const struct manifesto_change_options *o = &r->o;
	if (o->expires && o->expires <= mf_env_now(&r->m->env))
		return mf_fail(err, MF_E_USAGE, 0, "the record would already have expired");
	in->content.blob = mf_spool_new(MF_MAX_BLOB_BYTES, err);
	if (!in->content.blob)
		return -1;
	if (o->attestation_path) {
		if (read_attestation(r, in, err) < 0)
			return -1;
	} else if (o->path) {
		if (mf_spool_from_path(in->content.blob, o->path, &in->content.digest, &in->content.length,
				       err) < 0)
			return -1;
	} else if (mf_spool_add(in->content.blob, o->data, o->data_length, err) < 0 ||
		   mf_spool_end(in->content.blob, &in->content.digest, &in->content.length, err) < 0) {
		return -1;
	}
	/* A scanner that fails in a pipe leaves an empty input: warn the signer. */
	if (!in->content.length)
		mf_env_log(&r->m->env, MF_LOG_WARNING, "the content of '%s' is empty", o->type);
	return find_media_type(in, o->attestation_path && !o->media_type ? MF_MT_IN_TOTO : o->media_type,
			       err);
}

/* ---- where it goes */

static int load_or_init(struct put *p, struct mf_err *err)
{
	struct mf_trust *t = p->w.im->trust;
	struct manifesto_options *o = &p->w.m->opt;
	if (mf_write_load(&p->w, err) == 0)
		return 0;
	if (err->code != MF_E_NOT_FOUND)
		return -1;
	bool yes =
	    p->w.o->init || (o->confirm_init &&
			     o->confirm_init(o->confirm_init_arg, mf_trust_pin_name(t), mf_trust_where(t)));
	if (!yes) {
		mf_err_set_hint(err, "use --init to make one");
		return -1;
	}
	mf_err_clear(err);
	if (mf_publish_first(t, NULL, &p->made, err) == 0) {
		p->w.out->initialised = 1;
		return 0;
	}
	if (err->code != MF_E_CONFLICT)
		return -1;
	/* Another writer was faster: the repository exists now, and is checked against the pin like any
	 * other. */
	mf_err_clear(err);
	const struct mf_load how = {
	    .prefix = mf_str_c(p->w.prefix), .purpose = MF_LOAD_SIGN, .subjects = p->w.subjects.v};
	return mf_trust_load(t, &how, err);
}

/* ---- the record that is there already */

/* Has the record the same description, apart from time, signatures and artifact manifest? */
static bool same_record(const struct put *p, const struct mf_write_item *it, const struct mf_entry *e)
{
	struct mf_err ignored = MF_ERR_INIT,
		      ignored2 = MF_ERR_INIT; /* out of memory: then the record is made again */
	json_t *a MF_JSON_CLEANUP = mf_json_copy(e->record.tree, &ignored),
		  *b MF_JSON_CLEANUP = mf_json_copy(it->tree, &ignored2);
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	/* The digests of artifact manifests differ, since these contain the time. It is enough that the old
	 * one is what would be made from the old description. */
	bool has = it->artifact.n != 0;
	if (has != e->record.has_artifact ||
	    (has && mf_artifact_again(&it->subject, e, mf_trust_identity(p->w.im->trust), &again, &ignored) !=
			MF_FOUND))
		return false;
	for (int i = 0; i < 2; i++) {
		(void)json_object_del(i ? a : b, "created");
		(void)json_object_del(i ? a : b, "sigs");
		(void)json_object_del(i ? a : b, "artifact");
	}
	return a && b && json_equal(a, b);
}

/* Only the role that made a tombstone lifts it, and only with the option `reinstate`. If two roles withdrew
 * the record, each must lift its own. */
static int check_withdrawn(struct put *p, const struct mf_write_item *it, const struct mf_entry *now,
			   struct mf_err *err)
{
	struct mf_entry veto MF_ENTRY_CLEANUP = {0};
	bool by_us = now && now->state == MF_STATE_WITHDRAWN;
	if (by_us && !p->w.o->reinstate)
		return mf_write_refuse_withdrawn(&p->w, now, err);
	enum mf_found vetoed = mf_write_vetoed(&p->w, it, &veto, err);
	if (vetoed == MF_FOUND && !by_us)
		return mf_write_refuse_withdrawn(&p->w, &veto, err);
	return vetoed == MF_FAILED ? -1 : 0;
}

static size_t count_signers(const struct mf_entry *e)
{
	size_t n = 0;
	for (size_t i = 0; i < e->nkeys; i++)
		n += e->signed_by[i];
	return n;
}

/* If the same record is there, it gets our signature besides those of colleagues, which are kept. Another
 * description makes another record, which colleagues have not signed. */
static enum mf_change evaluate(struct mf_write *w, struct mf_write_item *it, const struct mf_entry *now,
			       struct mf_err *err)
{
	struct put *p = put_of(w);
	size_t *dropped = &p->dropped[it - w->items];
	it->out->signature_added = 0;
	*dropped = 0;
	if (check_withdrawn(p, it, now, err) < 0 || mf_write_own_entry(w, it, err) < 0)
		return MF_CHANGE_REFUSED;
	if (!now || now->state != MF_STATE_CURRENT ||
	    !mf_digest_eq(&now->info.sha256, &input_of(&p->w)->content.digest))
		return MF_CHANGE_UNLESS_CONFLICT;
	bool ours = mf_write_signed_by_us(w, now);
	/* With --force the same record is made again with a new time, for policies that limit its age. */
	if (!same_record(p, it, now) || w->o->force) {
		*dropped = count_signers(now) - ours;
		return MF_CHANGE_UNLESS_CONFLICT;
	}
	it->unchanged = ours;
	it->out->signature_added = !ours;
	if ((!ours && mf_write_cosign(w, it, now, err) < 0) || mf_write_report_signed(w, it, now, err) < 0)
		return MF_CHANGE_REFUSED;
	return MF_CHANGE_ALWAYS;
}

static struct mf_record_fields fields_of(const struct put *p, const struct mf_write_item *it)
{
	return (struct mf_record_fields){
	    .created = p->w.created,
	    .expires = p->w.o->expires,
	    .media_type = input_of(&p->w)->media_type,
	    .author = p->w.o->author,
	    .reason = p->w.o->reason,
	    .annotations = input_of(&p->w)->annotations ? input_of(&p->w)->annotations : p->w.o->annotations,
	    .artifact = it->artifact.n ? &it->artifact_digest : NULL};
}

/* ---- the report */

static int report_init(struct put *p, struct mf_err *err)
{
	struct manifesto_change_result *out = p->w.out;
	struct mf_pin pin MF_CLEANUP(mf_pin_clear) = {0};
	if (!out->initialised)
		return 0;
	if (mf_pin_find(p->w.m->opt.home, mf_trust_pin_name(p->w.im->trust), &pin, err) < 0)
		return -1;
	const char **keys = mf_arena_alloc(p->w.a, p->made.nkeys, sizeof(char *), err);
	const char **pins = keys ? mf_arena_alloc(p->w.a, pin.n, sizeof(char *), err) : NULL;
	if (!pins)
		return -1;
	for (size_t i = 0; i < p->made.nkeys; i++)
		keys[i] = mf_arena_text(p->w.a, p->made.keys[i]);
	for (size_t i = 0; i < pin.n; i++)
		pins[i] = mf_report_hex(p->w.a, &pin.fingerprints[i]);
	out->keys_made = keys;
	out->nkeys_made = p->made.nkeys;
	out->pinned = pins;
	out->npinned = pin.n;
	return 0;
}

static int report(struct put *p, struct mf_err *err)
{
	struct mf_write *w = &p->w;
	size_t dropped = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct mf_write_item *it = &w->items[i];
		struct mf_record_fields f = fields_of(p, it);
		if (!it->unchanged && !it->out->signature_added && mf_write_report_new(w, it, &f, err) < 0)
			return -1;
		it->out->unchanged = it->unchanged && !w->renewed;
		dropped += p->dropped[i];
	}
	if (dropped)
		mf_write_warn(
		    w,
		    "the new description replaced one with %zu signature%s of others, which no longer "
		    "count%s; 'manifesto sign' adds a signature and keeps theirs",
		    dropped, dropped == 1 ? "" : "s", dropped == 1 ? "s" : "");
	if (mf_write_warn_vetoed(w, err) < 0 || mf_write_rebuild(w, err) < 0 || report_init(p, err) < 0)
		return -1;
	return mf_write_report(w, err);
}

/* ---- the whole */

static int check_subject(const struct mf_write *w, const struct mf_write_item *it, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	if (!w->o->attestation_path || mf_attestation_is_of(&input_of(w)->attestation, &it->subject.digest))
		return 0;
	mf_digest_format(digest, &it->subject.digest);
	return mf_fail(err, MF_E_DIGEST, 0, "the attestation is about another image than %s", digest);
}

static int resolve(struct mf_write *w, struct mf_err *err)
{
	const struct mf_content *content = &input_of(w)->content;
	mf_image_store_will_push(w->im->blobs);
	if (content->length <= MF_BLOB_UNASKED &&
	    mf_trust_seems_new(w->im->trust, mf_str_c(w->prefix), &content->digest))
		mf_blobs_put_soon(w->im->blobs, 2); /* the content, and the catalogue's configuration */
	if (mf_write_items(w, err) < 0)
		return -1;
	put_of(w)->dropped = mf_calloc(w->n, sizeof(size_t));
	if (!put_of(w)->dropped)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++) {
		if (check_subject(w, &w->items[i], err) < 0)
			return -1;
		w->items[i].content = content;
		w->items[i].reported = true;
	}
	return 0;
}

static int make_records(struct put *p, struct mf_err *err)
{
	for (size_t i = 0; i < p->w.n; i++) {
		if (mf_write_artifact(&p->w, &p->w.items[i], p->w.o->link != 0, err) < 0)
			return -1;
		struct mf_record_fields f = fields_of(p, &p->w.items[i]);
		if (mf_write_new_record(&p->w, &p->w.items[i], &f, err) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct mf_write *w, struct mf_err *err)
{
	struct put *p = put_of(w);
	if (resolve(w, err) < 0)
		return -1;
	for (size_t i = 0; w->o->progress && i < w->n; i++) {
		const char *image = mf_report_image(w->a, w->items[i].im, &w->items[i].subject.digest);
		if (!image)
			return mf_arena_check(w->a, err);
		w->o->progress(w->o->progress_arg, image, w->o->type);
	}
	if (load_or_init(p, err) < 0 || mf_write_choose_role(w, err) < 0 || make_records(p, err) < 0)
		return -1;
	return mf_write_check(w, err);
}

static int commit(struct mf_write *w, struct mf_err *err)
{
	if (mf_write_store(w, err) < 0 || mf_write_rebuild_soon(w, err) < 0 || mf_write_publish(w, err) < 0)
		return -1;
	return report(put_of(w), err);
}

static void input_clear(struct input *in)
{
	mf_spool_free(in->content.blob);
	mf_attestation_clear(&in->attestation);
	free(in->annotations);
	mf_arena_clear(&in->arena);
}

int manifesto_put(struct manifesto *m, const struct manifesto_change_options *opt,
		  const struct manifesto_change_result **out, struct manifesto_error *error)
{
	struct input in MF_CLEANUP(input_clear) = {.arena = MF_ARENA_INIT};
	const struct mf_write_op op = {.size = sizeof(struct put),
				       .must_exist = true,
				       .evaluate = evaluate,
				       .begin = read_input,
				       .prepare = prepare,
				       .commit = commit,
				       .clear = put_clear,
				       .arg = &in};
	return mf_write_run(m, opt, out, error, &op);
}
