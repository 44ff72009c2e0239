/* Settings with which a trust repository is opened. */
#ifndef MF_TRUST_CONFIG_H
#define MF_TRUST_CONFIG_H

#include "keys/names.h"
#include "net/aws.h"
#include "net/http.h"
#include "store/cache.h"
#include "store/file.h"

struct mf_trust_config {
	const char *home;       /* pins, floors, locks */
	struct mf_cache *cache; /* of metadata; NULL: none */
	bool tofu;              /* trust on first use where no pin exists */
	bool ci;                /* trust on first use stores no pin */
	struct mf_http *http;   /* for servers; may be NULL for directories */
	struct mf_auth *auth;
	const struct mf_aws_config *aws; /* for object stores; NULL: requests are not signed */
	const struct mf_env *env;
	struct mf_keystore *keys;
	const struct mf_names *names; /* names of keys, for messages; may be NULL */
	const char *key_name;         /* name of new keys, and of the key to prefer when several fit */
	const char *propose_hint; /* the command that proposes the change instead, for hints; NULL: unknown */
	/* For bundles. at: time in seconds as of which expiry is checked, and then the run stores neither
	 * pins nor floors; 0: now. max_age_s: limit for the age of the newest record; 0: none. */
	int64_t at, max_age_s;
};

#endif
