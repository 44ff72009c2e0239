/* The backend for an OCI image layout directory (image-spec 1.1, image-layout.md). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "json/json.h"
#include "oci/artifact.h"
#include "oci/backend.h"

#define REF_NAME "org.opencontainers.image.ref.name"
/* Locks index.json against other writers of this program. */
#define LOCK_NAME ".manifesto.lock"

struct layout {
	const struct mf_env *env;
	char *dir;
};

static void layout_free(void *b)
{
	struct layout *l = b;
	if (!l)
		return;
	free(l->dir);
	free(l);
}

static void layout_cleanup(struct layout **l)
{
	layout_free(*l);
}

static char *blob_path(const struct layout *l, const struct mf_digest *digest)
{
	char hex[65];
	mf_digest_hex(hex, digest);
	return mf_path_join(l->dir, "blobs", "sha256", hex, NULL);
}

static char *layout_blob_path(void *b, const struct mf_digest *digest)
{
	return blob_path(b, digest);
}

/* ---- index.json */

static json_t *read_json(const struct layout *l, const char *name, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	char *path MF_FREE = mf_path_join(l->dir, name, NULL);
	if (!path) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (mf_file_read_stored(path, MF_MAX_MANIFEST_BYTES, &text, err) < 0)
		return NULL;
	json_t *j = mf_json_load(mf_buf_bytes(&text), MF_MAX_MANIFEST_BYTES, err);
	if (!j) {
		(void)mf_wrap(err, "'%s'", path);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		(void)mf_fail(err, MF_E_FORMAT, 0, "'%s' is not a JSON object", path);
		return NULL;
	}
	return j;
}

/* Gets the entries of index.json. null counts as an empty list, because Go writes it so. */
static int get_entries(json_t *index, json_t **entries, struct mf_err *err)
{
	if (json_is_null(json_object_get(index, "manifests")) &&
	    json_object_set_new(index, "manifests", json_array()))
		return mf_fail_nomem(err);
	return mf_json_get_arr(index, "manifests", MF_JSON_REQUIRED, entries, err);
}

/* The tag of an index entry, NULL when it has none. */
static const char *tag_of(const json_t *entry)
{
	return json_string_value(json_object_get(json_object_get(entry, "annotations"), REF_NAME));
}

/* Entries of records and proposals are not images, which "the only image there" could mean. */
static bool is_ours(const json_t *entry)
{
	const char *type = json_string_value(json_object_get(entry, "artifactType"));
	return mf_is_our_artifact(type) || mf_is_proposal(type);
}

static bool wanted(const json_t *entry, const char *tag)
{
	const char *has = tag_of(entry);
	return tag ? has && strcmp(has, tag) == 0 : !is_ours(entry);
}

/* Writes the names of the images in a layout, as many as fit. */
static void list_names(const json_t *entries, char *out, size_t max)
{
	size_t n = 0;
	out[0] = 0;
	for (size_t i = 0; i < json_array_size(entries) && n < max; i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *name = tag_of(entry);
		struct mf_esc e;
		if (!wanted(entry, NULL))
			continue;
		if (!name)
			name = json_string_value(json_object_get(entry, "digest"));
		(void)snprintf(out + n, max - n, "%s%s", n ? ", " : "",
			       mf_esc(&e, mf_str_c(name ? name : "?")));
		n += strlen(out + n);
		if (n + 1 >= max) {
			memcpy(out + max - 4, "...", 4);
			return;
		}
	}
}

static int fail_ambiguous(const struct layout *l, const json_t *entries, const char *tag, struct mf_err *err)
{
	char list[400];
	if (tag)
		return mf_fail(err, MF_E_AMBIGUOUS, 0, "'%s' lists several images as '%s'", l->dir, tag);
	list_names(entries, list, sizeof list);
	return mf_fail(err, MF_E_AMBIGUOUS, 0, "'%s' contains several images: %s", l->dir, list);
}

