/* Proposals beside an image: artifact manifests whose subject is the image. A document is never changed: each
 * signer adds an artifact, under a tag made from the proposal and the signer's key, so that two who sign at
 * once do not write to the same place. None of this is trusted. */
#include <stdio.h>

#include "base/encode.h"
#include "crypto/hash.h"
#include "ops/proposal.h"
#include "trust/load.h"
#include "tuf/build.h"

void mf_proposal_places_clear(struct mf_proposal_places *p)
{
	free(p->v);
	*p = (struct mf_proposal_places){0};
}

/* ---- writing */

/* Lists the content of the proposed records. As layers of the proposal's manifest it is kept by garbage
 * collection. */
static int content_layers(struct mf_image *im, const struct mf_proposal *p, struct mf_piece *out, size_t *n,
			  struct mf_err *err)
{
	*n = 0;
	for (size_t i = 0; i < p->nedits; i++) {
		const struct mf_proposal_edit *e = &p->edits[i];
		struct mf_tuf_target_info info;
		struct mf_digest subject;
		struct mf_str type;
		if (!e->entry.n || !mf_record_name_parse(e->name, &type, &subject))
			continue;
		if (mf_tuf_entry_info(mf_trust_dialect(im->trust), e->entry, &info, err) < 0)
			return -1;
		out[(*n)++] = (struct mf_piece){
		    .digest = info.sha256, .size = info.length, .media_type = "application/octet-stream"};
	}
	return 0;
}

/* Stores the manifest under a tag, which keeps it from garbage collection. If the registry refuses the tag,
 * stores it without one. */
static int put_manifest(struct mf_image *im, const char *tag, struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_manifest_call *call = mf_manifest_put_begin(im->blobs, tag, MF_MT_OCI_MANIFEST, bytes, err);
	if (call && mf_artifact_put_end(im, call, bytes, tag, err) == 0)
		return 0;
	if (!mf_rebuild_refused(err) || im->store_ref.transport == MF_TRANSPORT_LAYOUT)
		return -1;
	mf_err_clear(err);
	bool seen;
	return mf_manifest_put(im->blobs, NULL, MF_MT_OCI_MANIFEST, bytes, &seen, NULL, err);
}

static void place_tag(char out[80], const struct mf_proposal_place *at)
{
	char hex[65];
	mf_digest_hex(hex, &at->digest);
	(void)snprintf(out, 80, "_manifesto-%s", hex);
}

static void signature_tag(char out[80], const struct mf_proposal_place *at, const struct mf_digest *fp)
{
	char id[65], key[65];
	mf_digest_hex(id, &at->digest);
	mf_digest_hex(key, fp);
	(void)snprintf(out, 80, "_manifesto-%.32s-%.32s", id, key);
}

static int list_place(struct mf_image *im, const struct mf_proposal_place *at, struct mf_err *err)
{
	char media_type[] = MF_MT_OCI_MANIFEST, artifact_type[] = MF_MT_PROPOSAL;
	return mf_artifact_list(im,
				&(struct mf_descriptor){.digest = at->digest,
							.size = at->size,
							.media_type = media_type,
							.artifact_type = artifact_type},
				err);
}

int mf_proposal_put(struct mf_image *im, const struct mf_proposal *p, struct mf_proposal_place *at,
		    struct mf_err *err)
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES),
			  manifest MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_piece *more MF_FREE = mf_calloc(p->nedits, sizeof *more);
	struct mf_subjects s MF_SUBJECTS_CLEANUP = {0};
	struct mf_artifact a = {
	    .artifact_type = MF_MT_PROPOSAL, .owner = mf_trust_identity(im->trust), .more = more};
	char created[MF_TIME_LEN], tag[80];
	if (!more)
		return mf_fail_nomem(err);
	if (mf_image_subjects(im, (struct mf_subject_choice){.described = true}, &s, err) < 0 ||
	    mf_proposal_write(p, &doc, err) < 0 || content_layers(im, p, more, &a.nmore, err) < 0)
		return -1;
	mf_time_format(created, p->created);
	a.created = created;
	a.blob = (struct mf_piece){.size = doc.n, .media_type = MF_MT_PROPOSAL, .title = "proposal.json"};
	a.subject =
	    (struct mf_piece){.digest = im->digest, .size = s.v[0].size, .media_type = s.v[0].media_type};
	if (mf_blob_put_bytes(im->blobs, mf_buf_bytes(&doc), &a.blob.digest, err) < 0 ||
	    mf_artifact_build(&a, &manifest, err) < 0 ||
	    mf_sha256(mf_buf_bytes(&manifest), &at->digest, err) < 0)
		return -1;
	at->size = manifest.n;
	place_tag(tag, at);
	return put_manifest(im, tag, mf_buf_bytes(&manifest), err) < 0 ? -1 : list_place(im, at, err);
}

