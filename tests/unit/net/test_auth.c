#include "server.h"

static struct server *plain, *tls;

static int start(void **state)
{
	(void)state;
	plain = server_start(false, NULL, NULL);
	tls = server_start(true, NULL, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	server_stop(plain);
	server_stop(tls);
	return 0;
}

#define FIXTURE(f)                                                                                           \
	struct fixture f FIXTURE_CLEANUP;                                                                    \
	(void)state;                                                                                         \
	fixture_init(&f, plain, tls)

struct given {
	struct mf_secret password;
};

static void given_clear(struct given *g)
{
	mf_secret_clear(&g->password);
}
#define GIVEN_CLEANUP MF_CLEANUP(given_clear)

static void log_in(struct fixture *f, struct given *g, const char *user, const char *password)
{
	struct mf_err err = MF_ERR_INIT;
	if (user) {
		assert_int_equal(mf_secret_copy(&g->password, mf_bytes_of(mf_str_c(password)), &err), 0);
		f->cfg = (struct mf_credential_config){
		    .user = user, .password = &g->password, .given_source = "-u"};
	}
	f->auth = mf_auth_new("127.0.0.1", &f->cfg, &f->env, &err);
	assert_non_null(f->auth);
}

/* A path below /bearer whose realm is the server's own /token, with the token server's parameters in
 * `realm_query`. */
static const char *bearer_url(struct fixture *f, const char *scope, const char *realm_query, const char *more)
{
	return at(f, "/bearer?scope=%s&realm=http://127.0.0.1:%d/token%s&%s", scope, f->s->port, realm_query,
		  more);
}

static long scoped(struct fixture *f, const char *url, const char *scope)
{
	return status_of(f, &(struct mf_http_request){.url = url, .auth = f->auth, .scope = scope}, NULL);
}

static void basic_credentials_answer_a_basic_challenge(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	char body[256];
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(get(&f, at(&f, "/basic?user=ann&password=SECRET"), body), 200);
	assert_string_equal(body, "Basic YW5uOlNFQ1JFVA==");
	assert_int_equal(logged(plain, "/basic"), 2);
	assert_int_equal(get(&f, f.url, NULL), 200);
	assert_int_equal(logged(plain, "/basic"), 3);
	assert_null(strstr(f.log, "SECRET"));
	assert_null(strstr(f.log, "YW5u"));
}

static void wrong_basic_credentials_are_sent_once_and_the_401_returned(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	log_in(&f, &g, "ann", "wrong");
	struct mf_http_request req = {.url = at(&f, "/basic?user=ann&password=x"), .auth = f.auth};
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	assert_int_equal(res->status, 401);
	assert_int_equal(logged(plain, "/basic"), 2);
	(void)mf_http_status_error(call, "read", &err);
	assert_int_equal(err.code, MF_E_AUTH);
	assert_string_equal(err.hint, "the credentials came from -u");
}

static void a_user_name_with_a_colon_is_not_sent(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "a:b", "c");
	assert_int_equal(get_error(&f, at(&f, "/basic?user=a&password=b:c")).code, MF_E_AUTH);
}

static void without_credentials_a_basic_challenge_is_returned(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(get(&f, at(&f, "/basic?user=ann&password=x"), NULL), 401);
	assert_int_equal(logged(plain, "/basic"), 1);
}

static void basic_credentials_do_not_follow_a_redirect_to_another_origin(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	char body[256];
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(get(&f, at(&f, "/basic?user=ann&password=SECRET"), NULL), 200);
	assert_int_equal(get(&f, at(&f, "/redirect?to=/echo-auth"), body), 200);
	assert_string_equal(body, "Basic YW5uOlNFQ1JFVA==");
	assert_int_equal(get(&f, at(&f, "/redirect?to=http://localhost:%d/echo-auth", plain->port), body),
			 200);
	assert_string_equal(body, "none");
	assert_int_equal(
	    get(&f, at(&f, "/redirect?to=http://localhost:%d/basic?user=ann%%26password=SECRET", plain->port),
		NULL),
	    401);
}

static void credentials_dropped_on_the_way_do_not_come_back(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	char body[256];
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(get(&f, at(&f, "/basic?user=ann&password=SECRET"), NULL), 200);
	/* the other origin chooses where on the first one the request ends */
	assert_int_equal(
	    get(&f,
		at(&f,
		   "/redirect?to=http://localhost:%d/redirect?to=http://127.0.0.1:%d/redirect?to=/echo-auth",
		   plain->port, plain->port),
		body),
	    200);
	assert_string_equal(body, "none");
}

