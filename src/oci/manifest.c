#include "oci/artifact.h"

#include <stdio.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "oci/backend.h"
#include "record/record.h"

/* ---- descriptors */

#define MAX_SIZE MF_MAX_VERSION /* of a described object; JSON readers hold integers up to this exactly */

void mf_descriptor_clear(struct mf_descriptor *d)
{
	free(d->media_type);
	free(d->artifact_type);
	free(d->os);
	free(d->architecture);
	free(d->variant);
	free(d->annotations);
	*d = (struct mf_descriptor){0};
}
#define DESCRIPTOR_CLEANUP MF_CLEANUP(mf_descriptor_clear)

void mf_descriptors_clear(struct mf_descriptors *list)
{
	for (size_t i = 0; i < list->n; i++)
		mf_descriptor_clear(&list->v[i]);
	free(list->v);
	*list = (struct mf_descriptors){0};
}

int mf_descriptors_take(struct mf_descriptors *list, struct mf_descriptor *d, struct mf_err *err)
{
	void *v = list->v;
	if (mf_grow(&v, &list->cap, list->n, sizeof *d, err) < 0) {
		mf_descriptor_clear(d);
		return -1;
	}
	list->v = v;
	list->v[list->n++] = *d;
	*d = (struct mf_descriptor){0};
	return 0;
}

int mf_json_text(const json_t *j, struct mf_buf *out, struct mf_err *err)
{
	return mf_json_dump(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, out, err);
}

/* Whether a member is present. null counts as absent: Go writes null for empty values, and skopeo reads it
 * so. */
static bool has(const json_t *j, const char *name)
{
	const json_t *member = json_object_get(j, name);
	return member && !json_is_null(member);
}

/* Copies an optional string member; *out stays as it is when the member is absent. */
static int read_text(const json_t *j, const char *name, char **out, struct mf_err *err)
{
	const char *z = NULL;
	if (!has(j, name))
		return 0;
	if (mf_json_get_str(j, name, MF_JSON_REQUIRED, &z, err) < 0)
		return -1;
	*out = mf_str_dup(mf_str_c(z));
	return *out ? 0 : mf_fail_nomem(err);
}

static int read_platform(const json_t *j, struct mf_descriptor *d, struct mf_err *err)
{
	json_t *platform = NULL;
	if (!has(j, "platform"))
		return 0;
	if (mf_json_get_obj(j, "platform", MF_JSON_REQUIRED, &platform, err) < 0 ||
	    read_text(platform, "os", &d->os, err) < 0 ||
	    read_text(platform, "architecture", &d->architecture, err) < 0)
		return -1;
	return read_text(platform, "variant", &d->variant, err);
}

static int read_annotations(const json_t *j, struct mf_descriptor *d, struct mf_err *err)
{
	json_t *annotations = NULL;
	if (!has(j, "annotations"))
		return 0;
	if (mf_json_get_obj(j, "annotations", MF_JSON_REQUIRED, &annotations, err) < 0)
		return -1;
	const char *name;
	json_t *value;
	json_object_foreach(annotations, name, value)
	{
		if (!json_is_string(value) && !json_is_null(value))
			return mf_fail(err, MF_E_FORMAT, 0, "an annotation is not a string");
	}
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(2 * MF_MAX_MANIFEST_BYTES);
	if (mf_json_text(annotations, &text, err) < 0)
		return -1;
	d->annotations = mf_buf_take(&text);
	return d->annotations ? 0 : mf_fail_nomem(err);
}

int mf_descriptor_read(const json_t *j, struct mf_descriptor *out, struct mf_err *err)
{
	struct mf_descriptor d DESCRIPTOR_CLEANUP = {0};
	const char *digest;
	int64_t size;
	if (!json_is_object(j))
		return mf_fail(err, MF_E_FORMAT, 0, "a descriptor is not an object");
	if (mf_json_get_str(j, "digest", MF_JSON_REQUIRED, &digest, err) < 0 ||
	    mf_digest_parse(&d.digest, mf_str_c(digest), err) < 0 ||
	    mf_json_get_int(j, "size", MF_JSON_REQUIRED, 0, MAX_SIZE, &size, err) < 0)
		return -1;
	d.size = (uint64_t)size;
	if (read_text(j, "mediaType", &d.media_type, err) < 0 ||
	    read_text(j, "artifactType", &d.artifact_type, err) < 0 || read_platform(j, &d, err) < 0 ||
	    read_annotations(j, &d, err) < 0)
		return -1;
	*out = d;
	d = (struct mf_descriptor){0};
	return 0;
}

/* Whether the digest has another algorithm than sha256. That is well formed, but cannot be used here. */
bool mf_descriptor_foreign(const json_t *j)
{
	const char *digest = json_string_value(json_object_get(j, "digest"));
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_digest d;
	return digest && strncmp(digest, "sha256:", 7) != 0 && strchr(digest, ':') &&
	       mf_digest_parse(&d, mf_str_c(digest), &ignored) < 0;
}

