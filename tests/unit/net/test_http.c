#include <netinet/in.h>
#include <sys/socket.h>

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

static void trust_test_server(struct fixture *f)
{
	char cert[96];
	(void)snprintf(cert, sizeof cert, "%s/cert.pem", tls->dir);
	client_start(f, &(struct mf_http_options){.cacert = cert});
}

static const char *tls_url(struct fixture *f, const char *path)
{
	(void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%d%s", tls->port, path);
	return f->url;
}

static void an_answer_has_its_headers(void **state)
{
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	struct mf_http_request req = {.url = at(&f, "/header?Docker-Content-Digest=sha256:ab&location=../"
						    "x%%23f&Link=one&Link=two&content-type=a/b&"
						    "OCI-Subject=s&OCI-Filters-Applied=artifactType")};
	char location[128];
	(void)snprintf(location, sizeof location, "http://127.0.0.1:%d/x", plain->port);
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	assert_int_equal(res->status, 200);
	assert_string_equal(res->docker_content_digest, "sha256:ab");
	assert_string_equal(res->location, location);
	assert_string_equal(res->link, "one, two");
	assert_string_equal(res->content_type, "a/b");
	assert_string_equal(res->oci_subject, "s");
	assert_string_equal(res->oci_filters_applied, "artifactType");
	assert_int_equal(res->content_length, 2);
	assert_string_equal(res->body.p, "ok");
}

static void a_date_is_read_and_what_is_none_is_passed_over(void **state)
{
	static const struct {
		const char *query;
		int64_t want;
	} rows[] = {
	    {"Last-Modified=Mon,%2023%20Nov%202026%2015:06:53%20GMT", 1795446413},
	    {"last-modified=Mon,%2023%20Nov%202026%2015:06:53%20UTC", 1795446413}, /* as Notary has it */
	    {"Last-Modified=yesterday", 0},
	    {"Last-Modified=Mon,%2023%20Nov%202026%2015:06:53%20GMT%20and%20some%20more%20words%%"
	     "20that%20"
	     "make%20it%20too%20long",
	     0},
	    {"X=y", 0},
	};
	FIXTURE(f);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
		struct mf_http_response *res;
		struct mf_err err;
		struct mf_http_request req = {.url = at(&f, "/header?%s", rows[i].query)};
		assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
		assert_int_equal(res->last_modified, rows[i].want);
	}
}

static void two_different_digests_in_one_answer_are_refused(void **state)
{
	FIXTURE(f);
	assert_int_equal(get(&f, at(&f, "/header?Docker-Content-Digest=a&Docker-Content-Digest=a"), NULL),
			 200);
	assert_int_equal(
	    get_error(&f, at(&f, "/header?Docker-Content-Digest=a&Docker-Content-Digest=b")).code,
	    MF_E_UNAVAILABLE);
}

static void an_overlong_header_is_refused(void **state)
{
	FIXTURE(f);
	assert_int_equal(get_error(&f, at(&f, "/header?Docker-Content-Digest=%0200d", 1)).code,
			 MF_E_UNAVAILABLE);
}

/* A server of one answer, byte for byte. */
static pid_t raw_server(const char *answer, size_t n, struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof to;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
	(void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/", ntohs(to.sin_port));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char request[4096];
		int c = accept(fd, NULL, NULL);
		bool ok = read(c, request, sizeof request) > 0 && write(c, answer, n) == (ssize_t)n;
		_exit(!ok);
	}
	(void)close(fd);
	return pid;
}

