/* Repositories with a past, and what a walk over it reports. */
#ifndef TESTS_UNIT_TRUST_HISTORY_H
#define TESTS_UNIT_TRUST_HISTORY_H

#include "hostile.h"

#include "trust/history.h"

#define QA_NAME "qa/sha256-0700000000000000000000000000000000000000000000000000000000000000"

static const char *const state_names[] = {"ok", "not-kept", "not-read", "invalid", "dropped", "unproven"};

/* What a walk reports, a line a version: "targets 3 ok by root 1". */
struct told {
	char text[8192];
	size_t at;
	int64_t seen;
	size_t nsigners, nagain;
	bool covers; /* the last verified one may hold QA_NAME */
	int stop;    /* after so many calls; 0: never */
};

static inline int tell(void *arg, const struct mf_version *v, struct mf_err *err)
{
	struct told *t = arg;
	char range[48] = "";
	t->nagain += v->again;
	if (v->again) {
		assert_int_equal(v->state, MF_VERSION_VERIFIED);
		t->covers = mf_tuf_loaded_covers(v->set->d, v->loaded, MF_STR(QA_NAME));
		return 0;
	}
	if (v->first != v->last)
		(void)snprintf(range, sizeof range, "-%lld", (long long)v->last);
	int n = snprintf(t->text + t->at, sizeof t->text - t->at, "%s %lld%s %s%s", v->role,
			 (long long)v->first, range, state_names[v->state], v->baseline ? " before" : "");
	t->at += (size_t)n;
	if (v->state == MF_VERSION_VERIFIED) {
		n = snprintf(t->text + t->at, sizeof t->text - t->at, " by %s %lld", v->delegator,
			     (long long)v->delegator_version);
		t->at += (size_t)n;
		assert_int_equal(v->loaded->file->version, v->last);
		assert_int_equal(v->set->nroles, 1);
		t->covers = mf_tuf_loaded_covers(v->set->d, v->loaded, MF_STR(QA_NAME));
		t->nsigners = v->nsigners;
	} else {
		assert_true(!v->loaded && !v->set);
		assert_int_equal(v->why != NULL,
				 v->state == MF_VERSION_INVALID || v->state == MF_VERSION_UNPROVEN);
		if (v->state == MF_VERSION_DROPPED)
			t->at += (size_t)snprintf(t->text + t->at, sizeof t->text - t->at, " by %s %lld",
						  v->delegator, (long long)v->delegator_version);
	}
	t->seen = v->seen;
	assert_true(t->at + 1 < sizeof t->text);
	t->text[t->at++] = '\n';
	t->text[t->at] = 0;
	return t->stop && --t->stop == 0 ? mf_fail(err, MF_E_CANCELLED, 0, "enough") : 0;
}

static inline struct told walk_query(struct world *w, struct mf_history_query q, enum mf_code want)
{
	struct told t = {.at = 0};
	struct mf_err err = MF_ERR_INIT;
	q.fn = tell;
	q.arg = &t;
	if (!q.limit)
		q.limit = 100;
	int rc = mf_trust_history(w->trust, &q, &err);
	if (want == MF_OK)
		ok(rc, &err);
	else
		assert_int_equal(rc, -1);
	assert_int_equal(err.code, want);
	return t;
}

static inline void tells(struct world *w, struct mf_history_query q, const char *want)
{
	struct told t = walk_query(w, q, MF_OK);
	assert_string_equal(t.text, want);
}

/* ---- a repository with a life */

struct life {
	struct world w;
	struct hkey root, online, other, qa, qa2;
};

static inline void life_make(struct life *l, void **state)
{
	world_make(&l->w, state);
	l->root = key_new();
	l->online = key_new();
	l->other = key_new();
	l->qa = key_new();
	l->qa2 = key_new();
	struct hkey *rs[] = {&l->root};
	write_root(&l->w, 1, &l->root, &l->online, rs, 1);
	pin(&l->w, &l->root.fp);
}

static inline void life_drop(struct life *l)
{
	key_drop(&l->root);
	key_drop(&l->online);
	key_drop(&l->other);
	key_drop(&l->qa);
	key_drop(&l->qa2);
	world_drop(&l->w);
}

static inline void load(struct life *l)
{
	assert_int_equal(load_how(&l->w, false, ""), MF_OK);
}

/* targets versions 1 to n by the online key. */
static inline void life_targets(struct life *l, int64_t n)
{
	for (int64_t v = 1; v <= n; v++)
		write_rest(&l->w, v, &l->online);
	load(l);
}

static inline void read_file(struct life *l, const char *name, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(l->w.repo, name, NULL);
	mf_buf_clear(out);
	ok(mf_file_read(path, out->max, out, &err), &err);
	free(path);
}

static inline void copy_file(struct life *l, const char *from, const char *to)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	read_file(l, from, &b);
	write_in(l->w.repo, to, mf_buf_str(&b));
}

static inline void spoil(struct life *l, const char *name)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	read_file(l, name, &b);
	char *at = strstr(b.p, "\"expires\":\"20");
	assert_non_null(at);
	at[strlen("\"expires\":\"20")]++;
	write_in(l->w.repo, name, mf_buf_str(&b));
}

/* targets lists "qa" with keys a and (unless NULL) b. */
static inline const char *delegate(char out[4096], const struct hkey *a, const struct hkey *b, int threshold,
				   const char *path)
{
	const struct hkey *first = !b || strcmp(a->id, b->id) < 0 ? a : b, *second = first == a ? b : a;
	char keys[2048];
	if (b)
		(void)snprintf(keys, sizeof keys, "\"%s\":%s,\"%s\":%s", first->id, first->object.p,
			       second->id, second->object.p);
	else
		(void)snprintf(keys, sizeof keys, "\"%s\":%s", a->id, a->object.p);
	(void)snprintf(out, 4096,
		       "{\"keys\":{%s},\"roles\":[{\"keyids\":[\"%s\"%s%s%s],\"name\":\"qa\",\"paths\":["
		       "\"%s\"],\"terminating\":false,\"threshold\":%d}]}",
		       keys, a->id, b ? ",\"" : "", b ? b->id : "", b ? "\"" : "", path, threshold);
	return out;
}

static inline void write_both(struct life *l, int64_t version, const char *delegations, struct hkey *qa,
			      struct hkey *cosigner)
{
	struct hrole roles[] = {
	    {.role = "targets", .version = version, .key = &l->online, .delegations = delegations},
	    {.role = "qa", .version = version, .key = qa, .cosigner = cosigner},
	};
	write_all(&l->w, roles, 2, version, &l->online);
}

#define T(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_drop)

#endif
