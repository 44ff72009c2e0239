/* Settings with which a trust repository is opened. */
#ifndef MF_TRUST_CONFIG_H
#define MF_TRUST_CONFIG_H

#include "keys/names.h"
#include "net/aws.h"
#include "net/http.h"
#include "store/cache.h"
#include "store/file.h"

struct mf_trust_config {
	const char *home; /* pins, floors, locks */
	const char *cache_dir;
	struct mf_cache *cache; /* of that directory; NULL: it is not held at a size */
	bool tofu;              /* trust on first use where no pin exists */
	bool ci;                /* and never store it */
	struct mf_http *http;   /* for servers; may be NULL for directories */
	struct mf_auth *auth;
	const struct mf_aws_config *aws; /* for object stores; NULL: requests are not signed */
	const struct mf_env *env;
	struct mf_keystore *keys;
	const struct mf_names *names; /* of keys, for messages; may be NULL */
	const char *key_name;         /* keys that are made, and the first choice when several fit */
	const char *propose_hint;     /* what a person types to propose the change; NULL: not known */
	/* Of a bundle. at: seconds, expiry is checked as of then, and nothing is remembered of the run; 0:
	 * now. max_age_s: the newest signed time in it may be no older; 0: any. */
	int64_t at, max_age_s;
};

#endif