static void a_trailer_does_not_replace_a_header(void **state)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDocker-Content-Digest: first\r\n\r\n"
	    "1\r\nx\r\n0\r\nOCI-Subject: late\r\n\r\n";
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	pid_t pid = raw_server(answer, sizeof answer - 1, &f);
	assert_int_equal(perform(&f, &(struct mf_http_request){.url = f.url}, &call, &res, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(res->docker_content_digest, "first");
	assert_string_equal(res->oci_subject, "");
	assert_string_equal(res->body.p, "x");
}

static void headers_of_an_interim_answer_do_not_count(void **state)
{
	static const char answer[] = "HTTP/1.1 103 Early Hints\r\nLink: early\r\nOCI-Subject: early\r\n\r\n"
				     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLink: late\r\n\r\n";
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	pid_t pid = raw_server(answer, sizeof answer - 1, &f);
	assert_int_equal(perform(&f, &(struct mf_http_request){.url = f.url}, &call, &res, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(res->link, "late");
	assert_string_equal(res->oci_subject, "");
}

static void what_is_not_http_is_refused(void **state)
{
	static const struct mf_str rows[] = {
	    {"hello\r\n\r\n", 9},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLink: a\0b\r\n\r\n", 49},
	};
	FIXTURE(f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pid_t pid = raw_server(rows[i].p, rows[i].n, &f);
		struct mf_http_request req = {.url = f.url, .no_retry = true};
		assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static void an_overlong_error_code_is_not_one(void **state)
{
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	char code[64];
	struct mf_http_request req = {.url =
					  at(&f, "/status/400?body={\"errors\":[{\"code\":\"%064d\"}]}", 1)};
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	mf_http_error_code(res, code);
	assert_string_equal(code, "");
}

static void head_gives_the_length_and_no_body(void **state)
{
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	struct mf_http_request req = {.method = "HEAD", .url = at(&f, "/bigbody?n=200000")};
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	assert_int_equal(res->content_length, 200000);
	assert_int_equal(res->body.n, 0);
}

static void a_larger_body_than_asked_for_is_a_format_error(void **state)
{
	FIXTURE(f);
	struct mf_http_request req = {.url = at(&f, "/bigbody?n=1000"), .max_bytes = 1000};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	req.max_bytes = 999;
	assert_int_equal(error_of(&f, &req).code, MF_E_FORMAT);
	req.url = at(&f, "/endless");
	assert_int_equal(error_of(&f, &req).code, MF_E_FORMAT);
	req.max_bytes = 0;
	req.url = at(&f, "/bigbody?n=1048577");
	assert_int_equal(error_of(&f, &req).code, MF_E_FORMAT);
}

static void an_endless_error_body_is_cut_and_the_status_kept(void **state)
{
	FIXTURE(f);
	assert_int_equal(get(&f, at(&f, "/endless?status=404"), NULL), 404);
}

static void truncated_bodies_are_unavailable(void **state)
{
	FIXTURE(f);
	assert_int_equal(get_error(&f, at(&f, "/truncate")).code, MF_E_UNAVAILABLE);
	assert_int_equal(get_error(&f, at(&f, "/truncate?chunked=1")).code, MF_E_UNAVAILABLE);
}

static void an_error_names_phase_and_endpoint(void **state)
{
	FIXTURE(f);
	struct mf_err err = get_error(&f, at(&f, "/truncate?n=100&sent=10&x=SECRET"));
	assert_non_null(strstr(err.msg, "truncated"));
	assert_non_null(strstr(err.endpoint, "/truncate?n=***"));
	assert_null(strstr(err.msg, "SECRET"));
	f.env.deadline_ms = mf_monotonic_ms() + 300;
	err = get_error(&f, at(&f, "/hang"));
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "waiting for the answer"));
}

static void the_deadline_ends_a_trickle(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms();
	f.env.deadline_ms = begin + 400;
	struct mf_err err = get_error(&f, at(&f, "/drip?n=100&ms=50"));
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_true(mf_monotonic_ms() - begin < 2000);
}

static void a_stalled_body_is_given_up(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms();
	client_start(&f, &(struct mf_http_options){.stall_timeout_s = 1});
	assert_int_equal(get_error(&f, at(&f, "/stall?sent=1")).code, MF_E_UNAVAILABLE);
	assert_true(mf_monotonic_ms() - begin < 6000);
}

static void note_idle(void *arg)
{
	++*(int *)arg;
}

static void work_is_done_while_a_server_is_awaited(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms();
	int idle = 0;
	f.env.idle = note_idle;
	f.env.idle_arg = &idle;
	f.env.deadline_ms = begin + 200;
	assert_int_equal(get_error(&f, at(&f, "/hang")).code, MF_E_UNAVAILABLE);
	assert_true(idle > 0);
}

static bool after(void *arg)
{
	return mf_monotonic_ms() > *(int64_t *)arg;
}

static void cancelling_ends_a_hanging_call_soon(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms(), when = begin + 150;
	f.env.cancelled = after;
	f.env.cancel_arg = &when;
	assert_int_equal(get_error(&f, at(&f, "/hang")).code, MF_E_CANCELLED);
	assert_true(mf_monotonic_ms() - begin < 1000);
}

static void a_refused_connection_is_retried_and_then_unavailable(void **state)
{
	FIXTURE(f);
	struct mf_err err = get_error(&f, "http://127.0.0.1:1/");
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "connect"));
	struct mf_http_stats stats;
	mf_http_stats(f.h, &stats);
	assert_int_equal(stats.requests, 4);
}

static void busy_statuses_are_retried(void **state)
{
	static const int rows[] = {429, 502, 503, 504};
	char body[256];
	FIXTURE(f);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(get(&f, at(&f, "/status/%d?times=2", rows[i]), body), 200);
		assert_string_equal(body, "ok");
		assert_int_equal(logged(plain, strstr(f.url, "/status")), 3);
	}
	assert_int_equal(get(&f, at(&f, "/status/503?always=1"), NULL), 503);
	assert_int_equal(logged(plain, "always=1"), 4);
	struct mf_http_request req = {.url = at(&f, "/status/500?times=1&y=1"), .retry_500 = true};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(get(&f, at(&f, "/status/500?x=1"), NULL), 500);
	assert_int_equal(logged(plain, "/status/500?x=1"), 1);
}