static void an_endpoint_of_another_origin_gets_no_credentials(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(get(&f, at(&f, "/ok"), NULL), 200);
	(void)snprintf(f.url, sizeof f.url, "http://localhost:%d/basic?user=ann&password=SECRET",
		       plain->port);
	assert_int_equal(get(&f, f.url, NULL), 401);
	assert_int_equal(logged(plain, "authorization"), 0);
}

static void a_token_is_fetched_for_the_scope_of_the_request(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	/* the server offers push, too */
	const char *url = bearer_url(&f, "repository:a:pull,push", "", "need=repository:a:pull");
	assert_int_equal(scoped(&f, url, "repository:a:pull"), 200);
	assert_int_equal(logged(plain, "\"/token?service=test&scope=repository%3Aa%3Apull\""), 1);
	assert_int_equal(logged(plain, "/bearer"), 2);
}

static void a_request_without_scope_takes_the_challenges(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(get(&f, bearer_url(&f, "catalog", "", ""), NULL), 200);
	assert_int_equal(get(&f, bearer_url(&f, "other", "", ""), NULL), 200);
	assert_int_equal(get(&f, bearer_url(&f, "other", "", ""), NULL), 200);
	assert_int_equal(logged(plain, "\"/token"), 2);
}

static void a_known_token_is_sent_at_once(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scoped(&f, bearer_url(&f, "s", "", ""), "s"), 200);
	assert_int_equal(logged(plain, "/bearer"), 4);
	assert_int_equal(logged(plain, "\"/token"), 1);
	/* another scope: the challenge is known, so its token comes first */
	assert_int_equal(scoped(&f, bearer_url(&f, "t", "", ""), "t"), 200);
	assert_int_equal(logged(plain, "/bearer"), 5);
	assert_null(strstr(f.log, "tok1"));
}

static void several_calls_share_one_fetch(void **state)
{
	enum { N = 6 };
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct mf_http_call *calls[N];
	log_in(&f, &g, NULL, NULL);
	const char *url = bearer_url(&f, "s", "?ms=200", "");
	for (int i = 0; i < N; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_http_request req = {.url = url, .auth = f.auth, .scope = "s"};
		assert_int_equal(mf_http_submit(f.h, &req, &calls[i], &err), 0);
	}
	for (int i = 0; i < N; i++) {
		struct mf_http_response *res;
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_http_await(calls[i], &res, &err), 0);
		assert_int_equal(res->status, 200);
		mf_http_call_free(calls[i]);
	}
	assert_int_equal(logged(plain, "\"/token"), 1);
}

static void several_calls_share_one_failure(void **state)
{
	enum { N = 4 };
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct mf_http_call *calls[N];
	log_in(&f, &g, NULL, NULL);
	const char *url = bearer_url(&f, "s", "?ms=200%26status=403", "");
	for (int i = 0; i < N; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_http_request req = {.url = url, .auth = f.auth, .scope = "s"};
		assert_int_equal(mf_http_submit(f.h, &req, &calls[i], &err), 0);
	}
	for (int i = 0; i < N; i++) {
		struct mf_http_response *res;
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_http_await(calls[i], &res, &err), -1);
		assert_int_equal(err.code, MF_E_AUTH);
		mf_http_call_free(calls[i]);
	}
	assert_int_equal(logged(plain, "\"/token"), 1);
}

static void other_calls_progress_while_a_token_is_fetched(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct mf_http_call *slow MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err = MF_ERR_INIT;
	log_in(&f, &g, NULL, NULL);
	char *url MF_FREE = strdup(bearer_url(&f, "s", "?ms=700", ""));
	int64_t begin = mf_monotonic_ms();
	struct mf_http_request req = {.url = url, .auth = f.auth, .scope = "s"};
	assert_int_equal(mf_http_submit(f.h, &req, &slow, &err), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(status_of(&f, &(struct mf_http_request){.url = at(&f, "/ok")}, NULL), 200);
	assert_true(mf_monotonic_ms() - begin < 600);
	assert_int_equal(mf_http_await(slow, &res, &err), 0);
	assert_int_equal(res->status, 200);
}

static void credentials_are_sent_to_the_token_server_as_basic(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "?user=ann%26password=SECRET", ""), "s"), 200);
	assert_int_equal(logged(plain, "Basic YW5uOlNFQ1JFVA=="), 1);
	assert_null(strstr(f.log, "SECRET"));
}

