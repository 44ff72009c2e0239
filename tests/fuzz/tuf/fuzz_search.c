/* The search for a target through any graph of delegations, beside a plain recursive walk of it.
 *
 * Octets: bound on roles visited, number of roles, role that has the target, bits of roles that the snapshot
 * does not list; then for each role its number of delegations, one octet each: child, terminating, kind of
 * paths. Role 0 is targets. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tuf/tuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROLES 12
#define MAX_EDGES 6
#define MAX_VISITS 16

struct edge {
	unsigned child, paths;
	bool terminating;
};

struct graph {
	size_t max;
	unsigned n, target, unlisted, nedges[MAX_ROLES];
	struct edge edges[MAX_ROLES][MAX_EDGES];
};

/* The name searched is "f"; its SHA-256 begins with 252f. */
static const char *const paths[] = {
    "\"paths\":[\"f\"]",
    "\"paths\":[\"x\",\"*\"]",
    "\"paths\":[\"g\",\"f?\",\"*/f\"]",
    "\"path_hash_prefixes\":[\"0\",\"25\"]",
    "\"path_hash_prefixes\":[\"3\"]",
    "\"paths\":[]",
    "\"paths\":[\"?\"]",
    "\"path_hash_prefixes\":[\"252f\"]",
};
static const bool allowed[] = {true, true, false, true, false, false, true, true};

static bool has_child(const struct graph *g, unsigned role, unsigned child)
{
	for (unsigned i = 0; i < g->nedges[role]; i++)
		if (g->edges[role][i].child == child)
			return true;
	return false;
}

static struct graph read_graph(const uint8_t *data, size_t size)
{
	struct graph g = {.max = data[0] % MAX_VISITS + 1, .n = data[1] % MAX_ROLES + 1};
	size_t at = 5;
	g.target = data[2] % (MAX_ROLES + 1); /* one that is not there: nobody has it */
	g.unlisted = data[3] | (unsigned)data[4] << 8;
	for (unsigned i = 0; i < g.n && at < size; i++) {
		unsigned want = data[at++] % (MAX_EDGES + 1);
		while (g.nedges[i] < want && at < size) {
			uint8_t b = data[at++];
			/* Nobody delegates to targets; a file that lists a role twice is malformed. */
			struct edge e = {1 + (b & 15U) % MAX_ROLES, b >> 5, b >> 4 & 1};
			if (e.child < g.n && !has_child(&g, i, e.child))
				g.edges[i][g.nedges[i]++] = e;
			else
				want--;
		}
	}
	return g;
}

/* ---- the plain walk */

struct walk {
	const struct graph *g;
	unsigned order[MAX_VISITS];
	size_t n;
	bool seen[MAX_ROLES], failed;
	int found; /* role, or -1 */
};

static bool is_listed(const struct graph *g, unsigned role)
{
	return !(g->unlisted >> role & 1);
}

/* True: the search has ended. */
static bool walk(struct walk *w, unsigned role)
{
	const struct graph *g = w->g;
	if (role == g->target) {
		w->found = (int)role;
		return true;
	}
	for (unsigned i = 0; i < g->nedges[role]; i++) {
		const struct edge *e = &g->edges[role][i];
		if (!allowed[e->paths])
			continue;
		if (!w->seen[e->child]) {
			if (!is_listed(g, e->child) || w->n == g->max)
				return w->failed = true;
			w->seen[e->child] = true;
			w->order[w->n++] = e->child;
			if (walk(w, e->child))
				return true;
		}
		if (e->terminating)
			return true;
	}
	return false;
}

/* ---- the files */

static struct mf_tuf_file *parse(enum mf_tuf_type type, const char *members)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text = MF_BUF_INIT(65536);
	int rc = mf_buf_printf(
	    &text, &err,
	    "{\"signatures\":[],\"signed\":{\"_type\":\"%s\",\"expires\":\"2030-01-01T00:00:00Z\","
	    "\"spec_version\":\"1.0.0\",\"version\":1,%s}}",
	    mf_dialect_tuf1.type_names[type], members);
	assert(rc == 0);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(&mf_dialect_tuf1, type, &text, &err);
	assert(f);
	return f;
}