static void retry_after_is_kept_to(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms();
	assert_int_equal(get(&f, at(&f, "/status/429?retry-after=1&times=1&t=1"), NULL), 200);
	assert_true(mf_monotonic_ms() - begin >= 1000);
	begin = mf_monotonic_ms();
	assert_int_equal(get(&f, at(&f, "/status/429?retry-after=3600"), NULL), 429);
	f.env.deadline_ms = mf_monotonic_ms() + 3000;
	assert_int_equal(get(&f, at(&f, "/status/503?retry-after=4"), NULL), 503);
	assert_true(mf_monotonic_ms() - begin < 1000);
}

static void no_retry_sends_once(void **state)
{
	FIXTURE(f);
	struct mf_http_request req = {
	    .method = "PATCH", .url = at(&f, "/status/503?once=1"), .no_retry = true};
	assert_int_equal(status_of(&f, &req, NULL), 503);
	assert_int_equal(logged(plain, "once=1"), 1);
}

static void a_post_is_not_repeated_when_it_may_have_taken_effect(void **state)
{
	FIXTURE(f);
	struct mf_http_request req = {.method = "POST", .url = at(&f, "/status/504?post=1")};
	assert_int_equal(status_of(&f, &req, NULL), 504);
	assert_int_equal(logged(plain, "post=1"), 1);
	req.url = at(&f, "/reset?post=2");
	assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
	assert_int_equal(logged(plain, "post=2"), 1);
	req.url = at(&f, "/status/503?post=3&times=1");
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "post=3"), 2);
}

static void a_reset_get_is_retried(void **state)
{
	FIXTURE(f);
	assert_int_equal(get(&f, at(&f, "/reset?times=2"), NULL), 200);
	assert_int_equal(logged(plain, "/reset?times=2"), 3);
	assert_int_equal(get(&f, at(&f, "/close?times=1"), NULL), 200);
}

struct sink {
	uint64_t n;
	bool refuse;
};

static int count(void *arg, const void *p, size_t n, struct mf_err *err)
{
	struct sink *s = arg;
	(void)p;
	s->n += n;
	return s->refuse ? mf_fail(err, MF_E_DIGEST, 0, "not this") : 0;
}

static void a_sink_gets_nothing_twice(void **state)
{
	FIXTURE(f);
	struct sink s = {0};
	struct mf_http_request req = {.url = at(&f, "/reset?sent=10&times=1&sink=1"),
				      .max_bytes = 1000,
				      .write = count,
				      .write_arg = &s};
	assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
	assert_int_equal(s.n, 10);
	assert_int_equal(logged(plain, "sink=1"), 1);
	s.n = 0;
	req.url = at(&f, "/status/503?times=1&sink=2&body=xxxxx");
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(s.n, 2);
}

static void a_sink_takes_large_bodies_and_may_refuse_them(void **state)
{
	FIXTURE(f);
	struct sink s = {0};
	struct mf_http_request req = {
	    .url = at(&f, "/bigbody?n=5000000"), .max_bytes = 5000000, .write = count, .write_arg = &s};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(s.n, 5000000);
	s.refuse = true;
	assert_int_equal(error_of(&f, &req).code, MF_E_DIGEST);
	s.n = 0;
	req.max_bytes = 4999999; /* announced to be larger: nothing is delivered */
	assert_int_equal(error_of(&f, &req).code, MF_E_FORMAT);
	assert_int_equal(s.n, 0);
}