/* ---- reading */

struct search {
	struct mf_image *im;
	const char *id;
	struct mf_proposal_places *out;
};

static int take_places(void *arg, size_t i, struct mf_descriptors *list, enum mf_referrers_by by,
		       struct mf_err *err)
{
	struct search *s = arg;
	(void)i;
	(void)by;
	for (size_t k = 0; k < list->n && s->out->n < MF_MAX_PROPOSALS; k++) {
		char hex[65];
		mf_digest_hex(hex, &list->v[k].digest);
		if (!mf_is_proposal(list->v[k].artifact_type) || strncmp(hex, s->id, strlen(s->id)) != 0)
			continue;
		if (mf_grow((void **)&s->out->v, &s->out->cap, s->out->n, sizeof *s->out->v, err) < 0)
			return -1;
		s->out->v[s->out->n++] =
		    (struct mf_proposal_place){.digest = list->v[k].digest, .size = list->v[k].size};
	}
	return 0;
}

/* Takes the proposals of the referrers' list that are for this image and this trust repository. The list of a
 * layout also has those of other images, and signatures. */
int mf_proposal_find_places(struct mf_image *im, const char *id, struct mf_proposal_places *out,
			    struct mf_err *err)
{
	struct search s = {.im = im, .id = id, .out = out};
	if (mf_referrers_each(im->blobs, &im->digest, 1, take_places, &s, err) < 0)
		return -1;
	size_t kept = 0;
	for (size_t i = 0; i < out->n; i++) {
		struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
		struct mf_err why = MF_ERR_INIT;
		enum mf_found ours = MF_ABSENT;
		if (mf_manifest_get(im->blobs, &out->v[i].digest, &m, &why) == 0)
			ours = mf_proposal_is_of(&m, &im->digest, mf_trust_identity(im->trust), &why);
		else if (why.code != MF_E_NOT_FOUND && why.code != MF_E_DIGEST && why.code != MF_E_FORMAT)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (mf_err_is_ours(&why))
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (ours == MF_FOUND)
			out->v[kept++] = out->v[i];
	}
	out->n = kept;
	return 0;
}

/* Fetches the proposal, which is the first layer of the manifest. */
static int fetch_layer(struct mf_image *im, const struct mf_manifest *m, struct mf_proposal *out,
		       struct mf_err *err)
{
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	const json_t *layer = json_array_get(json_object_get(j, "layers"), 0);
	const char *text = NULL;
	struct mf_digest digest;
	int64_t size = 0;
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES);
	if (!j || mf_json_get_str(layer, "digest", MF_JSON_REQUIRED, &text, err) < 0 ||
	    mf_digest_parse(&digest, mf_str_c(text), err) < 0 ||
	    mf_json_get_int(layer, "size", MF_JSON_REQUIRED, 1, (int64_t)MF_MAX_PROPOSAL_BYTES, &size, err) <
		0)
		return -1;
	struct mf_spool *spool MF_SPOOL_CLEANUP = mf_spool_new((uint64_t)size, err);
	if (!spool || mf_blob_get(im->blobs, &digest, (uint64_t)size, spool, err) < 0)
		return -1;
	for (size_t got = 1; got && doc.n < (size_t)size;) {
		char chunk[65536];
		if (mf_spool_read(spool, doc.n, chunk, sizeof chunk, &got, err) < 0 ||
		    mf_buf_add(&doc, chunk, got, err) < 0)
			return -1;
	}
	return mf_proposal_parse(out, mf_buf_bytes(&doc), err);
}

int mf_proposal_fetch(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *out,
		      struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	if (mf_manifest_get(im->blobs, &at->digest, &m, err) < 0)
		return -1;
	return fetch_layer(im, &m, out, err);
}