static int fail_absent(const struct layout *l, const json_t *entries, const char *tag, struct mf_err *err)
{
	char list[400];
	struct mf_esc e;
	if (!tag)
		return mf_fail(err, MF_E_NOT_FOUND, 0, "no image in '%s'", l->dir);
	list_names(entries, list, sizeof list);
	(void)mf_fail(err, MF_E_NOT_FOUND, 0, "no image '%s' in '%s'", mf_esc(&e, mf_str_c(tag)), l->dir);
	if (list[0])
		mf_err_set_hint(err, "it contains: %s", list);
	return -1;
}

static int find_entry(const struct layout *l, const char *tag, struct mf_resolved *out, struct mf_err *err)
{
	json_t *entries = NULL;
	json_t *index MF_JSON_CLEANUP = read_json(l, "index.json", err);
	if (!index || get_entries(index, &entries, err) < 0)
		return -1;
	size_t found = 0;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		struct mf_descriptor d = {0};
		if (!wanted(entry, tag))
			continue;
		/* There can be no record of an image with another digest algorithm. */
		if (mf_descriptor_foreign(entry))
			continue;
		if (mf_descriptor_read(entry, &d, err) < 0)
			return mf_wrap(err, "'%s/index.json', entry %zu", l->dir, i);
		bool other = found && !mf_digest_eq(&d.digest, &out->digest);
		out->digest = d.digest;
		out->size = d.size;
		/* If the media type is missing or too long, it is read from the manifest later. */
		out->media_type[0] = 0;
		if (d.media_type && strlen(d.media_type) < sizeof out->media_type)
			(void)snprintf(out->media_type, sizeof out->media_type, "%s", d.media_type);
		mf_descriptor_clear(&d);
		if (other)
			return fail_ambiguous(l, entries, tag, err);
		found++;
	}
	if (found)
		return 0;
	return fail_absent(l, entries, tag, err);
}

/* ---- resolving: the only state is a copy of the tag; "" stands for no tag */

static void *layout_resolve_begin(void *b, const char *tag, struct mf_err *err)
{
	(void)b;
	char *copy = mf_str_dup(mf_str_c(tag ? tag : ""));
	if (!copy)
		(void)mf_fail_nomem(err);
	return copy;
}

static int layout_resolve_end(void *b, void *resolve, struct mf_resolved *out, struct mf_err *err)
{
	char *tag MF_FREE = resolve;
	return find_entry(b, *tag ? tag : NULL, out, err);
}

static void layout_cancel(void *b, void *call)
{
	(void)b;
	free(call);
}

/* What is done when a call on a manifest is ended. */
struct call {
	struct mf_manifest_name name;
	const struct mf_manifest *m;
};

static void *call_begin(struct mf_manifest_name name, const struct mf_manifest *m, struct mf_err *err)
{
	struct call *c = mf_calloc(1, sizeof *c);
	if (!c) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	*c = (struct call){name, m};
	return c;
}

/* ---- blobs and manifests */