static void a_sink_does_not_see_error_bodies(void **state)
{
	FIXTURE(f);
	struct sink s = {0};
	char body[256];
	struct mf_http_request req = {.url = at(&f, "/nowhere"), .write = count, .write_arg = &s};
	assert_int_equal(status_of(&f, &req, body), 404);
	assert_int_equal(s.n, 0);
	assert_non_null(strstr(body, "NOT_HERE"));
}

static int letters(void *arg, uint64_t offset, void *p, size_t n, size_t *got, struct mf_err *err)
{
	uint64_t end = *(const uint64_t *)arg;
	(void)err;
	*got = offset >= end ? 0 : end - offset < n ? (size_t)(end - offset) : n;
	memset(p, 'a', *got);
	return 0;
}

static void a_streamed_body_arrives_whole_and_again_after_503(void **state)
{
	FIXTURE(f);
	uint64_t length = 300000;
	char body[256];
	struct mf_http_request req = {.method = "PUT",
				      .url = at(&f, "/status/503?put=1&times=1"),
				      .read = letters,
				      .read_arg = &length,
				      .body_length = length};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "\"length\": 300000"), 2);
	req.url = at(&f, "/echo");
	assert_int_equal(status_of(&f, &req, body), 200);
	assert_non_null(strstr(body, "\"length\": 300000"));
	assert_int_equal(logged(plain, "\"expect\""), 0);
}

static void a_stream_that_ends_early_is_an_error_of_ours(void **state)
{
	FIXTURE(f);
	uint64_t length = 1000;
	struct mf_http_request req = {.method = "PUT",
				      .url = at(&f, "/echo"),
				      .read = letters,
				      .read_arg = &length,
				      .body_length = 2000};
	assert_int_equal(error_of(&f, &req).code, MF_E_IO);
}

static void small_and_empty_bodies_announce_their_length(void **state)
{
	FIXTURE(f);
	static const char *const headers[] = {"Content-Type: application/x-test", NULL};
	struct mf_http_request req = {.method = "POST",
				      .url = at(&f, "/echo"),
				      .headers = headers,
				      .body = mf_bytes_of(MF_STR("hello"))};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "\"content-type\": \"application/x-test\""), 1);
	assert_int_equal(logged(plain, "\"body\": \"hello\""), 1);
	req.body = (struct mf_bytes){NULL, 0};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "\"content-length\": \"0\""), 1);
	req.method = "DELETE";
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "\"DELETE\""), 1);
}

static void parts_are_sent_as_form_data(void **state)
{
	FIXTURE(f);
	const struct mf_http_part parts[] = {{"files", "root", mf_bytes_of(MF_STR("ROOT"))},
					     {"files", "targets/x", mf_bytes_of(MF_STR("TARGETS"))}};
	struct mf_http_request req = {
	    .method = "POST", .url = at(&f, "/status/503?times=1&parts=1"), .parts = parts, .nparts = 2};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "multipart/form-data; boundary="), 2);
	assert_int_equal(logged(plain, "name=\\\"files\\\"; filename=\\\"targets/x\\\""), 2);
	assert_int_equal(logged(plain, "ROOT"), 2);
}

static void a_header_with_a_line_break_is_refused(void **state)
{
	FIXTURE(f);
	static const char *const headers[] = {"Accept: a\r\nX-Evil: 1", NULL};
	struct mf_http_request req = {.url = at(&f, "/ok"), .headers = headers};
	assert_int_equal(error_of(&f, &req).code, MF_E_USAGE);
}

static void redirects_are_followed_up_to_the_limit(void **state)
{
	FIXTURE(f);
	char body[256];
	assert_int_equal(get(&f, at(&f, "/chain?n=5"), body), 200);
	assert_string_equal(body, "end");
	assert_int_equal(get_error(&f, at(&f, "/chain?n=6")).code, MF_E_UNAVAILABLE);
	struct mf_http_request req = {.url = at(&f, "/chain?n=1"), .no_redirect = true};
	assert_int_equal(status_of(&f, &req, NULL), 307);
	/* a POST may be sent again where the answer demands it (RFC 9110 sections 15.4.8 and 15.4.9), else
	 * not */
	req = (struct mf_http_request){.url = at(&f, "/redirect?code=302&to=/ok"), .method = "POST"};
	assert_int_equal(status_of(&f, &req, NULL), 302);
}

