/* WWW-Authenticate values, docker configurations, token answers, AWS profiles and what a credential_process
 * prints: what servers, files and programs of others say. The first octet chooses which. */
#include <strings.h>

#include "net/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void terminated(const char *text, size_t size)
{
	if (strnlen(text, size) == size)
		abort();
}

static void challenge(struct mf_str text)
{
	struct mf_challenge c;
	mf_challenge_parse(&c, text);
	terminated(c.realm, sizeof c.realm);
	terminated(c.service, sizeof c.service);
	terminated(c.scope, sizeof c.scope);
	terminated(c.error, sizeof c.error);
	if ((c.scheme == MF_SCHEME_BEARER && strncasecmp(c.realm, "http", 4) != 0) ||
	    strpbrk(c.realm, "\r\n"))
		abort();
}

static void config(struct mf_bytes text)
{
	struct mf_docker_entry e;
	mf_docker_entry_init(&e);
	struct mf_err err = MF_ERR_INIT;
	if (mf_docker_config_scan(&e, text, "docker.io", MF_STR("acme/app"), &err) == 0)
		terminated(e.helper, sizeof e.helper);
	mf_docker_entry_clear(&e);
}

static void token(struct mf_bytes text)
{
	struct mf_secret s = MF_SECRET_INIT;
	struct mf_err err = MF_ERR_INIT;
	int64_t lifetime_s = 0;
	if (mf_net_token_parse(text, &s, &lifetime_s, &err) == 0 &&
	    (!s.n || memchr(s.p, '\n', s.n) || lifetime_s < 0))
		abort();
	mf_secret_clear(&s);
}

static void profile(struct mf_str text)
{
	struct mf_aws_profile p;
	struct mf_err err = MF_ERR_INIT;
	mf_aws_profile_init(&p);
	if (mf_aws_profile_scan(&p, text, MF_STR("profile a"), &err) == 0)
		for (size_t i = 0; i < MF_AWS_KEYS; i++)
			if (p.v[i].n && (!p.found || memchr(p.v[i].p, '\n', p.v[i].n)))
				abort();
	mf_aws_profile_clear(&p);
}

static void process(struct mf_bytes text)
{
	struct mf_aws_profile p;
	struct mf_err err = MF_ERR_INIT;
	int64_t expires;
	mf_aws_profile_init(&p);
	if (mf_aws_process_parse(&p, text, &expires, &err) == 0 &&
	    (!p.v[MF_AWS_KEY_ID].n || !p.v[MF_AWS_SECRET].n))
		abort();
	mf_aws_profile_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct mf_bytes rest = {data + 1, size - 1};
	if (data[0] == 'c')
		config(rest);
	else if (data[0] == 't')
		token(rest);
	else if (data[0] == 'a')
		profile(mf_str_of(rest));
	else if (data[0] == 'p')
		process(rest);
	else
		challenge(mf_str_of(rest));
	return 0;
}
