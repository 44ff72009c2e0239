/* A registry as the destination of a mirror (trust/oci.h): the functions of tuf+oci, with one that publishes.
 * A new manifest replaces the old one as a whole, so that a reader always has the files of one state.
 * Registries replace a tag without a condition: two mirrors of one repository must not write to the same
 * place at the same time. */
#include "base/limits.h"
#include "crypto/hash.h"
#include "ops/mirror.h"
#include "trust/bundle.h"
#include "trust/names.h"

/* ---- which files stay */

/* The files of the new manifest. */
struct listing {
	struct mf_arena arena;
	struct mf_oci_file *v;
	size_t n;
	struct mf_tuf_file *snapshot; /* the new one; NULL: the snapshot does not change */
};

static void listing_clear(struct listing *l)
{
	mf_tuf_file_free(l->snapshot);
	mf_arena_clear(&l->arena);
}

static struct mf_oci_file *find(const struct listing *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

static bool is_root(const char *name)
{
	return strcmp(name + strspn(name, "0123456789"), ".root.json") == 0;
}

/* Does the new state need a file of the old one? Old roots are needed to verify the new one; files of roles,
 * while the snapshot lists them. */
static enum mf_found is_needed(const struct listing *l, const char *name, struct mf_err *err)
{
	if (!l->snapshot || is_root(name))
		return MF_FOUND;
	for (size_t i = 0; i < l->snapshot->nmeta; i++) {
		const struct mf_tuf_meta *m = &l->snapshot->meta[i];
		struct mf_buf listed MF_BUF_CLEANUP = MF_BUF_INIT(2048);
		char *role MF_FREE = mf_str_dup(m->name);
		if (!role)
			return (enum mf_found)mf_fail_nomem(err);
		if (mf_trust_name_role(&listed, role, m->version, err) < 0)
			return MF_FAILED;
		if (strcmp(mf_buf_str(&listed).p, name) == 0)
			return MF_FOUND;
	}
	return MF_ABSENT;
}

/* Appends the old files that are still needed and have no new version. */
static int keep_old(struct listing *l, const struct mf_oci_files *old, struct mf_err *err)
{
	for (size_t i = 0; i < old->n; i++) {
		enum mf_found needed =
		    find(l, old->v[i].name) ? MF_ABSENT : is_needed(l, old->v[i].name, err);
		if (needed == MF_FAILED)
			return -1;
		if (needed == MF_ABSENT)
			continue;
		l->v[l->n] = old->v[i];
		l->v[l->n].name = mf_arena_dup(&l->arena, mf_str_c(old->v[i].name), err);
		if (!l->v[l->n++].name)
			return -1;
	}
	return 0;
}

/* ---- upload */

static int describe(const struct mf_publish_file *f, struct mf_arena *a, struct mf_oci_file *out,
		    struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	bool stamp = strcmp(f->role, "timestamp") == 0;
	if (mf_trust_name_role(&name, f->role, stamp ? 0 : f->version, err) < 0 ||
	    mf_sha256(f->bytes, &out->digest, err) < 0)
		return -1;
	out->size = f->bytes.n;
	out->name = mf_arena_dup(a, mf_buf_str(&name), err);
	return out->name ? 0 : -1;
}

static int add_file(struct listing *l, const struct mf_publish_file *f, struct mf_err *err)
{
	if (describe(f, &l->arena, &l->v[l->n], err) < 0)
		return -1;
	l->n++;
	return 0;
}

static enum mf_found has_all(struct mf_mirror *x, const struct mf_oci_file *v, size_t n, struct mf_err *err)
{
	struct mf_digest *digests MF_FREE = mf_calloc(n, sizeof *digests);
	bool *present MF_FREE = mf_calloc(n, sizeof *present), all = true;
	if (!digests || !present)
		return (enum mf_found)mf_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		digests[i] = v[i].digest;
	if (mf_blobs_have(x->store, digests, n, present, err) < 0)
		return MF_FAILED;
	for (size_t i = 0; i < n; i++)
		all &= present[i];
	return all ? MF_FOUND : MF_ABSENT;
}

/* Uploads the files. Those that the old manifest lists are left out, unless the registry has lost any of
 * them. */
static int upload(struct mf_mirror *x, const struct mf_publish_file *files, const struct listing *l,
		  const struct mf_oci_files *old, struct mf_err *err)
{
	enum mf_found whole = has_all(x, old->v, old->n, err);
	if (whole == MF_FAILED)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct mf_oci_file *there = mf_oci_files_find(old, l->v[i].name);
		struct mf_digest digest;
		if (whole == MF_FOUND && there && mf_digest_eq(&there->digest, &l->v[i].digest))
			continue;
		if (mf_blob_put_bytes(x->store, files[i].bytes, &digest, err) < 0)
			return -1;
	}
	return 0;
}