static void a_write_is_sent_again_where_307_and_308_demand_it(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "PATCH"};
	FIXTURE(f);
	for (size_t i = 0; i < 6; i++) {
		char body[256], want[32];
		const char *url = at(&f, "/redirect?code=%d&to=/echo", i < 3 ? 307 : 308);
		struct mf_http_request req = {.url = url,
					      .method = methods[i % 3],
					      .body = mf_bytes_of(MF_STR("hello")),
					      .no_retry = true};
		assert_int_equal(status_of(&f, &req, body), 200);
		(void)snprintf(want, sizeof want, "\"method\": \"%s\"", methods[i % 3]);
		assert_non_null(strstr(body, want));
		assert_non_null(strstr(body, "\"length\": 5"));
	}
	uint64_t length = 300000;
	struct mf_http_request req = {.url = at(&f, "/redirect?code=307&to=/echo"),
				      .method = "PUT",
				      .read = letters,
				      .read_arg = &length,
				      .body_length = length};
	char body[256];
	assert_int_equal(status_of(&f, &req, body), 200);
	assert_non_null(strstr(body, "\"length\": 300000"));
	/* 303 says: get something else instead */
	req = (struct mf_http_request){.url = at(&f, "/redirect?code=303&to=/ok"), .method = "POST"};
	assert_int_equal(status_of(&f, &req, NULL), 303);
}

static void urls_of_8000_octets_are_followed(void **state)
{
	FIXTURE(f);
	static char rule[10000], path[128];
	(void)snprintf(
	    rule, sizeof rule,
	    "[{\"path\":\"^/presigned\",\"action\":\"status\",\"status\":307,\"headers\":{\"Location\":"
	    "\"/header?a=%07900d\"}}]",
	    1);
	put_file(plain->dir, "rules.new", rule, 0600);
	char to[128];
	(void)snprintf(path, sizeof path, "%s/rules.new", plain->dir);
	(void)snprintf(to, sizeof to, "%s/rules", plain->dir);
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(get(&f, at(&f, "/presigned"), NULL), 200);
	put_file(plain->dir, "rules.new", "[]", 0600);
	assert_int_equal(rename(path, to), 0);
}

static void what_comes_compressed_unasked_is_decoded(void **state)
{
	FIXTURE(f);
	char body[256];
	assert_int_equal(get(&f, at(&f, "/gzip?body=hello"), body), 200);
	assert_string_equal(body, "hello");
	assert_int_equal(logged(plain, "\"accept-encoding\": \"identity\""), 1);
	/* the limit is of what is decoded */
	static char url[60000];
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/gzip?body=%04000d", plain->port, 1);
	assert_int_equal(error_of(&f, &(struct mf_http_request){.url = url, .max_bytes = 1000}).code,
			 MF_E_FORMAT);
	/* a length of the encoding is none of the content */
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	struct mf_http_request req = {.url = at(&f, "/gzip?body=hello"), .method = "HEAD"};
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	assert_true(res->content_length == UINT64_MAX);
}

static void what_moves_outlives_the_deadline(void **state)
{
	FIXTURE(f);
	int64_t begin = mf_monotonic_ms();
	f.env.deadline_ms = begin + 600;
	struct mf_http_request req = {.url = at(&f, "/drip?n=40&ms=50&size=20000"), .max_bytes = 1000000};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_true(mf_monotonic_ms() - begin > 1900);
	/* what is left is for waiting, and a transfer that stands still ends with it */
	assert_true(mf_env_left_ms(&f.env) > 0 && mf_env_left_ms(&f.env) <= 600);
	begin = mf_monotonic_ms();
	req.url = at(&f, "/stall?n=500000&sent=400000");
	assert_int_equal(error_of(&f, &req).code, MF_E_UNAVAILABLE);
	assert_true(mf_monotonic_ms() - begin < 3000);
}

