/* Object stores with the API of Amazon S3: credentials (AWS variables, profiles, credential_process) and
 * signatures of requests. */
#ifndef MF_NET_AWS_H
#define MF_NET_AWS_H

#include "base/digest.h"
#include "base/env.h"
#include "crypto/secret.h"

/* The user's settings, named as by the AWS tools. NULL: not given. Borrowed. */
struct mf_aws_config {
	const char *key_id;
	const struct mf_secret *secret, *token;
	const char *region, *endpoint;
	const char *profile;                        /* NULL: "default", where there is one */
	const char *config_file, *credentials_file; /* as ~/.aws has them; NULL: none */
};

/* Who signs requests, and where they go. Strings are its own. */
struct mf_aws {
	char *key_id;                   /* NULL: nobody; requests are not signed */
	struct mf_secret secret, token; /* secret: behind "AWS4", as signing takes it */
	char *region;                   /* NULL: not known */
	char *endpoint;                 /* "https://HOST[:PORT]"; NULL: Amazon's own */
	enum mf_aws_style { MF_AWS_AUTO, MF_AWS_PATH, MF_AWS_VIRTUAL } style;
	int64_t expires;  /* of the keys; 0: unknown */
	char source[256]; /* of the keys, for messages */
};
void mf_aws_clear(struct mf_aws *a);
#define MF_AWS_CLEANUP MF_CLEANUP(mf_aws_clear)

/* Given keys first, then those of the profile: its own, or what its credential_process prints. *out must be
 * empty. MF_E_USAGE: there is no such profile, or an endpoint or a region that cannot be one. MF_E_AUTH: half
 * a pair of keys, a profile or a credential_process without keys. */
int mf_aws_resolve(struct mf_aws *out, const struct mf_aws_config *cfg, const struct mf_env *env,
		   struct mf_err *err) MF_NODISCARD;

/* Header lines of one request, for mf_http_request.headers. Wiped when cleared. */
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
	    *url; /* percent-encoded but for unreserved octets and '/'; the query sorted, each with '=' */
	const struct mf_digest *payload; /* SHA-256 of the body */
	int64_t now;
};
/* Adds what signs a request (AWS Signature Version 4, in headers); nothing when nobody signs. */
int mf_aws_sign(const struct mf_aws *a, const struct mf_aws_request *r, struct mf_aws_headers *out,
		struct mf_err *err) MF_NODISCARD;

#endif
