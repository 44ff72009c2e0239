/* Errors for statuses nobody asked for, with what the server says about them
 * (distribution-spec 1.1, "Error Codes"; Notary uses the same shape). */
#include "json/json.h"
#include "net/internal.h"

struct server_error {
	char code[64];
	char message[200];
};

static void copy_printable(char *out, size_t size, struct mf_str s)
{
	size_t n = 0;
	for (; n < s.n && n + 1 < size; n++)
		out[n] = s.p[n] >= ' ' && s.p[n] < 0x7f ? s.p[n] : '?';
	out[n] = 0;
}

static void read_error(struct server_error *out, const struct mf_http_response *r)
{
	struct mf_err err = MF_ERR_INIT;
	json_t *first = NULL, *list = NULL;
	const char *code = "", *message = "";
	*out = (struct server_error){"", ""};
	if (!r->body.n)
		return;
	json_t *doc MF_JSON_CLEANUP = mf_json_load(mf_buf_bytes(&r->body), MF_MAX_ERROR_BODY, &err);
	if (!doc || mf_json_get_arr(doc, "errors", true, &list, &err) || !(first = json_array_get(list, 0)) ||
	    mf_json_get_str(first, "code", false, &code, &err) ||
	    mf_json_get_str(first, "message", false, &message, &err))
		return;
	if (strlen(code) < sizeof out->code)
		copy_printable(out->code, sizeof out->code, mf_str_c(code));
	copy_printable(out->message, sizeof out->message, mf_str_c(message));
}

void mf_http_error_code(const struct mf_http_response *r, char out[64])
{
	struct server_error e;
	read_error(&e, r);
	memcpy(out, e.code, sizeof e.code);
}

static enum mf_code status_code(long status)
{
	if (status == 401 || status == 403)
		return MF_E_AUTH;
	if (status == 404)
		return MF_E_NOT_FOUND;
	if (status == 429 || status >= 500)
		return MF_E_UNAVAILABLE;
	return MF_E_INTERNAL;
}

/* Go's net/http and nginx answer plain HTTP on a TLS port with these words. */
static bool wants_tls(const struct mf_http_call *c)
{
	const char *body = mf_buf_str(&c->res.body).p;
	return c->res.status == 400 && !mf_net_url_https(c->url) &&
	       (strstr(body, "HTTP request to an HTTPS server") ||
		strstr(body, "plain HTTP request was sent to HTTPS port"));
}

int mf_http_status_error(const struct mf_http_call *c, const char *what, struct mf_err *err)
{
	struct server_error e;
	char shown[MF_NET_URL_TEXT];
	mf_net_url_redact(shown, sizeof shown, c->url);
	read_error(&e, &c->res);
	(void)mf_fail(err, status_code(c->res.status), 0, "%s: status %ld%s%s%s%s", what, c->res.status,
		      *e.code ? " " : "", e.code, *e.message ? ": " : "", e.message);
	mf_err_set_endpoint(err, shown);
	if (err->code == MF_E_AUTH)
		mf_net_auth_hint(c->req.auth, err);
	if (wants_tls(c)) {
		(void)mf_recode(err, MF_E_UNAVAILABLE);
		mf_err_set_hint(err, "the server speaks TLS: use https://");
	}
	return -1;
}