static void file_cleanup(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static bool is_file(const char *path, uint64_t *size)
{
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (size)
		*size = (uint64_t)st.st_size;
	return true;
}

static int layout_have(void *b, const struct mf_digest *digests, size_t n, bool *present, struct mf_err *err)
{
	for (size_t i = 0; i < n; i++) {
		char *path MF_FREE = blob_path(b, &digests[i]);
		if (!path)
			return mf_fail_nomem(err);
		present[i] = is_file(path, NULL);
	}
	return 0;
}

static void *layout_get_begin(void *b, struct mf_manifest_name name, struct mf_err *err)
{
	(void)b;
	return call_begin(name, NULL, err);
}

static int layout_get_end(void *b, void *call, struct mf_buf *bytes, char content_type[256],
			  struct mf_err *err)
{
	struct call *c MF_FREE = call;
	struct mf_manifest_name name = c->name;
	struct mf_resolved found = {0};
	const struct mf_digest *digest = name.digest;
	if (!digest) {
		if (find_entry(b, name.tag, &found, err) < 0)
			return -1;
		digest = &found.digest;
		memcpy(content_type, found.media_type, sizeof found.media_type);
	}
	char *path MF_FREE = blob_path(b, digest);
	if (!path)
		return mf_fail_nomem(err);
	if (mf_file_read_stored(path, MF_MAX_MANIFEST_BYTES, bytes, err) < 0)
		return -1;
	/* A tag's digest comes from index.json, so the content can be checked against it here. */
	struct mf_manifest m = {.bytes = *bytes};
	return name.digest ? 0 : mf_manifest_seal(&m, digest, content_type, err);
}

/* Reports whether the blob is there and undamaged; a damaged one must be written again. */
static int holds_blob(const char *path, const struct mf_digest *digest, uint64_t length, bool *holds,
		      struct mf_err *err)
{
	uint64_t size;
	struct mf_digest got;
	*holds = false;
	if (!is_file(path, &size) || size != length)
		return 0;
	struct mf_hash *hash MF_HASH_CLEANUP = mf_hash_new(err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* in case it has become a FIFO */
	FILE *f MF_CLEANUP(file_cleanup) = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f && fd >= 0)
		(void)close(fd);
	if (!hash)
		return -1;
	if (!f)
		return 0;
	char chunk[16384];
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) {
		mf_counts()->read += n;
		if (mf_hash_add(hash, chunk, n, err) < 0)
			return -1;
	}
	if (mf_hash_end(hash, &got, err) < 0)
		return -1;
	*holds = mf_digest_eq(&got, digest);
	return 0;
}

/* Opens the directory for a blob, so that no link can be put in its place any more, and returns the blob's
 * path. */
static char *open_blob_dir(const struct layout *l, const struct mf_digest *digest, struct mf_dir *dir,
			   struct mf_err *err)
{
	char hex[65];
	mf_digest_hex(hex, digest);
	if (mf_dir_open_below(dir, l->dir, "blobs/sha256", err) < 0)
		return NULL;
	char *path = mf_path_join(dir->path, hex, NULL);
	if (!path)
		(void)mf_fail_nomem(err);
	return path;
}

static void layout_put_together(void *b, struct mf_blob_source *v, size_t n)
{
	(void)b;
	(void)v;
	(void)n;
}

static int layout_blob_put(void *b, struct mf_spool *blob, const struct mf_digest *digest, uint64_t length,
			   struct mf_err *err)
{
	bool holds;
	char *path MF_FREE = blob_path(b, digest);
	if (!path)
		return mf_fail_nomem(err);
	if (holds_blob(path, digest, length, &holds, err) < 0)
		return -1;
	if (holds)
		return 0;
	struct mf_dir dir MF_DIR_CLEANUP = MF_DIR_INIT;
	char *at MF_FREE = open_blob_dir(b, digest, &dir, err);
	if (!at)
		return -1;
	return mf_spool_store(blob, at, 0644, MF_SYNC, err) < 0 ? mf_wrap(err, "'%s'", path) : 0;
}

static int layout_blob_get(void *b, const struct mf_digest *digest, uint64_t length, struct mf_spool *out,
			   struct mf_err *err)
{
	char *path MF_FREE = blob_path(b, digest);
	struct mf_digest got;
	uint64_t size;
	if (!path)
		return mf_fail_nomem(err);
	if (!is_file(path, &size))
		return mf_fail(err, MF_E_CONTENT_GONE, 0, "no blob '%s'", path);
	if (size != length)
		return mf_fail(err, MF_E_DIGEST, 0, "blob '%s' has %llu bytes, not %llu", path,
			       (unsigned long long)size, (unsigned long long)length);
	if (mf_spool_from_stored(out, path, &got, &size, err) < 0)
		return err->code == MF_E_USAGE ? mf_recode(err, MF_E_IO) : -1;
	return 0;
}

/* Makes the index entry of a manifest with a tag. */
static json_t *make_entry(const struct mf_manifest *m, const char *tag)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, &m->digest);
	return json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType", m->media_type, "digest", digest, "size",
			 (json_int_t)m->bytes.n, "annotations", REF_NAME, tag);
}