static void a_token_server_that_refuses_is_an_auth_error_naming_the_source(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "wrong");
	const char *url = bearer_url(&f, "s", "?user=ann%26password=right", "");
	struct mf_err err = error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"});
	assert_int_equal(err.code, MF_E_AUTH);
	assert_non_null(strstr(err.endpoint, "/token?"));
	assert_non_null(strstr(err.hint, "-u"));
}

static void a_broken_token_server_has_its_own_errors(void **state)
{
	static const struct {
		const char *query;
		enum mf_code code;
	} rows[] = {{"?body=%253Chtml%253E", MF_E_UNAVAILABLE},
		    {"?body={%2522token%2522:5}", MF_E_UNAVAILABLE},
		    {"?status=500", MF_E_UNAVAILABLE},
		    {"?status=404", MF_E_AUTH},
		    {"?name=nothing", MF_E_UNAVAILABLE}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		FIXTURE(f);
		struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
		log_in(&f, &g, NULL, NULL);
		const char *url = bearer_url(&f, "s", rows[i].query, "");
		struct mf_err err =
		    error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"});
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.endpoint, "/token"));
	}
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	const char *url = bearer_url(&f, "s", "?body=%253Chtml%253E", "");
	struct mf_err err = error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"});
	assert_non_null(strstr(err.msg, "/token"));
	assert_non_null(strstr(err.msg, "web page"));
}

/* What a token server answers goes into a header. */
static void a_token_with_a_line_break_is_not_sent(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	const char *url =
	    bearer_url(&f, "s", "?body={%2522token%2522:%2522a%255Cr%255CnX-Evil:%25201%2522}", "");
	struct mf_err err = error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"});
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_int_equal(logged(plain, "/token"), 2); /* the path of the first request names it, too */
	assert_int_equal(logged(plain, "x-evil"), 0);
	assert_int_equal(logged(plain, "Bearer a"), 0);
}

static void a_token_of_the_configuration_is_sent_as_it_is(void **state)
{
	FIXTURE(f);
	struct mf_err err = MF_ERR_INIT;
	char file[96];
	const char *files[] = {file, NULL};
	(void)snprintf(file, sizeof file, "%s/config.json", plain->dir);
	f.cfg = (struct mf_credential_config){.files = files};
	put_file(plain->dir, "config.json", "{\"auths\":{\"127.0.0.1\":{\"registrytoken\":\"REG\"}}}", 0600);
	f.auth = mf_auth_new("127.0.0.1", &f.cfg, &f.env, &err);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", ""), "s"), 401);
	assert_int_equal(logged(plain, "Bearer REG"), 1);
	assert_int_equal(logged(plain, "\"/token"), 0);
	mf_auth_free(f.auth);
	put_file(plain->dir, "config.json", "{\"auths\":{\"127.0.0.1\":{\"registrytoken\":\"a\\nb\"}}}",
		 0600);
	f.auth = mf_auth_new("127.0.0.1", &f.cfg, &f.env, &err);
	const char *url = bearer_url(&f, "s", "", "");
	assert_int_equal(
	    error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"}).code,
	    MF_E_AUTH);
}

static void repositories_may_have_credentials_of_their_own(void **state)
{
	FIXTURE(f);
	struct mf_err err = MF_ERR_INIT;
	char file[96];
	const char *files[] = {file, NULL};
	(void)snprintf(file, sizeof file, "%s/config.json", plain->dir);
	f.cfg = (struct mf_credential_config){.files = files};
	put_file(plain->dir, "config.json",
		 "{\"auths\":{\"127.0.0.1/team\":{\"auth\":\"dTox\"},\"127.0.0.1\":{\"auth\":\"dToy\"}}}",
		 0600);
	f.auth = mf_auth_new("127.0.0.1", &f.cfg, &f.env, &err);
	assert_int_equal(scoped(&f, at(&f, "/basic?user=u&password=1"), "repository:team/app:pull"), 200);
	assert_int_equal(scoped(&f, at(&f, "/basic?user=u&password=2"), "repository:other:pull"), 200);
	assert_int_equal(scoped(&f, at(&f, "/basic?user=u&password=1"), "repository:team/app:push,pull"),
			 200);
	assert_int_equal(logged(plain, "/basic"), 4);
}