static struct mf_tuf_file *role_file(const struct graph *g, unsigned role)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	int rc = mf_buf_printf(&text, &err, "\"targets\":{%s},\"delegations\":{\"keys\":{},\"roles\":[",
			       role == g->target ? "\"f\":{}" : "\"g\":{}");
	for (unsigned i = 0; i < g->nedges[role]; i++) {
		const struct edge *e = &g->edges[role][i];
		rc |= mf_buf_printf(
		    &text, &err, "%s{\"name\":\"%u\",\"keyids\":[],\"threshold\":1,\"terminating\":%s,%s}",
		    i ? "," : "", e->child, e->terminating ? "true" : "false", paths[e->paths]);
	}
	rc |= mf_buf_addz(&text, "]}", &err);
	assert(rc == 0);
	return parse(MF_TUF_TARGETS, text.p);
}

static struct mf_tuf_file *snapshot_file(const struct graph *g)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	int rc = mf_buf_addz(&text, "\"meta\":{\"targets.json\":{\"version\":1}", &err);
	for (unsigned i = 1; i < g->n; i++)
		if (is_listed(g, i))
			rc |= mf_buf_printf(&text, &err, ",\"%u.json\":{\"version\":1}", i);
	rc |= mf_buf_addz(&text, "}", &err);
	assert(rc == 0);
	return parse(MF_TUF_SNAPSHOT, text.p);
}

static void load(struct mf_tuf_set *s, const char *name, struct mf_tuf_file *f, const struct mf_tuf_edge *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_tuf_loaded *l = calloc(1, sizeof *l);
	int rc = mf_grow((void **)&s->roles, &s->cap, s->nroles, sizeof(struct mf_tuf_loaded *), &err);
	assert(l && rc == 0);
	*l = (struct mf_tuf_loaded){name, f, w ? w->role : NULL, w ? w->parent : NULL, NULL, INT64_MAX};
	s->roles[s->nroles++] = l;
}

/* ---- both */

/* The same set again: what the first search has loaded is used, nothing is asked for. */
static void search(struct mf_tuf_set *s, const struct graph *g, const struct walk *w, bool again)
{
	struct mf_tuf_search search;
	struct mf_tuf_edge wanted;
	struct mf_err err = MF_ERR_INIT;
	ptrdiff_t index = -1;
	size_t asked = 0;
	int rc;
	mf_tuf_search_init(&search, s, MF_STR("f"), g->max);
	while ((rc = mf_tuf_search_next(&search, &wanted, &index, &err)) > 0) {
		unsigned role = (unsigned)strtoul(wanted.role->name, NULL, 10);
		assert(!again && asked < w->n && role == w->order[asked]);
		load(s, wanted.role->name, role_file(g, role), &wanted);
		asked++;
	}
	assert(again || asked == w->n);
	assert((rc < 0) == w->failed && (rc == 0 || err.code == MF_E_FORMAT));
	if (rc == 0) {
		assert((index >= 0) == (w->found >= 0));
		const char *name = search.at->role;
		assert(index < 0 ||
		       (w->found == 0 ? strcmp(name, "targets") == 0 : strtol(name, NULL, 10) == w->found));
	}
	mf_tuf_search_clear(&search);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 5 || size > 256)
		return 0;
	struct graph g = read_graph(data, size);
	struct walk w = {.g = &g, .found = -1};
	struct mf_tuf_set s;
	(void)walk(&w, 0);
	mf_tuf_set_init(&s, &mf_dialect_tuf1, MF_STR(""), 0, NULL);
	s.snapshot = snapshot_file(&g);
	load(&s, "targets", role_file(&g, 0), NULL);
	search(&s, &g, &w, false);
	search(&s, &g, &w, true);
	mf_tuf_set_clear(&s);
	return 0;
}
