#include "oci/artifact.h"

#include "json/json.h"
#include "oci/backend.h"

static int add_quoted(struct mf_buf *out, const char *text, struct mf_err *err)
{
	return mf_json_quote_any(mf_str_c(text), out, err);
}

static int add_descriptor(struct mf_buf *out, const struct mf_digest *d, const char *media_type,
			  uint64_t size, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, d);
	if (mf_buf_printf(out, err, "{\"digest\":\"%s\",\"mediaType\":", digest) ||
	    add_quoted(out, media_type, err))
		return -1;
	return mf_buf_printf(out, err, ",\"size\":%ju}", (uintmax_t)size);
}

static int add_head(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err)
{
	if (mf_buf_addc(out, '{', err))
		return -1;
	if (a->created && (mf_buf_addz(out, "\"annotations\":{\"org.opencontainers.image.created\":", err) ||
			   add_quoted(out, a->created, err) || mf_buf_addz(out, "},", err)))
		return -1;
	struct mf_buf type MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	if (mf_buf_printf(&type, err, "application/vnd.manifesto.%s", a->type) ||
	    mf_buf_addz(out, "\"artifactType\":", err))
		return -1;
	return add_quoted(out, type.p, err);
}

/* Members in the order of their names, so that the same record gives the same bytes everywhere. */
static int build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err)
{
	struct mf_digest empty;
	if (mf_digest_parse(&empty, MF_STR(MF_EMPTY_JSON_DIGEST), err) || add_head(a, out, err))
		return -1;
	if (mf_buf_addz(out, ",\"config\":", err) || add_descriptor(out, &empty, MF_MT_OCI_EMPTY, 2, err))
		return -1;
	if (mf_buf_addz(out, ",\"layers\":[", err) ||
	    add_descriptor(out, &a->blob, a->blob_media_type, a->blob_length, err))
		return -1;
	if (mf_buf_addz(out,
			"],\"mediaType\":\"" MF_MT_OCI_MANIFEST "\",\"schemaVersion\":2,\"subject\":", err) ||
	    add_descriptor(out, &a->subject, a->subject_media_type, a->subject_size, err))
		return -1;
	return mf_buf_addc(out, '}', err);
}

int mf_artifact_build(const struct mf_artifact *a, struct mf_buf *out, struct mf_err *err)
{
	size_t before = out->n;
	if (build(a, out, err) == 0)
		return 0;
	out->n = before;
	if (out->p)
		out->p[before] = '\0';
	return -1;
}

int mf_artifact_store_config(struct mf_image_store *s, struct mf_err *err)
{
	struct mf_digest digest;
	if (s->has_empty_config)
		return 0;
	if (mf_blob_put_bytes(s, mf_bytes_of(MF_STR("{}")), &digest, err))
		return -1;
	s->has_empty_config = true;
	return 0;
}