/* Who listens on the port without TLS is not who asked for the password over TLS. */
static void what_was_asked_for_over_tls_is_sent_over_nothing_less(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct server *first = server_start(true, NULL, NULL);
	char ca[96], body[256];
	(void)snprintf(ca, sizeof ca, "%s/cert.pem", first->dir);
	client_start(&f, &(struct mf_http_options){.cacert = ca});
	log_in(&f, &g, "ann", "SECRET");
	(void)snprintf(f.url, sizeof f.url, "https://127.0.0.1:%d/basic?user=ann&password=SECRET",
		       first->port);
	assert_int_equal(get(&f, f.url, NULL), 200);
	int port = first->port;
	server_stop(first);
	struct server *second = server_start_at(false, NULL, NULL, port);
	(void)snprintf(f.url, sizeof f.url, "http://127.0.0.1:%d/echo-auth", port);
	assert_int_equal(get(&f, f.url, body), 200);
	assert_string_equal(body, "none");
	(void)snprintf(f.url, sizeof f.url, "http://127.0.0.1:%d/basic?user=ann&password=SECRET", port);
	assert_int_equal(get(&f, f.url, NULL), 401);
	server_stop(second);
}

/* A certificate says who we are: only the servers that the user has named are to know. */
static void a_client_certificate_is_shown_to_no_other_origin(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct server *other = server_start(true, NULL, NULL);
	char both[96], cert[96], key[96], text[256];
	char *a = slurp(tls->dir, "cert.pem"), *b = slurp(other->dir, "cert.pem");
	(void)snprintf(both, sizeof both, "%s/both.pem", tls->dir);
	put_file(tls->dir, "both.pem", "", 0600);
	FILE *out = fopen(both, "w");
	assert_non_null(out);
	assert_true(fprintf(out, "%s%s", a, b) > 0);
	assert_int_equal(fclose(out), 0);
	free(a);
	free(b);
	(void)snprintf(cert, sizeof cert, "%s/cert.pem", tls->dir);
	(void)snprintf(key, sizeof key, "%s/key.pem", tls->dir);
	client_start(&f, &(struct mf_http_options){.cacert = both, .client_cert = cert, .client_key = key});
	log_in(&f, &g, NULL, NULL);
	(void)snprintf(f.url, sizeof f.url, "https://127.0.0.1:%d/ok", tls->port);
	assert_int_equal(get(&f, f.url, NULL), 200);
	assert_int_equal(logged(tls, "\"client\": true"), 1);
	/* by a redirect; in an answer; as the token server */
	(void)snprintf(f.url, sizeof f.url, "https://127.0.0.1:%d/redirect?to=https://127.0.0.1:%d/ok",
		       tls->port, other->port);
	assert_int_equal(get(&f, f.url, NULL), 200);
	(void)snprintf(text, sizeof text, "https://127.0.0.1:%d/ok", other->port);
	assert_int_equal(status_of(&f, &(struct mf_http_request){.url = text, .foreign = true}, NULL), 200);
	(void)snprintf(f.url, sizeof f.url,
		       "https://127.0.0.1:%d/bearer?scope=s&realm=https://127.0.0.1:%d/token", tls->port,
		       other->port);
	(void)status_of(&f, &(struct mf_http_request){.url = f.url, .auth = f.auth, .scope = "s"}, NULL);
	assert_int_equal(logged(other, "\"path\""), 3);
	assert_int_equal(logged(other, "\"client\": true"), 0);
	server_stop(other);
}

static void access_token_is_understood(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "?name=access_token", ""), "s"), 200);
}

static void an_identity_token_is_exchanged_by_post(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "<token>", "REFRESH/+");
	assert_int_equal(scoped(&f, bearer_url(&f, "s:t", "?refresh=REFRESH/%252B", ""), "s:t"), 200);
	assert_int_equal(logged(plain,
				"grant_type=refresh_token&service=test&client_id=manifesto&scope=s%3At&"
				"refresh_token=REFRESH%2F%2B"),
			 1);
	assert_int_equal(logged(plain, "Basic"), 0);
	assert_null(strstr(f.log, "REFRESH"));
}

