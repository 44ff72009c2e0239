/* Registry and Notary authentication (distribution-spec; "Token Authentication Specification"):
 * WWW-Authenticate challenges, Bearer tokens for each scope, Docker's config.json and credential helpers. */
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
	bool by_path;     /* other repositories of the host may have other credentials */
	char source[256]; /* for messages: "-u", "/home/a/.docker/config.json", "docker-credential-pass" */
};
void mf_credential_clear(struct mf_credential *c);
#define MF_CREDENTIAL_CLEANUP MF_CLEANUP(mf_credential_clear)

/* Where credentials come from: user and password if given, else the first file with an entry. NULL members
 * are absent. Everything is borrowed. */
struct mf_credential_config {
	const char *user;                 /* user name that belongs to `password` */
	const struct mf_secret *password; /* NULL: an empty one */
	const char *given_source;         /* for messages: "-u" */
	const char *option;               /* for hints: "-u"; NULL: no option is for this host */
	const char *const *files;         /* paths, in the format of Docker and podman; ends with NULL */
};

/* The credential for a repository on a host ("localhost:5000"; "docker.io" is also
 * https://index.docker.io/v1/). Each file is searched in this order: the host's own helper (credHelpers), the
 * entry with the longest path that contains the repository, the common helper (credsStore), the host's entry.
 * A helper that is not installed is skipped with a warning. MF_CREDENTIAL_NONE when no file has a credential.
 * A helper that fails and a malformed file are MF_E_AUTH; the message names them. */
int mf_credential_find(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       struct mf_str repository, const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Authentication state of one endpoint (registry or trust server): its challenge, its tokens, and the
 * credentials, which are looked up at the first 401. It is used with one mf_http. Credentials and tokens go
 * only to the server (host and port) that answered the first call with this state, and only over TLS once it
 * has sent a challenge over TLS. A Location on another server is requested without them. */
struct mf_auth;
/* cfg and env are borrowed and must outlive it; host is copied. */
struct mf_auth *mf_auth_new(const char *host, const struct mf_credential_config *cfg,
			    const struct mf_env *env, struct mf_err *err);
void mf_auth_free(struct mf_auth *a);

#endif
