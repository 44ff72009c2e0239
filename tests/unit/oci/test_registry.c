/* The registry backend against Debian's docker-registry, started here on a free loopback port. */
#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "oci/artifact.h"

extern char **environ;

static struct server {
	void *dir;
	pid_t pid;
	uint16_t port;
	char config[512];
} server;

struct fixture {
	struct mf_env env;
	struct mf_http *http;
	struct mf_auth *auth;
	struct mf_credential_config credentials;
	struct mf_image_store *s;
	char repository[64];
};

static int listen_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) || getsockname(fd, (struct sockaddr *)&a, &n))
		return -1;
	close(fd);
	server.port = ntohs(a.sin_port);
	return 0;
}

static bool answers(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(server.port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return ok;
}

static pid_t spawn_registry(char *const argv[])
{
	pid_t pid;
	posix_spawn_file_actions_t to_log;
	const char *log = tmpdir_path(&server.dir, "log");
	posix_spawn_file_actions_init(&to_log);
	posix_spawn_file_actions_addopen(&to_log, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_addopen(&to_log, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int rc = posix_spawnp(&pid, argv[0], &to_log, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to_log);
	if (rc == 0)
		return pid;
	print_error("docker-registry cannot be started: %s (install the package docker-registry)\n",
		    strerror(rc));
	return -1;
}

static char word_registry[] = "docker-registry", word_serve[] = "serve", word_gc[] = "garbage-collect",
	    word_untagged[] = "--delete-untagged";

static int start(void)
{
	server.pid = spawn_registry((char *[]){word_registry, word_serve, server.config, NULL});
	if (server.pid < 0)
		return -1;
	for (int i = 0; i < 500; i++) {
		if (answers())
			return 0;
		if (waitpid(server.pid, NULL, WNOHANG) == server.pid)
			break;
		usleep(20000);
	}
	print_error("docker-registry did not listen on port %u, its log is in %s\n", server.port,
		    (char *)server.dir);
	return -1;
}

static void stop(void)
{
	(void)kill(server.pid, SIGTERM);
	(void)waitpid(server.pid, NULL, 0);
}

static void collect_garbage(void)
{
	stop();
	pid_t gc = spawn_registry((char *[]){word_registry, word_gc, word_untagged, server.config, NULL});
	int st = -1;
	assert_true(gc > 0);
	assert_int_equal(waitpid(gc, &st, 0), gc);
	assert_int_equal(st, 0);
	assert_int_equal(start(), 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (tmpdir_make(&server.dir) || listen_port())
		return -1;
	(void)snprintf(server.config, sizeof(server.config), "%s/config.yml", (char *)server.dir);
	FILE *f = fopen(server.config, "w");
	if (!f)
		return -1;
	(void)fprintf(f,
		      "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  "
		      "filesystem:\n    rootdirectory: %s/data\n"
		      "  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:%u\n",
		      (char *)server.dir, server.port);
	return fclose(f) ? -1 : start();
}

static int group_teardown(void **state)
{
	(void)state;
	stop();
	return tmpdir_drop(&server.dir);
}

/* Every test has a repository of its own. */
static int setup(void **state)
{
	static unsigned count;
	struct mf_err err = MF_ERR_INIT;
	struct fixture *f = mf_calloc(1, sizeof(*f));
	char host[32];
	assert_non_null(f);
	mf_env_init(&f->env);
	f->env.deadline_ms = mf_monotonic_ms() + 30000;
	f->http = mf_http_new(&(struct mf_http_options){0}, &f->env, &err);
	(void)snprintf(host, sizeof(host), "127.0.0.1:%u", server.port);
	f->auth = mf_auth_new(host, &f->credentials, &f->env, &err);
	(void)snprintf(f->repository, sizeof(f->repository), "%s/test/r%u", host, count++);
	f->s = open_store(f->repository, f->http, f->auth, &f->env);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	mf_image_store_free(f->s);
	mf_auth_free(f->auth);
	mf_http_free(f->http);
	free(f);
	return 0;
}

static uint64_t sent(struct fixture *f)
{
	struct mf_http_stats stats;
	mf_http_stats(f->http, &stats);
	return stats.bytes_out;
}

static uint64_t requests(struct fixture *f)
{
	struct mf_http_stats stats;
	mf_http_stats(f->http, &stats);
	return stats.requests;
}

static void registry_blob_comes_back_and_a_large_one_is_sent_once(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_digest d = put_blob(f->s, "hello");
	assert_ok(get_blob(f->s, &d, 5, text, &err), err);
	assert_string_equal(text, "hello");
	char *large MF_FREE = mf_calloc(70001, 1);
	assert_non_null(large);
	memset(large, 'x', 70000);
	(void)put_blob(f->s, large);
	uint64_t before = sent(f), asked = requests(f);
	(void)put_blob(f->s, large);
	assert_int_equal(sent(f), before);
	assert_int_equal(requests(f), asked + 1);
	/* To ask costs as much as to send a small one. */
	(void)put_blob(f->s, "hello");
	assert_int_equal(requests(f), asked + 3);
	assert_fails(get_blob(f->s, &d, 4, text, &err), err, MF_E_DIGEST);
	assert_fails(get_blob(f->s, &d, 6, text, &err), err, MF_E_DIGEST);
	assert_null(mf_blob_path(f->s, &d));
	struct mf_digest empty = put_blob(f->s, "");
	assert_ok(get_blob(f->s, &empty, 0, text, &err), err);
}

static void registry_large_blob_is_streamed_both_ways(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	uint64_t n;
	static char chunk[65536];
	struct mf_spool *up MF_SPOOL_CLEANUP = mf_spool_new(8 << 20, &err);
	struct mf_spool *down MF_SPOOL_CLEANUP = mf_spool_new(8 << 20, &err);
	for (int i = 0; i < 64; i++) {
		memset(chunk, i, sizeof(chunk));
		assert_ok(mf_spool_add(up, chunk, sizeof(chunk), &err), err);
	}
	assert_ok(mf_spool_end(up, &d, &n, &err), err);
	assert_ok(mf_blob_put(f->s, up, &d, n, &err), err);
	assert_ok(mf_blob_get(f->s, &d, n, down, &err), err);
}

static void registry_manifest_comes_back_by_tag_and_digest(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_digest got, d = put_image(f->s, "v1", "layer");
	char media_type[128];
	uint64_t size;
	assert_ok(resolve(f->s, "v1", &got, media_type, &size, &err), err);
	assert_true(mf_digest_eq(&got, &d));
	assert_string_equal(media_type, MF_MT_OCI_MANIFEST);
	assert_ok(mf_manifest_get(f->s, &d, &m, &err), err);
	assert_int_equal(m.bytes.n, size);
	assert_false(m.is_index);
	assert_ok(mf_manifest_get_tag(f->s, "v1", &m, &err), err);
	assert_true(mf_digest_eq(&m.digest, &d));
	struct mf_digest untagged = put_image(f->s, NULL, "other");
	assert_ok(mf_manifest_get(f->s, &untagged, &m, &err), err);
}

static void registry_presence_of_many_is_told_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digests[100];
	bool present[100];
	struct mf_digest image = put_image(f->s, "v1", "layer"), blob = digest_of("layer");
	for (unsigned i = 0; i < 100; i++) {
		char text[16];
		(void)snprintf(text, sizeof(text), "%u", i);
		digests[i] = i % 7 == 3 ? blob : digest_of(text);
	}
	assert_ok(mf_blobs_have(f->s, digests, 100, present, &err), err);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(present[i], i % 7 == 3);
	digests[1] = image;
	assert_ok(mf_manifests_have(f->s, digests, 3, present, &err), err);
	assert_true(!present[0] && present[1] && !present[2]);
	assert_ok(mf_manifests_have(f->s, digests, 0, present, &err), err);
}

static void registry_missing_things_have_their_codes(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	struct mf_digest d = digest_of("nowhere"), got;
	char text[4096];
	for (int round = 0; round < 2; round++) {
		/* First in a repository that is not there at all. */
		if (round)
			(void)put_image(f->s, "v1", "layer");
		assert_fails(mf_manifest_get(f->s, &d, &m, &err), err, MF_E_NOT_FOUND);
		assert_fails(mf_manifest_get_tag(f->s, "none", &m, &err), err, MF_E_NOT_FOUND);
		assert_fails(resolve(f->s, "none", &got, NULL, NULL, &err), err, MF_E_NOT_FOUND);
		assert_fails(get_blob(f->s, &d, 5, text, &err), err, MF_E_CONTENT_GONE);
		struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
		enum mf_referrers_by by;
		assert_ok(list_referrers(f->s, &d, &list, &by, &err), err);
		assert_int_equal(list.n, 0);
		assert_int_equal(by, MF_REFERRERS_TAG);
	}
}

static void registry_manifest_with_missing_layers_names_them(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptors missing MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_digest gone = digest_of("gone");
	char manifest[2048];
	(void)put_blob(f->s, "{}");
	make_manifest(manifest, &gone, 4, "");
	assert_fails(mf_manifest_put(f->s, "x", MF_MT_OCI_MANIFEST, bytes_of(manifest), NULL, &missing, &err),
		     err, MF_E_CONTENT_GONE);
	assert_int_equal(missing.n, 1);
	assert_true(mf_digest_eq(&missing.v[0].digest, &gone));
	assert_int_equal(mf_manifest_put(f->s, "x", MF_MT_OCI_MANIFEST, bytes_of(manifest), NULL, NULL, &err),
			 -1);
	assert_int_not_equal(err.code, MF_E_CONTENT_GONE);
}

/* ---- referrers */

static struct mf_digest put_artifact(struct fixture *f, const struct mf_digest *subject, const char *text,
				     struct mf_descriptor *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf manifest MF_BUF_CLEANUP = MF_BUF_INIT(10000);
	static char media_type[] = MF_MT_OCI_MANIFEST, type[] = "application/vnd.manifesto.qa";
	static char annotations[] = "{\"b\":\"1\",\"a\":\"2\"}";
	struct mf_artifact a = {
	    .artifact_type = type,
	    .blob = {.digest = put_blob(f->s, text), .size = strlen(text), .media_type = "text/plain"},
	    .subject = {.digest = *subject, .size = 3, .media_type = MF_MT_OCI_MANIFEST}};
	bool seen = true;
	assert_ok(mf_artifact_store_config(f->s, &err), err);
	assert_ok(mf_artifact_build(&a, &manifest, &err), err);
	assert_ok(mf_manifest_put(f->s, NULL, MF_MT_OCI_MANIFEST, mf_buf_bytes(&manifest), &seen, NULL, &err),
		  err);
	assert_false(seen);
	*out = (struct mf_descriptor){.digest = digest_of(manifest.p),
				      .size = manifest.n,
				      .media_type = media_type,
				      .artifact_type = type,
				      .annotations = annotations};
	return out->digest;
}

static int descending(const void *a, const void *b)
{
	return memcmp(((const struct mf_descriptor *)b)->digest.b,
		      ((const struct mf_descriptor *)a)->digest.b, 32);
}

static void referrers_index_adds_removes_and_keeps(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptors list MF_DESCRIPTORS_CLEANUP = {0};
	struct mf_descriptor d[3];
	struct mf_digest subject = put_image(f->s, "v1", "layer");
	for (unsigned i = 0; i < 3; i++) {
		char text[8];
		(void)snprintf(text, sizeof(text), "r%u", i);
		(void)put_artifact(f, &subject, text, &d[i]);
	}
	/* Given in the wrong order. */
	qsort(d, 3, sizeof(d[0]), descending);
	assert_ok(update_list(f->s, &subject, d, 2, NULL, 0, &err), err);
	assert_ok(update_list(f->s, &subject, &d[2], 1, &d[1].digest, 1, &err), err);
	assert_ok(list_referrers(f->s, &subject, &list, NULL, &err), err);
	assert_int_equal(list.n, 2);
	assert_true(memcmp(list.v[0].digest.b, list.v[1].digest.b, 32) < 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(mf_digest_eq(&list.v[i].digest, &d[0].digest));
		assert_string_equal(list.v[i].artifact_type, "application/vnd.manifesto.qa");
		assert_string_equal(list.v[i].annotations, "{\"a\":\"2\",\"b\":\"1\"}");
	}
}

static void referrers_index_is_written_only_when_it_changes(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptor d;
	struct mf_digest subject = put_image(f->s, "v1", "layer"), other = digest_of("other");
	(void)put_artifact(f, &subject, "r", &d);
	/* Nothing to remove, nothing there: no tag is made. */
	char tag[80];
	struct mf_digest got;
	mf_referrers_tag(tag, &subject);
	assert_ok(update_list(f->s, &subject, NULL, 0, &other, 1, &err), err);
	assert_fails(resolve(f->s, tag, &got, NULL, NULL, &err), err, MF_E_NOT_FOUND);
	assert_ok(update_list(f->s, &subject, &d, 1, NULL, 0, &err), err);
	uint64_t before = sent(f);
	assert_ok(update_list(f->s, &subject, &d, 1, &other, 1, &err), err);
	assert_int_equal(sent(f), before);
}

static void referrers_index_keeps_foreign_members_and_drops_dangling_entries(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptor ours, doomed;
	struct mf_digest subject = put_image(f->s, "v1", "layer"), foreign = put_image(f->s, NULL, "foreign");
	char tag[80], index[2048], url[512];
	(void)put_artifact(f, &subject, "doomed", &doomed);
	(void)put_artifact(f, &subject, "ours", &ours);
	mf_referrers_tag(tag, &subject);
	(void)snprintf(index, sizeof(index),
		       "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"annotations\":{\"who\":\"else\"},"
		       "\"manifests\":[{\"mediaType\":\"%s\","
		       "\"digest\":\"%s\",\"size\":5,\"x-odd\":[1,{\"deep\":\"\\n\"}]},{\"mediaType\":\"%s\","
		       "\"digest\":\"%s\",\"size\":%ju}]}",
		       MF_MT_OCI_INDEX, MF_MT_OCI_MANIFEST, digest_text(&foreign), MF_MT_OCI_MANIFEST,
		       digest_text(&doomed.digest), (uintmax_t)doomed.size);
	assert_ok(mf_manifest_put(f->s, tag, MF_MT_OCI_INDEX, bytes_of(index), NULL, NULL, &err), err);
	/* The registry loses one manifest. */
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v2/%s/manifests/%s", server.port,
		       strchr(f->repository, '/') + 1, digest_text(&doomed.digest));
	struct mf_http_request req = {.method = "DELETE", .url = url};
	struct mf_http_call *call MF_HTTP_CALL_CLEANUP = NULL;
	struct mf_http_response *res;
	assert_ok(mf_http_submit(f->http, &req, &call, &err), err);
	assert_ok(mf_http_await(call, &res, &err), err);
	assert_int_equal(res->status, 202);
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_ok(update_list(f->s, &subject, &ours, 1, NULL, 0, &err), err);
	assert_ok(mf_manifest_get_tag(f->s, tag, &m, &err), err);
	assert_non_null(strstr(m.bytes.p, "\"x-odd\":[1,{\"deep\":\"\\n\"}]"));
	assert_non_null(strstr(m.bytes.p, "\"annotations\":{\"who\":\"else\"}"));
	assert_non_null(strstr(m.bytes.p, digest_text(&ours.digest)));
	assert_null(strstr(m.bytes.p, digest_text(&doomed.digest)));
}

static void referrers_tag_that_is_an_image_is_not_written_over(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptor d;
	char tag[80];
	struct mf_digest subject = put_image(f->s, "v1", "layer");
	mf_referrers_tag(tag, &subject);
	struct mf_digest got, image = put_image(f->s, tag, "image");
	(void)put_artifact(f, &subject, "r", &d);
	assert_ok(update_list(f->s, &subject, &d, 1, NULL, 0, &err), err);
	assert_ok(resolve(f->s, tag, &got, NULL, NULL, &err), err);
	assert_true(mf_digest_eq(&got, &image));
}

/* ---- catalogue */

static struct mf_catalogue_record record_of(struct fixture *f, unsigned subject, const char *text,
					    bool stored)
{
	char name[16];
	(void)snprintf(name, sizeof(name), "s%u", subject);
	struct mf_catalogue_record r = {.subject = digest_of(name),
					.length = strlen(text),
					.type = "qa",
					.media_type = "text/plain",
					.role = "targets",
					.created = "2026-01-02T03:04:05Z"};
	r.blob = stored ? put_blob(f->s, text) : digest_of(text);
	return r;
}

/* The config document of a catalogue tag; "" when the tag is not there. */
static void catalogue_text(struct fixture *f, const char *tag, char out[4096])
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	char digest[MF_DIGEST_TEXT];
	struct mf_digest d;
	unsigned long size;
	out[0] = '\0';
	if (mf_manifest_get_tag(f->s, tag, &m, &err)) {
		assert_int_equal(err.code, MF_E_NOT_FOUND);
		return;
	}
	assert_memory_equal(m.bytes.p, "{\"config\":{\"digest\":\"", 21);
	(void)snprintf(digest, sizeof(digest), "%.71s", m.bytes.p + 21);
	assert_ok(mf_digest_parse(&d, mf_str_c(digest), &err), err);
	size = strtoul(strstr(m.bytes.p, "\"size\":") + 7, NULL, 10);
	assert_ok(get_blob(f->s, &d, size, out, &err), err);
}

static void catalogue_has_these_very_bytes_whatever_the_order(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096], want[4096];
	struct mf_catalogue_record r[3] = {record_of(f, 1, "b", true), record_of(f, 1, "a", true),
					   record_of(f, 1, "b", true)};
	struct mf_catalogue_record back[3] = {r[1], r[0], r[1]};
	r[2].type = "seccomp";
	r[2].created = NULL;
	back[2] = r[2];
	bool a_first = memcmp(r[1].blob.b, r[0].blob.b, 32) < 0;
	assert_ok(set_catalogue(f->s, r, 3, &err), err);
	catalogue_text(f, "_manifesto", text);
	char first[512], second[512];
	(void)snprintf(first, sizeof(first),
		       "{\"created\":\"2026-01-02T03:04:05Z\",\"digest\":\"%s\",\"mediaType\":\"text/"
		       "plain\",\"role\":\"targets\",\"size\":1,"
		       "\"type\":\"qa\"}",
		       digest_text(&r[a_first ? 1 : 0].blob));
	(void)snprintf(second, sizeof(second),
		       "{\"created\":\"2026-01-02T03:04:05Z\",\"digest\":\"%s\",\"mediaType\":\"text/"
		       "plain\",\"role\":\"targets\",\"size\":1,"
		       "\"type\":\"qa\"}",
		       digest_text(&r[a_first ? 0 : 1].blob));
	(void)snprintf(want, sizeof(want),
		       "{\"images\":[{\"image_digest\":\"%s\",\"manifesto\":[%s,%s,{\"digest\":\"%s\","
		       "\"mediaType\":\"text/plain\","
		       "\"role\":\"targets\",\"size\":1,\"type\":\"seccomp\"}]}]}",
		       digest_text(&r[0].subject), first, second, digest_text(&r[2].blob));
	assert_string_equal(text, want);
	/* The blob of two records is one layer. */
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_ok(mf_manifest_get_tag(f->s, "_manifesto", &m, &err), err);
	const char *layer = strstr(m.bytes.p, digest_text(&r[0].blob));
	assert_non_null(layer);
	assert_null(strstr(layer + 1, digest_text(&r[0].blob)));
	uint64_t before = sent(f), asked = requests(f);
	assert_ok(set_catalogue(f->s, back, 3, &err), err);
	assert_int_equal(sent(f), before);
	assert_int_equal(requests(f), asked + 1);
}