/* A shard that a step loads again is listed once. */
int mf_mirror_registry_upload(struct mf_mirror *x, const struct mf_publish_file *files, size_t n,
			      struct mf_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct mf_oci_file *v = mf_arena_more(x->a, x->uploaded, x->nuploaded, sizeof *v, err);
		struct mf_digest digest;
		bool there = false;
		if (!v)
			return -1;
		x->uploaded = v;
		if (describe(&files[i], x->a, &v[x->nuploaded], err) < 0)
			return -1;
		for (size_t k = 0; k < x->nuploaded && !there; k++)
			there = strcmp(v[k].name, v[x->nuploaded].name) == 0;
		if (there)
			continue;
		if (mf_blobs_have(x->store, &v[x->nuploaded].digest, 1, &there, err) < 0 ||
		    (!there && mf_blob_put_bytes(x->store, files[i].bytes, &digest, err) < 0))
			return -1;
		x->nuploaded++;
	}
	return 0;
}

static int take_snapshot(struct listing *l, const struct mf_publish_file *f, struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES);
	if (mf_buf_add(&copy, f->bytes.p, f->bytes.n, err) < 0)
		return -1;
	l->snapshot = mf_tuf_parse_unverified(&mf_dialect_tuf1, MF_TUF_SNAPSHOT, &copy, err);
	return l->snapshot ? 0 : -1;
}

static int list_files(struct mf_mirror *x, const struct mf_publish_file *files, size_t n,
		      const struct mf_oci_files *old, struct listing *l, struct mf_err *err)
{
	l->v = mf_arena_alloc(&l->arena, n + x->nuploaded + old->n, sizeof *l->v, err);
	if (!l->v)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_file(l, &files[i], err) < 0 ||
		    (strcmp(files[i].role, "snapshot") == 0 && take_snapshot(l, &files[i], err) < 0))
			return -1;
	if (upload(x, files, l, old, err) < 0)
		return -1;
	for (size_t i = 0; i < x->nuploaded; i++)
		l->v[l->n++] = x->uploaded[i];
	return keep_old(l, old, err);
}

/* ---- the manifest */

static int file_cmp(const void *a, const void *b)
{
	return strcmp(((const struct mf_oci_file *)a)->name, ((const struct mf_oci_file *)b)->name);
}

/* Writes the manifest, from which the same files always give the same octets. */
static int write_manifest(const char *gun, const struct listing *l, struct mf_buf *out, struct mf_err *err)
{
	struct mf_piece config;
	struct mf_json_out j;
	if (mf_artifact_config(&config, err) < 0)
		return -1;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	mf_json_add_object(&j, "annotations");
	mf_json_add_text(&j, MF_OCI_REPOSITORY, gun);
	mf_json_close(&j);
	mf_json_add_text(&j, "artifactType", MF_MT_TUF_METADATA);
	mf_descriptor_write(&j, "config", &config);
	mf_json_add_array(&j, "layers");
	for (size_t i = 0; i < l->n; i++) {
		const struct mf_piece layer = {.digest = l->v[i].digest,
					       .size = l->v[i].size,
					       .media_type = MF_MT_TUF_METADATA,
					       .title = l->v[i].name,
					       .title_too = MF_OCI_FILE_NAME};
		mf_descriptor_write(&j, NULL, &layer);
	}
	mf_json_close(&j);
	mf_json_add_text(&j, "mediaType", MF_MT_OCI_MANIFEST);
	mf_json_add_int(&j, "schemaVersion", 2);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

static int put_manifest(struct mf_mirror *x, struct listing *l, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	char tag[MF_OCI_TAG];
	const char *gun = mf_trust_gun(x->to);
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, file_cmp);
	if (mf_oci_tag(tag, gun, err) < 0 || write_manifest(gun, l, &text, err) < 0 ||
	    mf_artifact_store_config(x->store, err) < 0)
		return -1;
	return mf_manifest_put(x->store, tag, MF_MT_OCI_MANIFEST, mf_buf_bytes(&text), NULL, NULL, err);
}

/* Checks that the registry still has the timestamp that the change is based on. base NULL: it must have none;
 * a timestamp that is listed but lost counts as none. */