static int set_artifact_type(json_t *entry, const struct mf_manifest *m, struct mf_err *err)
{
	const char *type = NULL;
	json_t *j MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&m->bytes), MF_MAX_MANIFEST_BYTES, err);
	if (!j || mf_json_get_str(j, "artifactType", MF_JSON_OPTIONAL, &type, err) < 0)
		return -1;
	if (type && json_object_set_new(entry, "artifactType", json_string(type)))
		return mf_fail_nomem(err);
	return 0;
}

/* Removes other entries with the tag, because a tag names one image. */
static int untag_others(json_t *entries, const char *tag, struct mf_err *err)
{
	for (size_t i = json_array_size(entries); i-- > 0;) {
		json_t *entry = json_array_get(entries, i);
		if (!tag_of(entry) || strcmp(tag_of(entry), tag) != 0)
			continue;
		if (json_array_remove(entries, i))
			return mf_fail(err, MF_E_INTERNAL, 0, "remove an entry of index.json");
	}
	return 0;
}

static int lock_index(struct layout *l, struct mf_lock *lock, struct mf_err *err)
{
	char *path MF_FREE = mf_path_join(l->dir, LOCK_NAME, NULL);
	return path ? mf_lock_acquire(lock, path, l->env, err) : mf_fail_nomem(err);
}

static int write_index(struct layout *l, const json_t *index, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_MANIFEST_BYTES);
	char *path MF_FREE = mf_path_join(l->dir, "index.json", NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (mf_json_text(index, &text, err) < 0)
		return -1;
	return mf_file_write(path, mf_buf_bytes(&text), 0644, err);
}

static int list_in_index(struct layout *l, const struct mf_manifest *m, const char *tag, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	json_t *entries = NULL;
	if (lock_index(l, &lock, err) < 0)
		return -1;
	json_t *index MF_JSON_CLEANUP = read_json(l, "index.json", err);
	if (!index || get_entries(index, &entries, err) < 0 || untag_others(entries, tag, err) < 0)
		return -1;
	json_t *entry MF_JSON_CLEANUP = make_entry(m, tag);
	if (!entry)
		return mf_fail_nomem(err);
	if (set_artifact_type(entry, m, err) < 0)
		return -1;
	if (json_array_append(entries, entry))
		return mf_fail_nomem(err);
	return write_index(l, index, err);
}

static bool is_proposal(const json_t *entry)
{
	return mf_is_proposal(json_string_value(json_object_get(entry, "artifactType")));
}

/* Removes a proposal from index.json. Other entries belong to the layout and stay. */
static int unlist_proposal(struct layout *l, const struct mf_digest *digest, struct mf_err *err)
{
	struct mf_lock lock MF_LOCK_CLEANUP = MF_LOCK_INIT;
	char text[MF_DIGEST_TEXT];
	json_t *entries = NULL;
	bool changed = false;
	mf_digest_format(text, digest);
	if (lock_index(l, &lock, err) < 0)
		return -1;
	json_t *index MF_JSON_CLEANUP = read_json(l, "index.json", err);
	if (!index || get_entries(index, &entries, err) < 0)
		return -1;
	for (size_t i = json_array_size(entries); i-- > 0;) {
		const json_t *entry = json_array_get(entries, i);
		const char *has = json_string_value(json_object_get(entry, "digest"));
		if (has && is_proposal(entry) && strcmp(has, text) == 0)
			changed |= json_array_remove(entries, i) == 0;
	}
	return changed ? write_index(l, index, err) : 0;
}

static void *layout_put_begin(void *b, struct mf_manifest_name name, const struct mf_manifest *m,
			      struct mf_err *err)
{
	(void)b;
	return call_begin(name, m, err);
}

static int layout_put_end(void *b, void *call, bool *subject_seen, struct mf_descriptors *missing,
			  struct mf_err *err)
{
	struct call *c MF_FREE = call;
	struct mf_manifest_name name = c->name;
	const struct mf_manifest *m = c->m;
	(void)missing;
	*subject_seen = false;
	struct mf_dir dir MF_DIR_CLEANUP = MF_DIR_INIT;
	char *path MF_FREE = open_blob_dir(b, name.digest, &dir, err);
	bool holds;
	if (!path || holds_blob(path, name.digest, m->bytes.n, &holds, err) < 0)
		return -1;
	if (!holds && mf_file_write(path, mf_buf_bytes(&m->bytes), 0644, err) < 0)
		return -1;
	return name.tag ? list_in_index(b, m, name.tag, err) : 0;
}