static void redirects_to_forbidden_places_are_refused(void **state)
{
	FIXTURE(f);
	assert_int_equal(get_error(&f, at(&f, "/redirect?to=http://registry.example/")).code,
			 MF_E_UNAVAILABLE);
	assert_int_equal(get_error(&f, at(&f, "/redirect?to=file:///etc/passwd")).code, MF_E_UNAVAILABLE);
	assert_int_equal(get_error(&f, at(&f, "/redirect?to=http://a:b@127.0.0.1/")).code, MF_E_UNAVAILABLE);
}

static void a_redirect_from_https_to_http_is_refused(void **state)
{
	char path[128];
	FIXTURE(f);
	trust_test_server(&f);
	(void)snprintf(path, sizeof path, "/redirect?to=http://127.0.0.1:%d/ok", plain->port);
	struct mf_err err = get_error(&f, tls_url(&f, path));
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_non_null(strstr(err.msg, "https"));
	assert_int_equal(logged(plain, "/ok"), 0);
}

static void headers_with_secrets_do_not_cross_origins(void **state)
{
	static const char *const headers[] = {"authorization: Bearer SECRET", "Cookie: SECRET", "Accept: x/y",
					      NULL};
	FIXTURE(f);
	struct mf_http_request req = {.headers = headers};
	/* localhost and 127.0.0.1 are two origins */
	req.url = at(&f, "/redirect?to=http://localhost:%d/echo", plain->port);
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "SECRET"), 1);
	assert_int_equal(logged(plain, "x/y"), 2);
	req.url = at(&f, "/redirect?to=/echo");
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_int_equal(logged(plain, "SECRET"), 3);
}

static void tls_is_verified(void **state)
{
	FIXTURE(f);
	struct mf_err err = get_error(&f, tls_url(&f, "/ok"));
	assert_int_equal(err.code, MF_E_UNAVAILABLE);
	assert_non_null(strstr(err.hint, "--cacert"));
	trust_test_server(&f);
	assert_int_equal(get(&f, tls_url(&f, "/ok"), NULL), 200);
	(void)snprintf(f.url, sizeof f.url, "https://localhost:%d/ok", tls->port);
	assert_int_equal(get_error(&f, f.url).code, MF_E_UNAVAILABLE);
}

static void a_missing_ca_file_is_a_local_error(void **state)
{
	FIXTURE(f);
	client_start(&f, &(struct mf_http_options){.cacert = "/nonexistent/ca.pem"});
	assert_int_equal(get_error(&f, tls_url(&f, "/ok")).code, MF_E_IO);
}

static void loopback_ignores_proxies(void **state)
{
	FIXTURE(f);
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(get(&f, at(&f, "/ok"), NULL), 200);
	client_start(&f, &(struct mf_http_options){.plain_http = true});
	assert_int_equal(get_error(&f, "http://registry.example/").code, MF_E_UNAVAILABLE);
	assert_int_equal(unsetenv("http_proxy"), 0);
}

static void calls_progress_while_another_is_awaited(void **state)
{
	enum { N = 6 };
	FIXTURE(f);
	struct mf_http_call *calls[N];
	char urls[N][128];
	int64_t begin = mf_monotonic_ms();
	for (int i = 0; i < N; i++) {
		struct mf_err err = MF_ERR_INIT;
		(void)snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d/slow?ms=400&i=%d", plain->port,
			       i);
		assert_int_equal(
		    mf_http_submit(f.h, &(struct mf_http_request){.url = urls[i]}, &calls[i], &err), 0);
	}
	for (int i = N - 1; i >= 0; i--) {
		struct mf_http_response *res;
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_http_await(calls[i], &res, &err), 0);
		assert_int_equal(res->status, 200);
		mf_http_call_free(calls[i]);
	}
	assert_true(mf_monotonic_ms() - begin < 1500);
}

static void more_calls_than_connections_are_queued(void **state)
{
	enum { N = 60 };
	FIXTURE(f);
	struct mf_http_call *calls[N];
	const char *url = at(&f, "/ok");
	for (int i = 0; i < N; i++) {
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_http_submit(f.h, &(struct mf_http_request){.url = url}, &calls[i], &err),
				 0);
	}
	for (int i = 0; i < N; i++) {
		struct mf_http_response *res;
		struct mf_err err = MF_ERR_INIT;
		assert_int_equal(mf_http_await(calls[i], &res, &err), 0);
		mf_http_call_free(calls[i]);
	}
	assert_int_equal(logged(plain, "/ok"), N);
	assert_in_range(connections(plain), 1, 32);
}

