/* A client that runs out of memory, at every allocation in turn: it says so. Above all it does not take what
 * it could not check for absent or forged, and nothing half is left behind.
 *
 * The allocator is this program's; it stands before the C library's (or the sanitizer's). */
#include "../../support/oom.h"
#include "repository.h"

/* The repository has memory enough; what the client does with each piece has not. */
struct quiet_write {
	int (*write)(void *arg, const void *p, size_t n, struct mf_err *err);
	void *arg;
	bool armed;
};

static int armed_write(void *arg, const void *p, size_t n, struct mf_err *err)
{
	struct quiet_write *w = arg;
	oom.armed = w->armed;
	int rc = w->write(w->arg, p, n, err);
	oom.armed = false;
	return rc;
}

static int quiet_get(void *arg, const char *url, uint64_t max,
		     int (*write)(void *write_arg, const void *p, size_t n, struct mf_err *err),
		     void *write_arg, struct mf_err *err)
{
	struct quiet_write w = {write, write_arg, oom.armed};
	oom.armed = false;
	int rc = rp_get(arg, url, max, armed_write, &w, err);
	oom.armed = w.armed;
	return rc;
}

/* Refreshes and gets two targets; the n-th allocation fails (0: none). */
static enum mf_code attempt(struct rp *r, size_t n, struct mf_err *err)
{
	struct mf_target_dir place = {RP_TARGETS, r->targets, 100};
	struct mf_updater *u = NULL;
	mf_err_clear(err);
	mf_buf_reset(&r->requests);
	oom.seen = 0;
	oom.left = n ? n : SIZE_MAX;
	oom.failed = false;
	oom.armed = true;
	int rc = mf_updater_open(r->metadata, RP_METADATA, &r->fetcher, &r->env, &u, err);
	if (rc == 0)
		rc = mf_updater_refresh(u, err);
	if (rc == 0)
		rc = mf_updater_download(u, "f", &place, err);
	if (rc == 0)
		rc = mf_updater_download(u, "g", &place, err);
	mf_updater_close(u);
	oom.armed = false;
	assert_int_equal(rc < 0, err->code != MF_OK);
	return err->code;
}

static struct rp *repository(void **state, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	struct rp *r = rp_new(state, name);
	r->fetcher.get = quiet_get;
	rp_do(r, "hashes both; delegate targets A a 1 *; delegate A B b 1 g; target targets f hello; "
		 "target B g jello both; root");
	rp_ok(rp_init_client(r, &err), &err);
	return r;
}

static bool honest(enum mf_code code)
{
	return code == MF_E_NOMEM || code == MF_E_INTERNAL || code == MF_E_IO;
}

static void fail_each(struct rp *r, const char *what)
{
	struct mf_err err = MF_ERR_INIT;
	/* Asked for when nothing fails, and once to warm up what lives as long as the process. */
	assert_int_equal(attempt(r, 0, &err), MF_OK);
	size_t n = oom.seen;
	assert_int_equal(attempt(r, 0, &err), MF_OK);
	size_t warm = oom.seen;
	char *requests MF_FREE = strdup(rp_requests(r));
	if (n < warm)
		n = warm;
	for (size_t i = 1; i <= n; i++) {
		enum mf_code code = attempt(r, i, &err);
		if (!honest(code) && (code != MF_OK || strcmp(requests, rp_requests(r)) != 0))
			fail_msg("%s, allocation %zu of %zu: %s: %s; asked for %s", what, i, n,
				 mf_code_name(code), err.msg, rp_requests(r));
		assert_int_equal(attempt(r, 0, &err), MF_OK);
	}
}

/* Everything lies there already: whatever is fetched again was not evaluated. */
static void warm_client_out_of_memory_fetches_nothing_instead(void **state)
{
	struct rp *r RP_CLEANUP = repository(state, "r");
	fail_each(r, "warm");
}

static void cold_client_out_of_memory_says_so_and_goes_on_later(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	size_t n = 1;
	for (size_t i = 1; i <= n; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "%zu", i);
		struct rp *r RP_CLEANUP = repository(state, name);
		enum mf_code code = attempt(r, i, &err);
		n = oom.failed ? i + 1 : i;
		if (code != MF_OK && !honest(code))
			fail_msg("allocation %zu: %s: %s", i, mf_code_name(code), err.msg);
		assert_int_equal(attempt(r, 0, &err), MF_OK);
		rp_stored(r, &text); /* fails on anything that was not published */
		assert_string_equal(text.p, "A.1 B.1 root.1 snapshot.1 targets.1 timestamp.1");
		rp_got(r, &text);
		assert_string_equal(text.p, "f=hello g=jello");
		i += i / 8; /* all of the first, then some */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(warm_client_out_of_memory_fetches_nothing_instead),
	    tmpdir_test(cold_client_out_of_memory_says_so_and_goes_on_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