/* ---- signatures of others */

/* The role whose current keys may sign a file. */
static const struct mf_tuf_role *role_of(const struct mf_image *im, const char *name)
{
	const struct mf_tuf_set *set = mf_trust_set(im->trust);
	return strcmp(name, "root") == 0 ? &set->root->roles[MF_TUF_ROOT] : mf_trust_role(im->trust, name);
}

/* Called for each key that may sign: those that are listed now, and those that the proposal's own files list.
 */
typedef int (*key_fn)(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		      const struct mf_tuf_key *k, struct mf_err *err);
struct visit {
	struct mf_image *im;
	const struct mf_proposal_place *at;
	struct mf_proposal *p;
	key_fn each;
	struct mf_digest *seen; /* fingerprints */
	size_t nseen, cap;
};

static void visit_clear(struct visit *v)
{
	free(v->seen);
}

static bool was_seen(const struct visit *v, const struct mf_digest *fp)
{
	for (size_t i = 0; i < v->nseen; i++)
		if (mf_digest_eq(&v->seen[i], fp))
			return true;
	return false;
}

static int visit_role(struct visit *v, const struct mf_tuf_role *role, struct mf_err *err)
{
	for (size_t i = 0; role && i < role->nkeys; i++) {
		const struct mf_tuf_key *k = role->keys[i];
		struct mf_digest fp;
		if (!k->pub || !k->id_fits)
			continue;
		fp = mf_pubkey_fingerprint(k->pub);
		if (was_seen(v, &fp) || v->nseen == MF_MAX_KEYS)
			continue;
		if (mf_grow((void **)&v->seen, &v->cap, v->nseen, sizeof *v->seen, err) < 0)
			return -1;
		v->seen[v->nseen++] = fp;
		if (v->each(v->im, v->at, v->p, k, err) < 0)
			return -1;
	}
	return 0;
}

/* Visits the keys that a proposed file lists. A file that does not parse lists none. */
static int visit_listed(struct visit *v, const struct mf_proposal_file *f, struct mf_err *err)
{
	const struct mf_dialect *d = mf_trust_dialect(v->im->trust);
	bool root = strcmp(f->role, "root") == 0;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_PROPOSAL_BYTES);
	struct mf_err why = MF_ERR_INIT;
	struct mf_tuf_file *file MF_TUF_FILE_CLEANUP = NULL;
	if (mf_tuf_build_file(d, f->signed_part, NULL, 0, &text, &why) == 0)
		file = mf_tuf_parse_unverified(d, root ? MF_TUF_ROOT : MF_TUF_TARGETS, &text, &why);
	if (!file)
		return mf_err_pass_ours(err, &why);
	for (size_t i = 0; i < file->nroles; i++)
		if (mf_proposal_find(v->p, file->roles[i].name) && visit_role(v, &file->roles[i], err) < 0)
			return -1;
	return 0;
}

static int each_key(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		    key_fn each, struct mf_err *err)
{
	struct visit v MF_CLEANUP(visit_clear) = {.im = im, .at = at, .p = p, .each = each};
	for (size_t i = 0; i < p->nfiles; i++)
		if (visit_role(&v, role_of(im, p->files[i].role), err) < 0)
			return -1;
	for (size_t i = 0; i < p->nfiles; i++)
		if (visit_listed(&v, &p->files[i], err) < 0)
			return -1;
	return 0;
}

/* Adds the signatures of one key. Anyone who may push can write to their tag, so signatures that do not
 * verify with this key are ignored. */
static int gather_one(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		      const struct mf_tuf_key *k, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_proposal theirs MF_PROPOSAL_CLEANUP = {.arena = MF_ARENA_INIT};
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	struct mf_err why = MF_ERR_INIT;
	char tag[80];
	signature_tag(tag, at, &fp);
	if (mf_manifest_get_tag(im->blobs, tag, &m, &why) < 0 || fetch_layer(im, &m, &theirs, &why) < 0) {
		if (mf_err_is_ours(&why) || why.code == MF_E_UNAVAILABLE)
			return mf_fail(err, why.code, 0, "%s", why.msg);
		if (why.code != MF_E_NOT_FOUND)
			mf_env_log(&im->m->env, MF_LOG_WARNING, "signatures at '%s' are left out: %s", tag,
				   why.msg);
		return 0;
	}
	return mf_proposal_merge(p, &theirs, &(struct mf_proposal_filter){mf_trust_dialect(im->trust), k},
				 err);
}