bool mf_is_index_type(const char *media_type)
{
	return strcmp(media_type, MF_MT_OCI_INDEX) == 0 || strcmp(media_type, MF_MT_DOCKER_LIST) == 0;
}

bool mf_is_manifest_type(const char *media_type)
{
	return mf_is_index_type(media_type) || strcmp(media_type, MF_MT_OCI_MANIFEST) == 0 ||
	       strcmp(media_type, MF_MT_DOCKER_MANIFEST) == 0;
}

static bool holds(const struct mf_descriptors *list, size_t n, const struct mf_digest *digest)
{
	for (size_t i = 0; i < n; i++)
		if (mf_digest_eq(&list->v[i].digest, digest))
			return true;
	return false;
}

int mf_descriptors_merge(struct mf_descriptors *list, const json_t *index, struct mf_err *err)
{
	const json_t *manifests = json_object_get(index, "manifests");
	if (!json_is_array(manifests) && !json_is_null(manifests))
		return mf_fail(err, MF_E_FORMAT, 0, "not a list of manifests");
	/* An index may list a digest twice (for two platforms), so digests are compared only with entries of
	 * earlier lists. */
	size_t before = list->n;
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		struct mf_descriptor d = {0};
		struct mf_err odd = MF_ERR_INIT;
		if (mf_descriptor_read(json_array_get(manifests, i), &d, &odd) < 0) {
			/* An entry that cannot be read is skipped, so that it does not hide the others. */
			if (odd.code == MF_E_NOMEM)
				return mf_fail_nomem(err);
			continue;
		}
		if (holds(list, before, &d.digest))
			mf_descriptor_clear(&d);
		else if (mf_descriptors_take(list, &d, err) < 0)
			return -1;
	}
	return 0;
}

int mf_index_children(const struct mf_manifest *index, struct mf_descriptors *out, size_t *foreign,
		      struct mf_err *err)
{
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&index->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!j)
		return -1;
	const json_t *manifests = json_object_get(j, "manifests");
	if (!json_is_array(manifests) && !json_is_null(manifests))
		return mf_fail(err, MF_E_FORMAT, 0, "an image index is not an object with manifests");
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const json_t *entry = json_array_get(manifests, i);
		struct mf_descriptor d = {0};
		if (mf_descriptor_foreign(entry)) {
			++*foreign;
			continue;
		}
		if (mf_descriptor_read(entry, &d, err) < 0)
			return mf_wrap(err, "entry %zu of index", i);
		if (mf_descriptors_take(&list, &d, err) < 0)
			return -1;
	}
	mf_descriptors_clear(out);
	*out = list;
	list = (struct mf_descriptors){0};
	return 0;
}

void mf_manifest_init(struct mf_manifest *m)
{
	*m = (struct mf_manifest){0};
	mf_buf_init(&m->bytes, MF_MAX_MANIFEST_BYTES);
}

void mf_manifest_clear(struct mf_manifest *m)
{
	mf_buf_clear(&m->bytes);
	*m = (struct mf_manifest){0};
}

/* Copies a media type without its parameters. Returns false for one that is empty, too long or malformed. */
static bool set_media_type(struct mf_manifest *m, const char *text)
{
	size_t n = strcspn(text, "; \t");
	if (n == 0 || n >= sizeof m->media_type)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\')
			return false;
	memcpy(m->media_type, text, n);
	m->media_type[n] = '\0';
	return true;
}

static int read_kind(struct mf_manifest *m, const char *content_type, struct mf_err *err)
{
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!j)
		return -1;
	if (!json_is_object(j))
		return mf_fail(err, MF_E_FORMAT, 0, "not an object");
	const char *own = NULL;
	if (has(j, "mediaType") && mf_json_get_str(j, "mediaType", MF_JSON_REQUIRED, &own, err) < 0)
		return -1;
	m->is_index = has(j, "manifests") || (own && mf_is_index_type(own));
	/* A document that is both would be an index here and a manifest to the program that runs the image,
	 * or the reverse (CVE-2021-41190). */
	if (m->is_index && (has(j, "layers") || has(j, "config")))
		return mf_fail(err, MF_E_FORMAT, 0, "it has members of both an index and a manifest");
	if (own) {
		if (!set_media_type(m, own))
			return mf_fail(err, MF_E_FORMAT, 0, "its media type is malformed");
		return 0;
	}
	/* A server may send "application/json", or a type that does not fit the content. */
	if (!set_media_type(m, content_type) || !mf_is_manifest_type(m->media_type) ||
	    mf_is_index_type(m->media_type) != m->is_index)
		(void)set_media_type(m, m->is_index ? MF_MT_OCI_INDEX : MF_MT_OCI_MANIFEST);
	return 0;
}