static void freeing_the_client_cancels_what_is_in_flight(void **state)
{
	FIXTURE(f);
	struct mf_http_call *calls[10];
	struct mf_http_response *res;
	struct mf_err err = MF_ERR_INIT;
	const char *url = at(&f, "/hang");
	for (int i = 0; i < 10; i++)
		assert_int_equal(mf_http_submit(f.h, &(struct mf_http_request){.url = url}, &calls[i], &err),
				 0);
	mf_http_call_free(calls[0]);
	mf_http_free(f.h);
	f.h = NULL;
	assert_int_equal(mf_http_await(calls[1], &res, &err), -1);
	assert_int_equal(err.code, MF_E_CANCELLED);
	for (int i = 1; i < 10; i++)
		mf_http_call_free(calls[i]);
}

static void the_log_has_one_line_per_exchange_and_no_secret(void **state)
{
	static const char *const headers[] = {"Authorization: Bearer SECRET", NULL};
	FIXTURE(f);
	struct mf_http_request req = {.url = at(&f, "/echo?sig=SECRET&n=1"), .headers = headers};
	assert_int_equal(status_of(&f, &req, NULL), 200);
	assert_null(strstr(f.log, "SECRET"));
	assert_non_null(strstr(f.log, "GET http://127.0.0.1:"));
	assert_non_null(strstr(f.log, "/echo?sig=***&n=*** 200, "));
	assert_non_null(strstr(f.log, " bytes, "));
	assert_ptr_equal(strchr(f.log, '\n'), f.log + strlen(f.log) - 1);
}

static void urls_that_are_not_allowed_are_not_requested(void **state)
{
	FIXTURE(f);
	struct mf_err err = get_error(&f, "http://u:SECRET@registry.example/");
	assert_int_equal(err.code, MF_E_USAGE);
	assert_null(strstr(err.msg, "SECRET"));
	assert_int_equal(get_error(&f, "http://registry.example/").code, MF_E_USAGE);
}

static void statuses_map_to_error_codes(void **state)
{
	static const struct {
		int status;
		enum mf_code code;
	} rows[] = {{401, MF_E_AUTH},        {403, MF_E_AUTH},        {404, MF_E_NOT_FOUND},
		    {429, MF_E_UNAVAILABLE}, {500, MF_E_UNAVAILABLE}, {501, MF_E_UNAVAILABLE},
		    {410, MF_E_UNAVAILABLE}, {400, MF_E_UNAVAILABLE}, {302, MF_E_UNAVAILABLE},
		    {204, MF_E_UNAVAILABLE}, {206, MF_E_UNAVAILABLE}, {304, MF_E_UNAVAILABLE},
		    {402, MF_E_UNAVAILABLE}, {405, MF_E_UNAVAILABLE}, {407, MF_E_UNAVAILABLE},
		    {409, MF_E_UNAVAILABLE}, {413, MF_E_UNAVAILABLE}, {418, MF_E_UNAVAILABLE},
		    {451, MF_E_UNAVAILABLE}, {507, MF_E_UNAVAILABLE}, {599, MF_E_UNAVAILABLE}};
	FIXTURE(f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
		struct mf_http_response *res;
		struct mf_err err;
		char code[64];
		struct mf_http_request req = {.url = at(&f, "/status/%d?body=nothing", rows[i].status),
					      .no_retry = true};
		assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
		mf_http_error_code(res, code);
		assert_string_equal(code, "");
		(void)mf_http_status_error(call, "read manifest", &err);
		assert_int_equal(err.code, rows[i].code);
		assert_int_equal(strncmp(err.msg, "read manifest: ", 15), 0);
		assert_non_null(strstr(err.endpoint, "/status/"));
	}
}

static void the_servers_own_words_are_in_the_error(void **state)
{
	FIXTURE(f);
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	struct mf_err err;
	char code[64];
	struct mf_http_request req = {
	    .url = at(
		&f,
		"/status/403?body={\"errors\":[{\"code\":\"DENIED\",\"message\":\"why%%20\\u001b[1m\"}]}")};
	assert_int_equal(perform(&f, &req, &call, &res, &err), 0);
	mf_http_error_code(res, code);
	assert_string_equal(code, "DENIED");
	(void)mf_http_status_error(call, "read manifest", &err);
	assert_string_equal(err.msg, "read manifest: status 403 DENIED: why ?[1m");
}