static void an_identity_token_goes_by_get_where_post_is_refused(void **state)
{
	static const char *const refusals[] = {"404", "405"};
	for (size_t i = 0; i < 2; i++) {
		FIXTURE(f);
		struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
		char query[96];
		(void)snprintf(query, sizeof query, "?user=%%253Ctoken%%253E%%26password=R%%26post=%s",
			       refusals[i]);
		log_in(&f, &g, "<token>", "R");
		assert_int_equal(scoped(&f, bearer_url(&f, "s:t", query, ""), "s:t"), 200);
		assert_int_equal(logged(plain, "grant_type=refresh_token"), 1);
		assert_int_equal(logged(plain, "\"authorization\": \"Basic PHRva2VuPjpS\""), 1);
		assert_null(strstr(f.log, "PHRva2VuPjpS"));
	}
}

static void a_401_after_a_fresh_token_is_returned(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "x");
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", "need=other"), "s"), 401);
	assert_int_equal(logged(plain, "/bearer"), 2);
	assert_int_equal(logged(plain, "\"/token"), 1);
}

static void a_revoked_cached_token_is_fetched_anew_once(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", ""), "s"), 200);
	assert_int_equal(status_of(&f, &(struct mf_http_request){.url = at(&f, "/revoke")}, NULL), 200);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", ""), "s"), 200);
	assert_int_equal(logged(plain, "\"/token"), 2);
	assert_int_equal(logged(plain, "/bearer"), 4);
}

static void insufficient_scope_is_not_asked_again(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", ""), "s"), 200);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "", "need=x&error=insufficient_scope"), "s"), 401);
	assert_int_equal(logged(plain, "\"/token"), 1);
}

static void an_expired_token_is_not_used(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, NULL, NULL);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "?expires_in=0", ""), "s"), 200);
	assert_int_equal(scoped(&f, bearer_url(&f, "s", "?expires_in=0", ""), "s"), 200);
	assert_int_equal(logged(plain, "\"/token"), 2);
}

static void a_realm_on_plain_http_is_refused(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "SECRET");
	const char *url = at(&f, "/bearer?scope=s&realm=http://registry.example/token");
	struct mf_err err = error_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth});
	assert_int_equal(err.code, MF_E_AUTH);
	assert_non_null(strstr(err.msg, "http://registry.example/token"));
}

static void an_https_endpoint_may_name_only_https_or_loopback(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	char cert[96];
	(void)snprintf(cert, sizeof cert, "%s/cert.pem", tls->dir);
	client_start(&f, &(struct mf_http_options){.cacert = cert, .plain_http = true});
	log_in(&f, &g, "ann", "SECRET");
	(void)snprintf(f.url, sizeof f.url,
		       "https://127.0.0.1:%d/bearer?scope=s&realm=http://registry.example/token", tls->port);
	struct mf_err err = error_of(&f, &(struct mf_http_request){.url = f.url, .auth = f.auth});
	assert_int_equal(err.code, MF_E_AUTH);
	(void)snprintf(f.url, sizeof f.url,
		       "https://127.0.0.1:%d/bearer?scope=s&realm=http://127.0.0.1:%d/token", tls->port,
		       plain->port);
	(void)status_of(&f, &(struct mf_http_request){.url = f.url, .auth = f.auth}, NULL);
	assert_int_equal(logged(plain, "\"/token"), 1);
}

static void a_challenge_that_cannot_be_answered_is_an_auth_error(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "SECRET");
	assert_int_equal(get(&f, at(&f, "/bearer?scope=s&realm=%%22"), NULL), 401);
}

static void a_token_server_that_redirects_away_does_not_pass_credentials_on(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	log_in(&f, &g, "ann", "SECRET");
	const char *url =
	    at(&f, "/bearer?scope=s&realm=http://127.0.0.1:%d/redirect?to=http://localhost:%d/token",
	       plain->port, plain->port);
	(void)status_of(&f, &(struct mf_http_request){.url = url, .auth = f.auth, .scope = "s"}, NULL);
	assert_int_equal(logged(plain, "\"/token"), 1);
	assert_int_equal(logged(plain, "Basic "), 1);
}

