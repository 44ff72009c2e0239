/* Registry and Notary authentication (distribution-spec; "Token Authentication Specification"):
 * WWW-Authenticate challenges, Bearer tokens per scope, Docker's config.json and credential helpers. */
#ifndef MF_NET_AUTH_H
#define MF_NET_AUTH_H

#include "base/env.h"
#include "crypto/secret.h"

enum mf_credential_kind {
	MF_CREDENTIAL_NONE,
	MF_CREDENTIAL_PASSWORD,       /* of `user` */
	MF_CREDENTIAL_IDENTITY_TOKEN, /* a refresh token for the token server */
	MF_CREDENTIAL_REGISTRY_TOKEN, /* a Bearer token, sent as it is */
};
struct mf_credential {
	enum mf_credential_kind kind;
	char *user;
	struct mf_secret secret;
	bool by_path;     /* another repository of the same host may have another one */
	char source[256]; /* for messages: "-u", "/home/a/.docker/config.json", "docker-credential-pass" */
};
void mf_credential_clear(struct mf_credential *c);
#define MF_CREDENTIAL_CLEANUP MF_CLEANUP(mf_credential_clear)

/* Where credentials come from: what is given here, else the first file that has one. NULL members: none.
 * Borrowed. */
struct mf_credential_config {
	const char *user;                 /* a name that comes with `password` */
	const struct mf_secret *password; /* NULL: an empty one */
	const char *given_source;         /* for messages: "-u" */
	const char *option;               /* by which people give one: "-u"; NULL: none is for this host */
	const char *const *files;         /* as Docker and podman write them; ends with NULL */
};

/* The credential for a repository on a host ("localhost:5000"; "docker.io" is also
 * https://index.docker.io/v1/). In each file: the host's own helper, the entry with the longest path that
 * holds the repository, the common helper, the host's entry. A host that is not listed gives
 * MF_CREDENTIAL_NONE, and so does a helper that is not installed, with a warning. A helper that fails and a
 * malformed file are MF_E_AUTH, which names them. */
int mf_credential_find(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       struct mf_str repository, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Authentication state of one endpoint (registry or trust server): credential looked up at the first 401,
 * challenge and tokens remembered. Used by one mf_http. The origin (scheme, host, port) that first answers a
 * call with it is the only one that ever gets its credentials and tokens: a Location elsewhere is requested
 * without. */
struct mf_auth;
/* cfg and env are borrowed and must outlive it; host is copied. */
struct mf_auth *mf_auth_new(const char *host, const struct mf_credential_config *cfg,
			    const struct mf_env *env, struct mf_err *err);
void mf_auth_free(struct mf_auth *a);

#endif