static void catalogue_has_what_is_given_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_catalogue_record r[2] = {record_of(f, 1, "a", true), record_of(f, 2, "b", true)},
				   a2 = record_of(f, 1, "a2", true);
	assert_ok(set_catalogue(f->s, r, 2, &err), err);
	/* What is known to differ is written without a question: two requests for its config, one for itself.
	 */
	uint64_t asked = requests(f);
	assert_int_equal(mf_catalogue_set(f->s, &a2, 1, (struct mf_catalogue_scope){.changed = true}, &err),
			 MF_CATALOGUE_DONE);
	assert_int_equal(requests(f), asked + 3);
	catalogue_text(f, "_manifesto", text);
	assert_null(strstr(text, digest_text(&r[0].blob)));
	assert_non_null(strstr(text, digest_text(&a2.blob)));
	assert_null(strstr(text, digest_text(&r[1].blob)));
	assert_ok(set_catalogue(f->s, NULL, 0, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_string_equal(text, "{\"images\":[]}");
}

static void catalogue_uses_a_configuration_that_was_stored_ahead(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_catalogue_record r[2] = {record_of(f, 1, "a", true), record_of(f, 2, "b", true)};
	for (int stored = 1; stored >= 0; stored--) {
		struct mf_buf config MF_BUF_CLEANUP = MF_BUF_INIT(4096);
		struct mf_digest digest;
		struct mf_catalogue_scope scope = {.changed = true, .config = &digest};
		size_t n = stored ? 2 : 1;
		assert_ok(mf_catalogue_config(r, n, &config, &err), err);
		if (stored)
			assert_ok(mf_blob_put_bytes(f->s, mf_buf_bytes(&config), &digest, &err), err);
		else
			assert_ok(mf_sha256(mf_buf_bytes(&config), &digest, &err), err);
		uint64_t asked = requests(f);
		assert_int_equal(mf_catalogue_set(f->s, r, n, scope, &err), MF_CATALOGUE_DONE);
		/* One that is not there after all: the tag is refused, then config and tag are written. */
		assert_in_range(requests(f) - asked, stored ? 1 : 4, stored ? 1 : 5);
		char text[4096];
		catalogue_text(f, "_manifesto", text);
		assert_string_equal(text, mf_buf_str(&config).p);
	}
	/* Of another catalogue: it is of no use. */
	struct mf_digest other = r[0].blob;
	struct mf_catalogue_scope scope = {.changed = true, .config = &other};
	uint64_t asked = requests(f);
	assert_int_equal(mf_catalogue_set(f->s, r, 2, scope, &err), MF_CATALOGUE_DONE);
	assert_int_equal(requests(f), asked + 3);
}

static void several_blobs_take_the_uploads_that_were_begun(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digests[3];
	struct mf_blob_source v[3] = {{.optional = true}};
	struct mf_spool *spools[3];
	uint64_t asked = requests(f);
	for (size_t i = 0; i < 3; i++) {
		spools[i] = mf_spool_new(64, &err);
		assert_non_null(spools[i]);
		char text[32];
		int n = snprintf(text, sizeof text, "one of several: %zu", i);
		assert_ok(mf_spool_add(spools[i], text, (size_t)n, &err), err);
		assert_ok(mf_spool_end(spools[i], &digests[i], &v[i].length, &err), err);
		v[i].blob = spools[i];
		v[i].digest = &digests[i];
	}
	mf_blobs_put_soon(f->s, 2);
	mf_blobs_put_soon(f->s, 1); /* which are begun already */
	assert_ok(mf_blobs_put(f->s, v, 3, &err), err);
	assert_int_equal(requests(f), asked + 6);
	bool there[3];
	assert_ok(mf_blobs_have(f->s, digests, 3, there, &err), err);
	for (size_t i = 0; i < 3; i++) {
		assert_true(v[i].done && there[i]);
		mf_spool_free(spools[i]);
	}
}

static void put_one(struct fixture *f, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest digest;
	assert_ok(mf_blob_put_bytes(f->s, mf_bytes_of(mf_str_c(text)), &digest, &err), err);
}

static void upload_that_is_left_over_is_the_next_one(void **state)
{
	struct fixture *f = *state;
	uint64_t asked = requests(f);
	mf_blobs_put_soon(f->s, 2);
	put_one(f, "takes one of two");
	mf_blobs_put_soon(f->s, 1); /* which is begun already */
	put_one(f, "takes the other one");
	assert_int_equal(requests(f), asked + 4);
	put_one(f, "begins its own");
	assert_int_equal(requests(f), asked + 6);
}

static void catalogue_lists_a_blob_once_for_each_role(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_catalogue_record r[3] = {record_of(f, 1, "a", true), record_of(f, 1, "a", true),
					   record_of(f, 1, "a", true)};
	r[0].role = "targets/qa";
	assert_ok(set_catalogue(f->s, r, 3, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_non_null(strstr(text, "\"role\":\"targets/qa\""));
	const char *first = strstr(text, "\"role\":\"targets\"");
	assert_non_null(first);
	assert_null(strstr(first + 1, "\"role\":\"targets\""));
}

/* What an immutable tag cannot do, one that is written once does. */
static void artifact_with_a_tag_of_its_own_survives_garbage_collection(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_descriptor d;
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0}, again MF_MANIFEST_CLEANUP = {0};
	char text[4096];
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	struct mf_digest subject = put_image(f->s, "v1", "layer"), blob = digest_of("kept");
	(void)put_artifact(f, &subject, "kept", &d);
	assert_ok(mf_manifest_get(f->s, &d.digest, &m, &err), err);
	struct mf_manifest_call *c = mf_catalogue_keep_begin(f->s, mf_buf_bytes(&m.bytes), &err);
	assert_non_null(c);
	assert_ok(mf_manifest_put_end(c, NULL, NULL, &err), err);
	collect_garbage();
	assert_ok(mf_manifest_get(f->s, &d.digest, &again, &err), err);
	assert_ok(get_blob(f->s, &blob, 4, text, &err), err);
	/* It is no image. */
	assert_ok(mf_tags_list(f->s, &tags, &err), err);
	assert_int_equal(tags.n, 1);
	/* Once it is deleted, it is gone; that it is gone is no failure. */
	for (int i = 0; i < 2; i++) {
		c = mf_manifest_delete_begin(f->s, &d.digest, &err);
		assert_non_null(c);
		assert_ok(mf_manifest_delete_end(c, &err), err);
	}
	assert_fails(mf_manifest_get(f->s, &d.digest, &again, &err), err, MF_E_NOT_FOUND);
}

static void calls_that_are_cancelled_leak_nothing(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d = digest_of("x");
	mf_manifest_call_cancel(mf_manifest_get_begin(f->s, "v1", &err));
	mf_manifest_call_cancel(mf_manifest_put_begin(f->s, "v1", "a/b", bytes_of("{}"), &err));
	mf_manifest_call_cancel(mf_manifest_delete_begin(f->s, &d, &err));
	mf_manifest_call_cancel(NULL);
	assert_int_equal(err.code, MF_OK);
}

static void catalogue_of_nothing_is_not_made(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	assert_ok(set_catalogue(f->s, NULL, 0, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_string_equal(text, "");
}

static void catalogue_flags_blobs_the_registry_lacks(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_catalogue_record r[2] = {record_of(f, 1, "there", true),
					   record_of(f, 2, "not there", false)};
	assert_ok(set_catalogue(f->s, r, 2, &err), err);
	catalogue_text(f, "_manifesto", text);
	const char *flag = strstr(text, "\"missing\":true");
	assert_non_null(flag);
	assert_null(strstr(flag + 1, "\"missing\":true"));
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_ok(mf_manifest_get_tag(f->s, "_manifesto", &m, &err), err);
	assert_non_null(strstr(m.bytes.p, digest_text(&r[0].blob)));
	assert_null(strstr(m.bytes.p, digest_text(&r[1].blob)));
	/* Once it is back the flag goes. */
	(void)put_blob(f->s, "not there");
	assert_ok(set_catalogue(f->s, r, 2, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_null(strstr(text, "missing"));
}

/* More of them than fit into a short error answer. */
static void catalogue_of_many_lost_blobs_can_be_written(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	enum { N = 1200 };
	struct mf_catalogue_record *r MF_FREE = mf_calloc(N, sizeof(*r));
	assert_non_null(r);
	for (unsigned i = 0; i < N; i++) {
		r[i] = record_of(f, i, "lost", false);
		assert_ok(mf_sha256((struct mf_bytes){(const uint8_t *)&i, sizeof i}, &r[i].blob, &err), err);
	}
	assert_ok(set_catalogue(f->s, r, N, &err), err);
	struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
	assert_ok(mf_manifest_get_tag(f->s, "_manifesto", &m, &err), err);
}

static void catalogue_tag_that_is_something_else_is_written_over(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_catalogue_record r = record_of(f, 1, "a", true);
	(void)put_image(f->s, "_manifesto", "an image");
	assert_ok(set_catalogue(f->s, &r, 1, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_non_null(strstr(text, digest_text(&r.blob)));
}

/* Thousands of records share a few blobs, so that the registry is not what is measured. */
static void catalogue_above_its_limit_is_split_and_joined_again(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	enum { N = MF_MAX_CATALOGUE_RECORDS + 1 };
	struct mf_catalogue_record *r MF_FREE = mf_calloc(N + 1, sizeof(*r));
	char text[4096], part_a[4096], part_b[4096], tag_a[32], tag_b[32];
	struct mf_digest blob = put_blob(f->s, "shared");
	assert_non_null(r);
	for (unsigned i = 0; i < N; i++) {
		r[i] = record_of(f, i, "shared", false);
		r[i].blob = blob;
		/* Two parts: few enough to keep the test short. */
		r[i].subject.b[0] = i < 2 ? 0xa0 : 0xb1;
	}
	assert_ok(set_catalogue(f->s, r, N, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_string_equal(text, "{\"images\":[],\"parts\":[\"_manifesto-a0\",\"_manifesto-b1\"]}");
	catalogue_text(f, "_manifesto-a0", part_a);
	assert_non_null(strstr(part_a, digest_text(&r[0].subject)));
	uint64_t before = sent(f);
	assert_ok(set_catalogue(f->s, r, N, &err), err);
	assert_int_equal(sent(f), before);
	/* One more part, beside the large one, which is left alone. */
	struct mf_catalogue_record more = record_of(f, N, "new", true);
	more.subject.b[0] = 0x03;
	r[N] = more;
	assert_ok(set_catalogue(f->s, r, N + 1, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_string_equal(
	    text, "{\"images\":[],\"parts\":[\"_manifesto-03\",\"_manifesto-a0\",\"_manifesto-b1\"]}");
	/* With the records of one part only that part is written; a part that is not there yet wants all. */
	bool parts[256] = {[0x03] = true, [0xa0] = true, [0xb1] = true}, given[256] = {[0xa0] = true};
	struct mf_catalogue_scope scope = {.parts = parts, .given = given, .changed = true};
	assert_int_equal(mf_catalogue_set(f->s, r, 1, scope, &err), MF_CATALOGUE_DONE);
	catalogue_text(f, "_manifesto-a0", part_a);
	assert_non_null(strstr(part_a, digest_text(&r[0].subject)));
	assert_null(strstr(part_a, digest_text(&r[1].subject)));
	catalogue_text(f, "_manifesto-03", part_b);
	assert_non_null(strstr(part_b, digest_text(&more.subject)));
	before = sent(f);
	parts[0x77] = given[0x77] = true;
	assert_int_equal(mf_catalogue_set(f->s, r, 1, scope, &err), MF_CATALOGUE_NEEDS_ALL);
	assert_int_equal(sent(f), before);
	/* Part by part it gets there, and the list names it when all are. */
	struct mf_catalogue_record last = record_of(f, N + 1, "last", true);
	const bool one[256] = {[0x77] = true}, none[256] = {false};
	last.subject.b[0] = 0x77;
	scope = (struct mf_catalogue_scope){.step = MF_CATALOGUE_PARTS, .given = one};
	assert_int_equal(mf_catalogue_set(f->s, &last, 1, scope, &err), MF_CATALOGUE_DONE);
	catalogue_text(f, "_manifesto-77", part_b);
	assert_non_null(strstr(part_b, digest_text(&last.subject)));
	catalogue_text(f, "_manifesto", text);
	assert_null(strstr(text, "_manifesto-77"));
	scope = (struct mf_catalogue_scope){.step = MF_CATALOGUE_LIST, .parts = parts, .given = none};
	assert_int_equal(mf_catalogue_set(f->s, NULL, 0, scope, &err), MF_CATALOGUE_DONE);
	catalogue_text(f, "_manifesto", text);
	assert_string_equal(text,
			    "{\"images\":[],\"parts\":[\"_manifesto-03\",\"_manifesto-77\",\"_manifesto-a0\","
			    "\"_manifesto-b1\"]}");
	assert_ok(set_catalogue(f->s, r, N, &err), err);
	/* Below the limit it is one again, and the parts keep nothing alive. */
	assert_ok(set_catalogue(f->s, r, 2, &err), err);
	catalogue_text(f, "_manifesto", text);
	assert_non_null(strstr(text, digest_text(&r[1].subject)));
	(void)snprintf(tag_a, sizeof(tag_a), "_manifesto-a0");
	(void)snprintf(tag_b, sizeof(tag_b), "_manifesto-b1");
	catalogue_text(f, tag_a, part_a);
	catalogue_text(f, tag_b, part_b);
	assert_string_equal(part_a, "{\"images\":[]}");
	assert_string_equal(part_b, "{\"images\":[]}");
}

static void catalogue_keeps_blobs_through_garbage_collection(void **state)
{
	struct fixture *f = *state;
	struct mf_err err = MF_ERR_INIT;
	char text[4096];
	struct mf_catalogue_record r = record_of(f, 1, "kept by the catalogue", true);
	struct mf_digest lost = put_blob(f->s, "kept by nobody");
	assert_ok(set_catalogue(f->s, &r, 1, &err), err);
	collect_garbage();
	assert_ok(get_blob(f->s, &r.blob, r.length, text, &err), err);
	assert_string_equal(text, "kept by the catalogue");
	assert_fails(get_blob(f->s, &lost, 14, text, &err), err, MF_E_CONTENT_GONE);
}

#define registry_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    registry_test(registry_blob_comes_back_and_a_large_one_is_sent_once),
	    registry_test(registry_large_blob_is_streamed_both_ways),
	    registry_test(registry_manifest_comes_back_by_tag_and_digest),
	    registry_test(registry_presence_of_many_is_told_one_by_one),
	    registry_test(registry_missing_things_have_their_codes),
	    registry_test(registry_manifest_with_missing_layers_names_them),
	    registry_test(referrers_index_adds_removes_and_keeps),
	    registry_test(referrers_index_is_written_only_when_it_changes),
	    registry_test(referrers_index_keeps_foreign_members_and_drops_dangling_entries),
	    registry_test(referrers_tag_that_is_an_image_is_not_written_over),
	    registry_test(catalogue_has_these_very_bytes_whatever_the_order),
	    registry_test(catalogue_has_what_is_given_and_nothing_else),
	    registry_test(catalogue_uses_a_configuration_that_was_stored_ahead),
	    registry_test(several_blobs_take_the_uploads_that_were_begun),
	    registry_test(upload_that_is_left_over_is_the_next_one),
	    registry_test(catalogue_lists_a_blob_once_for_each_role),
	    registry_test(artifact_with_a_tag_of_its_own_survives_garbage_collection),
	    registry_test(calls_that_are_cancelled_leak_nothing),
	    registry_test(catalogue_of_nothing_is_not_made),
	    registry_test(catalogue_flags_blobs_the_registry_lacks),
	    registry_test(catalogue_of_many_lost_blobs_can_be_written),
	    registry_test(catalogue_tag_that_is_something_else_is_written_over),
	    registry_test(catalogue_above_its_limit_is_split_and_joined_again),
	    registry_test(catalogue_keeps_blobs_through_garbage_collection),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