/* Deletes only the index entry of a proposal. The blob stays: a layout has no garbage collection, and a blob
 * that no entry names is not found. */
static void *layout_delete_begin(void *b, const struct mf_digest *digest, struct mf_err *err)
{
	(void)b;
	return call_begin((struct mf_manifest_name){NULL, digest}, NULL, err);
}

static int layout_delete_end(void *b, void *call, struct mf_err *err)
{
	struct call *c MF_FREE = call;
	return unlist_proposal(b, c->name.digest, err);
}

static int layout_look(void *b, const struct mf_digest *digests, size_t n, struct mf_looked *out,
		       struct mf_err *err)
{
	for (size_t i = 0; i < n; i++) {
		char *path MF_FREE = blob_path(b, &digests[i]);
		if (!path)
			return mf_fail_nomem(err);
		out[i] = (struct mf_looked){.present = is_file(path, NULL), .size = UINT64_MAX};
	}
	return 0;
}

static int layout_tags(void *b, struct mf_tags *out, struct mf_err *err)
{
	struct layout *l = b;
	json_t *entries = NULL;
	json_t *index MF_JSON_CLEANUP = read_json(l, "index.json", err);
	if (!index || get_entries(index, &entries, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		struct mf_descriptor d = {0};
		if (is_ours(entry) || !tag_of(entry) || mf_descriptor_foreign(entry))
			continue;
		if (mf_descriptor_read(entry, &d, err) < 0)
			return mf_wrap(err, "'%s/index.json', entry %zu", l->dir, i);
		struct mf_digest digest = d.digest;
		mf_descriptor_clear(&d);
		if (mf_tags_add(out, tag_of(entry), &digest, err) < 0)
			return -1;
	}
	return 0;
}

/* Lists the proposals in index.json. Records are not listed in a layout. */
static int list_proposals(const struct layout *l, struct mf_descriptors *out, struct mf_err *err)
{
	json_t *entries = NULL;
	json_t *index MF_JSON_CLEANUP = read_json(l, "index.json", err);
	if (!index || get_entries(index, &entries, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		struct mf_descriptor d = {0};
		struct mf_err why = MF_ERR_INIT;
		if (!is_proposal(json_array_get(entries, i)))
			continue;
		if (mf_descriptor_read(json_array_get(entries, i), &d, &why) == 0) {
			if (mf_descriptors_take(out, &d, err) < 0)
				return -1;
		} else if (why.code == MF_E_NOMEM) {
			return mf_fail_nomem(err);
		}
	}
	return 0;
}

/* Gives all proposals for each subject; the caller reads from the manifest which subject a proposal has. */
static int layout_referrers(struct mf_image_store *s, const struct mf_digest *subjects, size_t n,
			    mf_referrers_fn each, void *arg, struct mf_err *err)
{
	(void)subjects;
	for (size_t i = 0; i < n; i++) {
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		if (list_proposals(s->b, &list, err) < 0 ||
		    each(arg, i, &list, MF_REFERRERS_NOWHERE, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- opening */

static bool is_layout(const char *dir, size_t n)
{
	char *copy MF_FREE = mf_str_dup((struct mf_str){dir, n});
	char *marker MF_FREE = copy ? mf_path_join(copy, "oci-layout", NULL) : NULL;
	return marker && is_file(marker, NULL);
}

int mf_layout_find(struct mf_ref *r, struct mf_err *err)
{
	char *text MF_FREE = NULL;
	if (asprintf(&text, "%s%s%s", r->dir, r->tag ? ":" : "", r->tag ? r->tag : "") < 0) {
		text = NULL;
		return mf_fail_nomem(err);
	}
	if (is_layout(r->dir, strlen(r->dir)))
		return 0;
	for (char *colon = text; (colon = strchr(colon, ':')); colon++) {
		if (!colon[1] || !is_layout(text, (size_t)(colon - text)))
			continue;
		char *dir = mf_str_dup((struct mf_str){text, (size_t)(colon - text)}),
		     *name = mf_str_dup(mf_str_c(colon + 1));
		free(r->dir);
		free(r->tag);
		r->dir = dir;
		r->tag = name;
		return dir && name ? 0 : mf_fail_nomem(err);
	}
	if (r->tag && is_layout(text, strlen(text))) {
		free(r->dir);
		free(r->tag);
		r->dir = text;
		r->tag = text = NULL;
	}
	return 0;
}

/* Checks that no link leads out of the layout, which may come from somebody else: nothing outside it may be
 * read or written. */
static int check_links(const struct layout *l, struct mf_err *err)
{
	static const char *const names[] = {"oci-layout", "index.json", "blobs", "blobs/sha256", "trust"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path MF_FREE = mf_path_join(l->dir, names[i], NULL);
		if (!path)
			return mf_fail_nomem(err);
		if (mf_path_check_inside(l->dir, path, err) < 0)
			return -1;
	}
	return 0;
}

static int check_layout(const struct layout *l, struct mf_err *err)
{
	const char *version;
	if (check_links(l, err) < 0)
		return -1;
	json_t *marker MF_JSON_CLEANUP = read_json(l, "oci-layout", err);
	if (!marker) {
		if (err->code == MF_E_NOT_FOUND)
			return mf_wrap(err, "'%s' is not an OCI image layout", l->dir);
		return -1;
	}
	if (mf_json_get_str(marker, "imageLayoutVersion", MF_JSON_REQUIRED, &version, err) < 0)
		return mf_wrap(err, "'%s/oci-layout'", l->dir);
	if (strncmp(version, "1.", 2) != 0) {
		struct mf_esc e;
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' is an OCI image layout of version '%s', not 1",
			       l->dir, mf_esc(&e, mf_str_c(version)));
	}
	char *path MF_FREE = mf_path_join(l->dir, "index.json", NULL);
	if (!path)
		return mf_fail_nomem(err);
	if (!is_file(path, NULL))
		return mf_fail(err, MF_E_NOT_FOUND, 0,
			       "'%s' is not an OCI image layout: it has no index.json", l->dir);
	return 0;
}

static const struct mf_backend_ops layout_ops = {
    .free = layout_free,
    .resolve_begin = layout_resolve_begin,
    .resolve_end = layout_resolve_end,
    .manifest_get_begin = layout_get_begin,
    .manifest_get_end = layout_get_end,
    .manifest_put_begin = layout_put_begin,
    .manifest_put_end = layout_put_end,
    .manifest_delete_begin = layout_delete_begin,
    .manifest_delete_end = layout_delete_end,
    .cancel = layout_cancel,
    .blobs_send = mf_backend_sends_none,
    .blobs_fetch = mf_backend_fetches_none,
    .manifests_have = layout_have,
    .manifests_look = layout_look,
    .tags = layout_tags,
    .blobs_have = layout_have,
    .will_push = mf_backend_pushes_nothing,
    .blobs_put_soon = mf_backend_begins_nothing,
    .blob_put = layout_blob_put,
    .blobs_put_together = layout_put_together,
    .blob_get = layout_blob_get,
    .blob_path = layout_blob_path,
    .referrers = layout_referrers,
};

int mf_layout_open(struct mf_image_store *store, const struct mf_ref *ref, const struct mf_env *env,
		   struct mf_err *err)
{
	struct layout *l MF_CLEANUP(layout_cleanup) = mf_calloc(1, sizeof *l);
	if (!l)
		return mf_fail_nomem(err);
	l->env = env;
	l->dir = mf_str_dup(mf_str_c(ref->dir));
	if (!l->dir)
		return mf_fail_nomem(err);
	if (check_layout(l, err) < 0)
		return -1;
	store->ops = &layout_ops;
	store->b = l;
	l = NULL;
	return 0;
}
