/* The objects of one trust repository in a bucket of an object store: requests and their results. */
#ifndef MF_TRUST_BUCKET_H
#define MF_TRUST_BUCKET_H

#include "trust/repo.h"

struct mf_bucket {
	const struct mf_trust_config *cfg;
	char *name;
	char *prefix; /* "PREFIX/GUN/": in front of each file name */
	/* Filled by mf_bucket_ready. */
	struct mf_aws aws;
	char *base; /* URL of the bucket, ends with '/' */
};
/* rest: "BUCKET[/PREFIX]". *where: receives "tuf+s3://BUCKET/PREFIX/GUN", malloc'd. Sends no request.
 * MF_E_USAGE. */
int mf_bucket_init(struct mf_bucket *b, const char *rest, const char *gun, const struct mf_trust_config *cfg,
		   char **where, struct mf_err *err) MF_NODISCARD;
void mf_bucket_clear(struct mf_bucket *b);
/* Finds keys, region and endpoint, unless they are known and the keys do not expire soon. */
int mf_bucket_ready(struct mf_bucket *b, struct mf_err *err) MF_NODISCARD;
/* MF_E_AUTH: there are no keys to sign requests with, and unsigned ones cannot write. Call it after
 * mf_bucket_ready. */
int mf_bucket_check_keys(const struct mf_bucket *b, struct mf_err *err) MF_NODISCARD;

struct mf_object_request {
	const char *method;
	struct mf_str name;      /* of the object, below the prefix */
	struct mf_str query;     /* or a query to the bucket itself, encoded as for mf_aws_request */
	const char *condition;   /* a header line, or NULL */
	const char *cache;       /* Cache-Control of an object that is put, or NULL */
	struct mf_bytes body;    /* of a PUT */
	struct mf_spool *stream; /* or this stream, with digest and length */
	const struct mf_digest *sha256;
	uint64_t length;
	size_t max;            /* octets of the answer */
	struct mf_spool *into; /* receives the answer in place of the buffer, or NULL */
};
struct mf_object_call;
/* Everything is borrowed until the call ends. */
int mf_object_begin(struct mf_bucket *b, const struct mf_object_request *r, struct mf_object_call **out,
		    struct mf_err *err) MF_NODISCARD;
void mf_object_free(struct mf_object_call *c);
static inline void mf_object_cleanup(struct mf_object_call **c)
{
	mf_object_free(*c);
}
#define MF_OBJECT_CLEANUP MF_CLEANUP(mf_object_cleanup)

/* Waits for a GET or a HEAD. MF_ABSENT: there is no such object. The answer lives as long as the call. */
enum mf_found mf_object_get(struct mf_object_call *c, struct mf_http_response **res,
			    struct mf_err *err) MF_NODISCARD;

enum mf_put_end {
	MF_PUT_FAILED = -1, /* the write did not happen; err says why */
	MF_PUT_DONE,
	MF_PUT_REFUSED, /* the condition was not met */
	MF_PUT_UNCLEAR, /* the write may or may not have happened; err says why it is unknown */
};
/* Waits for a PUT or a DELETE. */
enum mf_put_end mf_object_put(struct mf_object_call *c, struct mf_err *err) MF_NODISCARD;

/* Lists the objects whose names below the bucket's prefix begin with `prefix`. */
int mf_bucket_list(struct mf_bucket *b, struct mf_str prefix, struct mf_listing *out,
		   struct mf_err *err) MF_NODISCARD;
/* Reads one page of a listing: adds the objects whose keys begin with `base`, named by the rest of the key.
 * last: receives the last key; unchanged if the page is empty. MF_FOUND: there are more pages. MF_E_REFUSED:
 * the page is malformed. */
enum mf_found mf_s3_list_parse(struct mf_str xml, struct mf_str base, struct mf_listing *out,
			       struct mf_buf *last, struct mf_err *err) MF_NODISCARD;

/* The text of the first element <tag> of an error answer, other characters than visible ASCII replaced by
 * '?'; "" if there is none. */
void mf_s3_error_field(const struct mf_http_response *res, const char *tag, char out[256]);

#endif