int mf_proposal_gather(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err)
{
	return each_key(im, at, p, gather_one, err);
}

static bool signs(const struct mf_proposal *p, const struct mf_tuf_key *k)
{
	for (size_t i = 0; i < p->nfiles; i++)
		for (size_t n = 0; n < p->files[i].nsignatures; n++)
			if (mf_str_eqz(k->id, p->files[i].signatures[n].keyid))
				return true;
	return false;
}

/* Stores the signatures of one key of this machine, together with the whole document, which says what they
 * cover. */
static int put_one(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		   const struct mf_tuf_key *k, struct mf_err *err)
{
	struct mf_buf doc MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PROPOSAL_BYTES),
			  manifest MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	struct mf_artifact a = {.artifact_type = MF_MT_PROPOSAL};
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	char tag[80];
	if (!signs(p, k) || !mf_keystore_find_fp(im->m->keys, &fp))
		return 0;
	if (mf_proposal_write(p, &doc, err) < 0)
		return -1;
	a.blob = (struct mf_piece){.size = doc.n, .media_type = MF_MT_PROPOSAL, .title = "proposal.json"};
	a.subject =
	    (struct mf_piece){.digest = at->digest, .size = at->size, .media_type = MF_MT_OCI_MANIFEST};
	if (mf_blob_put_bytes(im->blobs, mf_buf_bytes(&doc), &a.blob.digest, err) < 0 ||
	    mf_artifact_build(&a, &manifest, err) < 0)
		return -1;
	signature_tag(tag, at, &fp);
	struct mf_bytes bytes = mf_buf_bytes(&manifest);
	struct mf_manifest_call *call = mf_manifest_put_begin(im->blobs, tag, MF_MT_OCI_MANIFEST, bytes, err);
	return call && mf_artifact_put_end(im, call, bytes, tag, err) == 0
		   ? 0
		   : mf_wrap(err, "store the signature beside the image");
}

int mf_proposal_put_signatures(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
			       struct mf_err *err)
{
	return each_key(im, at, p, put_one, err);
}

/* ---- removing */

static int remove_manifest(struct mf_image *im, const struct mf_digest *digest, struct mf_err *err)
{
	struct mf_manifest_call *c = mf_manifest_delete_begin(im->blobs, digest, err);
	return c ? mf_manifest_delete_end(c, err) : -1;
}

/* Removes the signatures of one key. A failure does not matter, since nothing searches for signatures of a
 * proposal that is gone. If the tag names something else, perhaps an image, that is not deleted. */
static int remove_one(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		      const struct mf_tuf_key *k, struct mf_err *err)
{
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_digest fp = mf_pubkey_fingerprint(k->pub);
	struct mf_err why = MF_ERR_INIT;
	char tag[80];
	(void)p;
	(void)err;
	signature_tag(tag, at, &fp);
	if (mf_manifest_get_tag(im->blobs, tag, &m, &why) == 0 &&
	    mf_proposal_is_of(&m, &at->digest, mf_trust_identity(im->trust), &why) == MF_FOUND)
		(void)!remove_manifest(im, &m.digest, &why);
	return 0;
}

int mf_proposal_remove(struct mf_image *im, const struct mf_proposal_place *at, struct mf_proposal *p,
		       struct mf_err *err)
{
	struct mf_referrers_change change = {.subject = im->digest, .keep_all = true, .drop = &at->digest};
	if (p && each_key(im, at, p, remove_one, err) < 0)
		return -1;
	if (remove_manifest(im, &at->digest, err) == 0)
		return mf_referrers_update(im->blobs, &change, 1, err);
	struct mf_err why = MF_ERR_INIT;
	/* A registry that refuses to delete may still be one where clients write the list: taking the
	 * proposal off the list is enough then. */
	if (!mf_referrers_api(im->blobs) && mf_referrers_update(im->blobs, &change, 1, &why) == 0)
		mf_err_clear(err);
	return err->code ? -1 : 0;
}