static void a_new_client_fetches_what_the_old_one_did_not_finish(void **state)
{
	FIXTURE(f);
	struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
	struct mf_http_call *call = NULL;
	struct mf_err err = MF_ERR_INIT;
	log_in(&f, &g, NULL, NULL);
	char *url MF_FREE = strdup(bearer_url(&f, "s", "?ms=500", ""));
	struct mf_http_request req = {.url = url, .auth = f.auth, .scope = "s"};
	assert_int_equal(mf_http_submit(f.h, &req, &call, &err), 0);
	for (int i = 0; i < 100 && !logged(plain, "\"/token"); i++) {
		(void)get(&f, at(&f, "/ok"), NULL);
		(void)usleep(10000);
	}
	client_start(&f, &(struct mf_http_options){0});
	mf_http_call_free(call);
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "\"/token"), 2);
}

static void freeing_in_any_order_while_a_token_is_fetched_is_safe(void **state)
{
	for (int order = 0; order < 2; order++) {
		FIXTURE(f);
		struct given g GIVEN_CLEANUP = {MF_SECRET_INIT};
		struct mf_http_call *call = NULL;
		struct mf_err err = MF_ERR_INIT;
		log_in(&f, &g, NULL, NULL);
		char *url MF_FREE = strdup(bearer_url(&f, "s", "?ms=3000", ""));
		struct mf_http_request req = {.url = url, .auth = f.auth, .scope = "s"};
		assert_int_equal(mf_http_submit(f.h, &req, &call, &err), 0);
		for (int i = 0; i < 100 && !logged(plain, "\"/token"); i++) {
			(void)get(&f, at(&f, "/ok"), NULL);
			(void)usleep(10000);
		}
		assert_int_equal(logged(plain, "\"/token"), 1);
		if (order) {
			mf_http_free(f.h);
			f.h = NULL;
		}
		mf_http_call_free(call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(basic_credentials_answer_a_basic_challenge),
	    cmocka_unit_test(wrong_basic_credentials_are_sent_once_and_the_401_returned),
	    cmocka_unit_test(a_user_name_with_a_colon_is_not_sent),
	    cmocka_unit_test(without_credentials_a_basic_challenge_is_returned),
	    cmocka_unit_test(basic_credentials_do_not_follow_a_redirect_to_another_origin),
	    cmocka_unit_test(credentials_dropped_on_the_way_do_not_come_back),
	    cmocka_unit_test(an_endpoint_of_another_origin_gets_no_credentials),
	    cmocka_unit_test(a_token_is_fetched_for_the_scope_of_the_request),
	    cmocka_unit_test(a_request_without_scope_takes_the_challenges),
	    cmocka_unit_test(a_known_token_is_sent_at_once),
	    cmocka_unit_test(several_calls_share_one_fetch),
	    cmocka_unit_test(several_calls_share_one_failure),
	    cmocka_unit_test(other_calls_progress_while_a_token_is_fetched),
	    cmocka_unit_test(credentials_are_sent_to_the_token_server_as_basic),
	    cmocka_unit_test(a_token_server_that_refuses_is_an_auth_error_naming_the_source),
	    cmocka_unit_test(a_broken_token_server_has_its_own_errors),
	    cmocka_unit_test(a_token_with_a_line_break_is_not_sent),
	    cmocka_unit_test(a_token_of_the_configuration_is_sent_as_it_is),
	    cmocka_unit_test(repositories_may_have_credentials_of_their_own),
	    cmocka_unit_test(what_was_asked_for_over_tls_is_sent_over_nothing_less),
	    cmocka_unit_test(a_client_certificate_is_shown_to_no_other_origin),
	    cmocka_unit_test(access_token_is_understood),
	    cmocka_unit_test(an_identity_token_is_exchanged_by_post),
	    cmocka_unit_test(an_identity_token_goes_by_get_where_post_is_refused),
	    cmocka_unit_test(a_401_after_a_fresh_token_is_returned),
	    cmocka_unit_test(a_revoked_cached_token_is_fetched_anew_once),
	    cmocka_unit_test(insufficient_scope_is_not_asked_again),
	    cmocka_unit_test(an_expired_token_is_not_used),
	    cmocka_unit_test(a_realm_on_plain_http_is_refused),
	    cmocka_unit_test(an_https_endpoint_may_name_only_https_or_loopback),
	    cmocka_unit_test(a_challenge_that_cannot_be_answered_is_an_auth_error),
	    cmocka_unit_test(a_token_server_that_redirects_away_does_not_pass_credentials_on),
	    cmocka_unit_test(a_new_client_fetches_what_the_old_one_did_not_finish),
	    cmocka_unit_test(freeing_in_any_order_while_a_token_is_fetched_is_safe),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