static void a_kept_connection_is_used_again(void **state)
{
	FIXTURE(f);
	struct mf_http_stats stats;
	trust_test_server(&f);
	for (int i = 0; i < 5; i++)
		assert_int_equal(get(&f, tls_url(&f, "/ok"), NULL), 200);
	mf_http_stats(f.h, &stats);
	assert_int_equal(stats.requests, 5);
	assert_int_equal(stats.bytes_in, 10);
	assert_int_equal(connections(tls), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_has_its_headers),
	    cmocka_unit_test(a_date_is_read_and_what_is_none_is_passed_over),
	    cmocka_unit_test(two_different_digests_in_one_answer_are_refused),
	    cmocka_unit_test(an_overlong_header_is_refused),
	    cmocka_unit_test(a_trailer_does_not_replace_a_header),
	    cmocka_unit_test(headers_of_an_interim_answer_do_not_count),
	    cmocka_unit_test(what_is_not_http_is_refused),
	    cmocka_unit_test(an_overlong_error_code_is_not_one),
	    cmocka_unit_test(head_gives_the_length_and_no_body),
	    cmocka_unit_test(a_larger_body_than_asked_for_is_a_format_error),
	    cmocka_unit_test(an_endless_error_body_is_cut_and_the_status_kept),
	    cmocka_unit_test(truncated_bodies_are_unavailable),
	    cmocka_unit_test(an_error_names_phase_and_endpoint),
	    cmocka_unit_test(the_deadline_ends_a_trickle),
	    cmocka_unit_test(work_is_done_while_a_server_is_awaited),
	    cmocka_unit_test(a_stalled_body_is_given_up),
	    cmocka_unit_test(cancelling_ends_a_hanging_call_soon),
	    cmocka_unit_test(a_refused_connection_is_retried_and_then_unavailable),
	    cmocka_unit_test(busy_statuses_are_retried),
	    cmocka_unit_test(retry_after_is_kept_to),
	    cmocka_unit_test(no_retry_sends_once),
	    cmocka_unit_test(a_post_is_not_repeated_when_it_may_have_taken_effect),
	    cmocka_unit_test(a_reset_get_is_retried),
	    cmocka_unit_test(a_sink_gets_nothing_twice),
	    cmocka_unit_test(a_sink_takes_large_bodies_and_may_refuse_them),
	    cmocka_unit_test(a_sink_does_not_see_error_bodies),
	    cmocka_unit_test(a_streamed_body_arrives_whole_and_again_after_503),
	    cmocka_unit_test(a_stream_that_ends_early_is_an_error_of_ours),
	    cmocka_unit_test(small_and_empty_bodies_announce_their_length),
	    cmocka_unit_test(parts_are_sent_as_form_data),
	    cmocka_unit_test(a_header_with_a_line_break_is_refused),
	    cmocka_unit_test(redirects_are_followed_up_to_the_limit),
	    cmocka_unit_test(a_write_is_sent_again_where_307_and_308_demand_it),
	    cmocka_unit_test(urls_of_8000_octets_are_followed),
	    cmocka_unit_test(what_comes_compressed_unasked_is_decoded),
	    cmocka_unit_test(what_moves_outlives_the_deadline),
	    cmocka_unit_test(redirects_to_forbidden_places_are_refused),
	    cmocka_unit_test(a_redirect_from_https_to_http_is_refused),
	    cmocka_unit_test(headers_with_secrets_do_not_cross_origins),
	    cmocka_unit_test(tls_is_verified),
	    cmocka_unit_test(a_missing_ca_file_is_a_local_error),
	    cmocka_unit_test(loopback_ignores_proxies),
	    cmocka_unit_test(calls_progress_while_another_is_awaited),
	    cmocka_unit_test(more_calls_than_connections_are_queued),
	    cmocka_unit_test(freeing_the_client_cancels_what_is_in_flight),
	    cmocka_unit_test(the_log_has_one_line_per_exchange_and_no_secret),
	    cmocka_unit_test(urls_that_are_not_allowed_are_not_requested),
	    cmocka_unit_test(statuses_map_to_error_codes),
	    cmocka_unit_test(the_servers_own_words_are_in_the_error),
	    cmocka_unit_test(a_kept_connection_is_used_again),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
