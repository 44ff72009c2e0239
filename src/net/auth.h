/* Registry and Notary authentication (distribution-spec; "Token Authentication Specification"):
 * WWW-Authenticate challenges, Bearer tokens per scope, Docker's config.json and credential helpers. */
#ifndef MF_NET_AUTH_H
#define MF_NET_AUTH_H

#include "base/env.h"
#include "crypto/secret.h"

/* One challenge of a WWW-Authenticate header (RFC 9110 section 11.6.1). */
struct mf_challenge {
	bool basic, bearer; /* which scheme; both false: neither is offered */
	char realm[1024], service[256], scope[1024], error[64]; /* of the chosen scheme */
};
/* Reads one header value that may hold several challenges; Bearer is preferred to Basic. MF_E_FORMAT when
 * malformed. */
int mf_challenge_parse(struct mf_challenge *out, struct mf_str value, struct mf_err *err) MF_NODISCARD;

/* A user name and password, or an identity token (user "<token>"), or nothing (user NULL). */
struct mf_credential {
	char *user;
	struct mf_secret password;
	char source[256]; /* for messages: "-u", "REGISTRY_USERNAME", "/home/a/.docker/config.json",
			     "docker-credential-pass" */
};
void mf_credential_clear(struct mf_credential *c);
#define MF_CREDENTIAL_CLEANUP MF_CLEANUP(mf_credential_clear)

/* Where credentials come from, in this order: given here; Docker's configuration file. NULL members: none.
 * Borrowed. */
struct mf_credential_config {
	const char *user;                 /* -u or REGISTRY_USERNAME */
	const struct mf_secret *password; /* stdin, or REGISTRY_PASSWORD */
	const char *given_source;
	const char *docker_config_dir; /* $DOCKER_CONFIG or ~/.docker */
	bool no_helpers;
};

/* Looks up a registry host ("localhost:5000"; "docker.io" also matches https://index.docker.io/v1/): per-host
 * credHelpers, then credsStore, then auths (base64 "user:password", or identitytoken). A host not listed
 * gives an empty credential. A broken helper or file is MF_E_AUTH naming helper and file. */
int mf_credential_find(struct mf_credential *out, const struct mf_credential_config *cfg, const char *host,
		       const struct mf_env *env, struct mf_err *err) MF_NODISCARD;

/* Authentication state of one endpoint (registry or trust server): credential looked up at the first 401,
 * challenge and tokens remembered. Used by one mf_http. The origin (scheme, host, port) that first answers a
 * call with it is the only one that ever gets its credentials and tokens: a Location elsewhere is requested
 * without. */
struct mf_auth;
/* cfg and env are borrowed and must outlive it; host is copied. */
struct mf_auth *mf_auth_new(const char *host, const struct mf_credential_config *cfg,
			    const struct mf_env *env, struct mf_err *err) MF_NODISCARD;
void mf_auth_free(struct mf_auth *a);

#endif
