/* Object stores with the API of Amazon S3: credentials (AWS variables, profiles, credential_process) and
 * signatures of requests. */
#ifndef MF_NET_AWS_H
#define MF_NET_AWS_H

#include "base/digest.h"
#include "base/env.h"
#include "crypto/secret.h"

/* The user's settings, with the names of the AWS tools. NULL: not given. Strings are borrowed. */
struct mf_aws_config {
	const char *key_id;
	const struct mf_secret *secret, *token;
	const char *region, *endpoint;
	const char *profile;                        /* NULL: "default", where there is one */
	const char *config_file, *credentials_file; /* in the format of ~/.aws; NULL: none */
};

/* The keys that sign requests, and where requests go. The structure owns the strings. */
struct mf_aws {
	char *key_id;                   /* NULL: requests are not signed */
	struct mf_secret secret, token; /* the secret has the prefix "AWS4" that signing needs */
	char *region;                   /* NULL: unknown */
	char *endpoint;                 /* "https://HOST[:PORT]"; NULL: Amazon's own */
	enum mf_aws_style { MF_AWS_AUTO, MF_AWS_PATH, MF_AWS_VIRTUAL } style;
	int64_t expires;  /* when the keys expire; 0: unknown */
	char source[256]; /* where the keys came from, for messages */
};
void mf_aws_clear(struct mf_aws *a);
#define MF_AWS_CLEANUP MF_CLEANUP(mf_aws_clear)

/* Uses the keys in cfg, or else those of the profile: stored in it, or printed by its credential_process.
 * *out must be empty. MF_E_USAGE: the profile does not exist, or the endpoint or the region is malformed.
 * MF_E_AUTH: one half of a pair of keys is missing, or the profile or its credential_process has no keys. */
int mf_aws_resolve(struct mf_aws *out, const struct mf_aws_config *cfg, const struct mf_env *env,
		   struct mf_err *err) MF_NODISCARD;

/* Header lines of one request, for mf_http_request.headers. Clearing wipes them. */
#define MF_AWS_MAX_HEADERS 8
struct mf_aws_headers {
	struct mf_buf text[MF_AWS_MAX_HEADERS];
	const char *v[MF_AWS_MAX_HEADERS + 1]; /* ends with NULL */
	size_t n;
};
void mf_aws_headers_clear(struct mf_aws_headers *h);
#define MF_AWS_HEADERS_CLEANUP MF_CLEANUP(mf_aws_headers_clear)
int mf_aws_header(struct mf_aws_headers *h, struct mf_err *err, const char *fmt, ...)
    MF_PRINTF(3, 4) MF_NODISCARD;

struct mf_aws_request {
	const char *method;
	const char
	    *url; /* percent-encoded except unreserved octets and '/'; query sorted, each name with '=' */
	const struct mf_digest *payload; /* SHA-256 of the body */
	int64_t now;
};
/* Adds the headers of AWS Signature Version 4 to *out; adds nothing when there are no keys. */
int mf_aws_sign(const struct mf_aws *a, const struct mf_aws_request *r, struct mf_aws_headers *out,
		struct mf_err *err) MF_NODISCARD;

#endif
