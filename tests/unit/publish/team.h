/* A TUF 1.0 directory with a team, for the tests of roles. */
#ifndef TESTS_PUBLISH_TEAM_H
#define TESTS_PUBLISH_TEAM_H

#include "../trust/hostile.h"

#include "change.h"
#include "publish/roles.h"

struct team {
	struct world w;
	struct mf_pubkey *alice, *bob, *carol;
	struct mf_role_change last;
	struct mf_arena arena; /* of the last change */
};

static inline struct mf_pubkey *make_key(struct world *w, const char *name)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_key_info *k = mf_keystore_find(w->keys, name, &err);
	mf_err_clear(&err);
	if (!k)
		ok(mf_keystore_generate(w->keys, name, MF_KEY_ED25519, &k, &err), &err);
	return mf_pubkey_ref(k->pub);
}

/* A fresh view, with what this machine remembers. */
static inline void reopen(struct world *w)
{
	struct mf_err err = MF_ERR_INIT;
	mf_trust_close(w->trust);
	w->trust = NULL;
	ok(mf_trust_open(w->repo, "oci", NAME, &w->cfg, &w->trust, &err), &err);
}

static inline void team_make(struct team *t, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_publish_made made = {.arena = MF_ARENA_INIT};
	*t = (struct team){.arena = MF_ARENA_INIT};
	world_make(&t->w, state);
	reopen(&t->w);
	ok(mf_publish_first(t->w.trust, NULL, &made, &err), &err);
	mf_arena_clear(&made.arena);
	t->alice = make_key(&t->w, "alice");
	t->bob = make_key(&t->w, "bob");
	t->carol = make_key(&t->w, "carol");
}

static inline void team_drop(struct team *t)
{
	mf_arena_clear(&t->arena);
	mf_pubkey_unref(t->alice);
	mf_pubkey_unref(t->bob);
	mf_pubkey_unref(t->carol);
	world_drop(&t->w);
}

static const char *const qa_types[] = {"qa"};

static inline enum mf_found run_all(struct team *t, struct mf_role_change c, struct mf_err *err)
{
	mf_arena_clear(&t->arena);
	c.arena = &t->arena;
	c.image = "IMAGE";
	t->last = c;
	return mf_publish_roles(t->w.trust, &t->last, err);
}

static inline enum mf_found run(struct team *t, struct mf_role_request r, struct mf_err *err)
{
	return run_all(t, (struct mf_role_change){.requests = &r, .n = 1}, err);
}

static inline struct mf_role_request add(const char *role, struct mf_pubkey *const *keys, size_t n)
{
	return (struct mf_role_request){
	    .verb = MF_ROLE_ADD, .role = role, .keys = keys, .nkeys = n, .types = qa_types, .ntypes = 1};
}

static inline struct mf_role_request drop(const char *role, struct mf_pubkey *const *keys, size_t n)
{
	return (struct mf_role_request){.verb = MF_ROLE_DROP, .role = role, .keys = keys, .nkeys = n};
}

static inline void does(struct team *t, struct mf_role_request r, int want)
{
	struct mf_err err = MF_ERR_INIT;
	int rc = run(t, r, &err);
	ok(rc, &err);
	assert_int_equal(rc, want);
}

static inline enum mf_code refuses(struct team *t, struct mf_role_request r)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(run(t, r, &err), -1);
	return err.code;
}

static inline bool told(const struct team *t, const char *what)
{
	for (size_t i = 0; i < t->last.nchanges; i++)
		if (strcmp(t->last.changes[i].what, what) == 0)
			return true;
	return false;
}

/* One publish in a role, signed as `name` prefers. */
static inline void put_as(struct team *t, const char *role, const char *name)
{
	const struct mf_tuf_edit edit = {
	    MF_STR("qa/x"), MF_STR("{\"hashes\":{\"sha256\":"
				   "\"0000000000000000000000000000000000000000000000000000000000000000\"},"
				   "\"length\":1}")};
	struct mf_err err = MF_ERR_INIT;
	int64_t version;
	t->w.cfg.key_name = name;
	ok(publish_change(t->w.trust, (struct mf_publish_change){.role = role, .edits = &edit, .nedits = 1},
			  &version, &err),
	   &err);
	t->w.cfg.key_name = "alice";
}

static char order[256];
static const struct mf_repo_ops *real;

static inline int spy_publish(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
			      const struct mf_bytes *base, struct mf_err *err)
{
	order[0] = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(order);
		(void)snprintf(order + at, sizeof order - at, "%s%s", i ? " " : "", files[i].role);
	}
	return real->publish(r, files, n, base, err);
}

static struct mf_repo_ops spy;

static inline void watch(struct team *t)
{
	reopen(&t->w);
	real = t->w.trust->repo->ops;
	spy = *real;
	spy.publish = spy_publish;
	t->w.trust->repo->ops = &spy;
}

#endif