static int check_base(struct mf_mirror *x, const struct mf_oci_files *old, const struct mf_bytes *base,
		      struct mf_err *err)
{
	const struct mf_oci_file *stamp = mf_oci_files_find(old, "timestamp.json");
	struct mf_digest d = {{0}};
	if (base && mf_sha256(*base, &d, err) < 0)
		return -1;
	enum mf_found there = !stamp ? MF_ABSENT : base ? MF_FOUND : has_all(x, stamp, 1, err);
	if (there == MF_FAILED)
		return -1;
	if (base ? there == MF_FOUND && mf_digest_eq(&stamp->digest, &d) : there == MF_ABSENT)
		return 0;
	return mf_fail(err, MF_E_CONFLICT, 0, "somebody else published in '%s' at the same time",
		       mf_trust_where(x->to));
}

static int registry_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			    const struct mf_bytes *base, struct mf_err *err)
{
	struct mf_mirror *x = r->arg;
	struct listing l MF_CLEANUP(listing_clear) = {.arena = MF_ARENA_INIT};
	const struct mf_oci_files *old = mf_oci_files_of(r, err);
	if (!old || check_base(x, old, base, err) < 0 || list_files(x, files, n, old, &l, err) < 0 ||
	    put_manifest(x, &l, err) < 0)
		return -1;
	return mf_oci_files_of(r, err) ? 0 : -1;
}

/* ---- opening */

enum mf_found mf_mirror_registry_is_whole(struct mf_mirror *x, struct mf_err *err)
{
	const struct mf_oci_files *now = mf_oci_files_of(x->to->repo, err);
	return now ? has_all(x, now->v, now->n, err) : MF_FAILED;
}

static int put_again(void *arg, const struct mf_fetch_key *key, struct mf_bytes bytes, struct mf_err *err)
{
	struct mf_mirror *x = arg;
	struct mf_digest digest;
	bool there;
	(void)key;
	if (mf_sha256(bytes, &digest, err) < 0 || mf_blobs_have(x->store, &digest, 1, &there, err) < 0)
		return -1;
	if (there)
		return 0;
	x->out->nfiles++;
	return mf_blob_put_bytes(x->store, bytes, &digest, err);
}

enum mf_found mf_mirror_registry_restore(struct mf_mirror *x, struct mf_err *err)
{
	enum mf_found whole = mf_mirror_registry_is_whole(x, err);
	if (whole != MF_ABSENT)
		return whole == MF_FOUND ? MF_ABSENT : MF_FAILED;
	struct mf_shard_steps steps = {.t = x->to, .env = &x->m->env};
	enum mf_found more = mf_trust_pack(x->to, put_again, x, err) < 0 ? MF_FAILED : MF_FOUND;
	while (more == MF_FOUND && (more = mf_shards_next(&steps, err)) == MF_FOUND)
		if (mf_trust_pack_roles(x->to, steps.first, put_again, x, err) < 0)
			return MF_FAILED;
	if (more == MF_FAILED)
		return MF_FAILED;
	whole = mf_mirror_registry_is_whole(x, err);
	if (whole != MF_ABSENT)
		return whole;
	(void)mf_fail(err, MF_E_GONE, 0, "the registry has lost files of the mirror '%s'",
		      mf_trust_where(x->to));
	mf_err_set_hint(err, "restore them from a backup of the registry, or mirror to another place: its "
			     "readers then need its pin");
	return MF_FAILED;
}

bool mf_mirror_is_registry(const struct mf_mirror *x)
{
	return x->store != NULL;
}

static int open_store(struct mf_mirror *x, const char *rest, struct mf_err *err)
{
	struct mf_ref ref MF_REF_CLEANUP = {0};
	if (mf_ref_parse_repository(&ref, mf_str_c(rest), err) < 0)
		return -1;
	x->store = mf_image_store_open(&ref, x->cfg.http, x->cfg.auth, &x->m->env, err);
	if (!x->store)
		return -1;
	mf_image_store_will_push(x->store);
	return 0;
}

int mf_mirror_open_registry(struct mf_mirror *x, const char *url, const char *pin_name, struct mf_err *err)
{
	const char *gun = mf_trust_gun(x->im.trust), *rest = url + strlen(mf_repo_oci.scheme);
	x->ops = mf_repo_oci;
	x->ops.read_only = NULL;
	x->ops.publish = registry_publish;
	struct mf_repo *repo = x->ops.open(&x->ops, rest, gun, &x->cfg, err);
	if (!repo)
		return -1;
	repo->arg = x;
	if (mf_trust_new(repo, &mf_store_home, gun, pin_name, &x->cfg, &x->to, err) < 0)
		return -1;
	return open_store(x, rest, err);
}
