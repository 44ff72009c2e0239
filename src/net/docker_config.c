/* Docker's config.json (the docker CLI's manual page, "Configuration files"): credHelpers, credsStore, auths.
 */
#include <strings.h>

#include "json/json.h"
#include "net/internal.h"

static bool is_hub(const char *host)
{
	return !strcasecmp(host, "docker.io") || !strcasecmp(host, "index.docker.io") ||
	       !strcasecmp(host, "registry-1.docker.io");
}

const char *mf_docker_server_name(const char *host)
{
	return is_hub(host) ? "https://index.docker.io/v1/" : host;
}

/* Does a key of the file ("https://index.docker.io/v1/", "host:5000") name the host? 0 no, 1 yes, 2 exactly.
 */
static int key_match(struct mf_str key, const char *host)
{
	static const struct mf_str https = {"https://", 8}, http = {"http://", 7};
	if (mf_str_eqz(key, host) || mf_str_eqz(key, mf_docker_server_name(host)))
		return 2;
	struct mf_str skip = mf_str_starts(key, https) ? https : mf_str_starts(key, http) ? http : MF_STR("");
	key = (struct mf_str){key.p + skip.n, key.n - skip.n};
	const char *slash = key.n ? memchr(key.p, '/', key.n) : NULL;
	if (slash)
		key.n = (size_t)(slash - key.p);
	if (key.n == strlen(host) && !strncasecmp(key.p, host, key.n))
		return 1;
	return is_hub(host) && (mf_str_eqz(key, "docker.io") || mf_str_eqz(key, "index.docker.io"));
}

void mf_docker_entry_clear(struct mf_docker_entry *e)
{
	mf_net_buf_wipe(&e->auth);
	mf_net_buf_wipe(&e->identity);
}

static int read_text(struct mf_json_reader *r, struct mf_buf *out, struct mf_err *err)
{
	struct mf_json_string s;
	mf_buf_reset(out);
	if (mf_json_string(r, &s, err) || mf_buf_reserve(out, s.raw.n, err))
		return -1;
	return mf_json_string_decode(s, out, err);
}

static int read_name(struct mf_json_reader *r, char out[128], struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (read_text(r, &text, err))
		return -1;
	if (text.n >= 128)
		return mf_fail(err, MF_E_FORMAT, 0, "name of a credential helper is longer than 127 bytes");
	memcpy(out, text.n ? text.p : "", text.n + 1);
	return 0;
}

/* How well the next member's name fits the host; -1 on failure. */
static int match_name(struct mf_json_string name, const char *host, struct mf_err *err)
{
	struct mf_buf key MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CONFIG_BYTES);
	if (mf_json_string_decode(name, &key, err))
		return -1;
	return key_match(mf_buf_str(&key), host);
}

static int read_auth(struct mf_docker_entry *out, struct mf_json_reader *r, struct mf_err *err)
{
	struct mf_json_string name;
	int more = mf_json_object(r, err);
	mf_buf_reset(&out->auth);
	mf_buf_reset(&out->identity);
	while (more >= 0 && (more = mf_json_object_next(r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "auth"))
			more = read_text(r, &out->auth, err);
		else if (mf_json_string_eq(name, "identitytoken"))
			more = read_text(r, &out->identity, err);
		else
			more = mf_json_skip(r, NULL, err);
	}
	return more;
}

/* Of several keys that fit, an exact one wins, then the first. */
static int read_map(struct mf_docker_entry *out, struct mf_json_reader *r, const char *host, bool auths,
		    struct mf_err *err)
{
	struct mf_json_string name;
	int best = 0, more = mf_json_object(r, err);
	while (more >= 0 && (more = mf_json_object_next(r, &name, err)) > 0) {
		int fit = match_name(name, host, err);
		if (fit < 0)
			return -1;
		if (fit <= best)
			more = mf_json_skip(r, NULL, err);
		else
			more = auths ? read_auth(out, r, err) : read_name(r, out->helper, err);
		best = fit > best ? fit : best;
	}
	return more;
}

int mf_docker_config_scan(struct mf_docker_entry *out, struct mf_bytes doc, const char *host,
			  struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	mf_json_reader_init(&r, doc);
	int more = mf_json_object(&r, err);
	while (more >= 0 && (more = mf_json_object_next(&r, &name, err)) > 0) {
		if (mf_json_string_eq(name, "auths"))
			more = read_map(out, &r, host, true, err);
		else if (mf_json_string_eq(name, "credHelpers"))
			more = read_map(out, &r, host, false, err);
		else if (mf_json_string_eq(name, "credsStore"))
			more = read_name(&r, out->store, err);
		else
			more = mf_json_skip(&r, NULL, err);
	}
	return more < 0 ? -1 : mf_json_end(&r, err);
}