int mf_manifest_seal(struct mf_manifest *m, const struct mf_digest *want, const char *content_type,
		     struct mf_err *err)
{
	if (mf_sha256(mf_buf_bytes(&m->bytes), &m->digest, err) < 0)
		return -1;
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &m->digest);
	if (want && !mf_digest_eq(&m->digest, want)) {
		char wanted[MF_DIGEST_TEXT];
		mf_digest_format(wanted, want);
		return mf_fail(err, MF_E_DIGEST, 0, "manifest %s: the content has the digest %s", wanted,
			       digest);
	}
	if (read_kind(m, content_type, err) < 0)
		return mf_wrap(err, "manifest %s", digest);
	return 0;
}

void mf_descriptor_write(struct mf_json_out *j, const char *name, const struct mf_piece *p)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &p->digest);
	mf_json_add_object(j, name);
	if (p->title) {
		mf_json_add_object(j, "annotations");
		mf_json_add_text(j, "org.opencontainers.image.title", p->title);
		if (p->title_too)
			mf_json_add_text(j, p->title_too, p->title);
		mf_json_close(j);
	}
	mf_json_add_text(j, "digest", digest);
	mf_json_add_text(j, "mediaType", p->media_type);
	mf_json_add_int(j, "size", (int64_t)p->size);
	mf_json_close(j);
}

/* ---- the artifact manifest of a record */

#define OUR_ARTIFACTS "application/vnd.manifesto."

bool mf_is_our_artifact(const char *artifact_type)
{
	return artifact_type && strncmp(artifact_type, OUR_ARTIFACTS, strlen(OUR_ARTIFACTS)) == 0 &&
	       !mf_is_proposal(artifact_type);
}

bool mf_artifact_is_foreign(const json_t *annotations, const char *owner)
{
	const char *who = json_string_value(json_object_get(annotations, MF_ARTIFACT_OWNER));
	return who && (!owner || strcmp(who, owner) != 0);
}

bool mf_is_proposal(const char *artifact_type)
{
	return artifact_type && strcmp(artifact_type, MF_MT_PROPOSAL) == 0;
}

static enum mf_found is_of(const struct mf_manifest *m, const struct mf_digest *subject, const char *owner,
			   bool (*kind)(const char *artifact_type), struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_descriptor d DESCRIPTOR_CLEANUP = {0};
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!j)
		return MF_FAILED;
	bool ours = !m->is_index && kind(json_string_value(json_object_get(j, "artifactType"))) &&
		    !mf_artifact_is_foreign(json_object_get(j, "annotations"), owner);
	if (mf_descriptor_read(json_object_get(j, "subject"), &d, &why) < 0)
		return why.code == MF_E_NOMEM ? (enum mf_found)mf_fail_nomem(err) : MF_ABSENT;
	return ours && mf_digest_eq(&d.digest, subject) ? MF_FOUND : MF_ABSENT;
}

enum mf_found mf_artifact_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err)
{
	return is_of(m, subject, owner, mf_is_our_artifact, err);
}

enum mf_found mf_proposal_is_of(const struct mf_manifest *m, const struct mf_digest *subject,
				const char *owner, struct mf_err *err)
{
	return is_of(m, subject, owner, mf_is_proposal, err);
}

int mf_artifact_config(struct mf_piece *out, struct mf_err *err)
{
	*out = (struct mf_piece){.media_type = MF_MT_OCI_EMPTY, .size = 2};
	return mf_digest_parse(&out->digest, MF_STR(MF_EMPTY_JSON_DIGEST), err);
}

/* The members are in the order of their names, so that the same record always gives the same bytes. */
int mf_artifact_build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_out j;
	struct mf_piece config;
	if (mf_artifact_config(&config, err) < 0)
		return -1;
	mf_json_to_buf(&j, MF_JSON_SHOWN, out, err);
	mf_json_add_object(&j, NULL);
	if (a->annotations || a->created || a->owner)
		mf_json_add_object(&j, "annotations");
	for (const struct mf_annotation *n = a->annotations; n && n->name; n++)
		mf_json_add_text(&j, n->name, n->value);
	if (a->created)
		mf_json_add_text(&j, "org.opencontainers.image.created", a->created);
	if (a->owner)
		mf_json_add_text(&j, MF_ARTIFACT_OWNER, a->owner);
	if (a->annotations || a->created || a->owner)
		mf_json_close(&j);
	mf_json_add_text(&j, "artifactType", a->artifact_type);
	mf_descriptor_write(&j, "config", &config);
	mf_json_add_array(&j, "layers");
	mf_descriptor_write(&j, NULL, &a->blob);
	for (size_t i = 0; i < a->nmore; i++)
		mf_descriptor_write(&j, NULL, &a->more[i]);
	mf_json_close(&j);
	mf_json_add_text(&j, "mediaType", MF_MT_OCI_MANIFEST);
	mf_json_add_int(&j, "schemaVersion", 2);
	mf_descriptor_write(&j, "subject", &a->subject);
	mf_json_close(&j);
	return mf_json_finish(&j);
}

int mf_artifact_store_config(struct mf_image_store *s, struct mf_err *err)
{
	struct mf_digest digest;
	return mf_blob_put_bytes(s, mf_bytes_of(MF_STR("{}")), &digest, err);
}
