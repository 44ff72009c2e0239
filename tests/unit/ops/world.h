/* One image in an OCI layout, a home and a clock that the test sets: what tests of operations start from. */
#ifndef TESTS_UNIT_OPS_WORLD_H
#define TESTS_UNIT_OPS_WORLD_H

#include "../store/tmpdir.h"

#include "crypto/hash.h"
#include "manifesto/manifesto.h"
#include "store/file.h"

#define DAY 86400
#define MANIFEST "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}"

struct world {
	char *dir, *home, *cache, *image, *layout;
	int64_t now, timeout_ms; /* 0: 20 s */
	struct manifesto *m;
	int (*meanwhile)(struct world *w); /* called while operations run; NULL: not */
};

static inline int world_cancelled(void *arg)
{
	struct world *w = arg;
	return w->meanwhile ? w->meanwhile(w) : 0;
}

static inline int64_t world_now(void *arg)
{
	return ((struct world *)arg)->now;
}

static inline void open_as(struct world *w, const char *home, const char *key)
{
	struct manifesto_error err;
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	free(w->home);
	w->home = mf_path_join(w->dir, home, NULL);
	o.home = w->home;
	o.cache_dir = w->cache;
	o.no_passphrase = 1;
	o.default_key_name = key;
	o.now = world_now;
	o.now_arg = w;
	o.timeout_ms = w->timeout_ms ? w->timeout_ms : 20000;
	o.cancelled = world_cancelled;
	o.cancel_arg = w;
	manifesto_free(w->m);
	if (manifesto_new(&o, &w->m, &err) < 0)
		fail_msg("%s", err.message);
}

static inline void write_in(const char *dir, const char *name, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	char *path = mf_path_join(dir, name, NULL), *slash = strrchr(path, '/');
	*slash = 0;
	assert_int_equal(mf_dir_make(path, 0755, &err), 0);
	*slash = '/';
	assert_int_equal(mf_file_write(path, mf_bytes_of(text), 0644, &err), 0);
	free(path);
}

static inline void world_make(struct world *w, void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_digest d;
	char hex[65], name[100], index[400];
	*w = (struct world){.dir = *state, .now = 1800000000};
	w->cache = mf_path_join(w->dir, "cache", NULL);
	w->layout = mf_path_join(w->dir, "image", NULL);
	w->image = malloc(strlen(w->layout) + 10);
	(void)sprintf(w->image, "oci:%s:1.0", w->layout);
	assert_int_equal(mf_sha256(mf_bytes_of(MF_STR(MANIFEST)), &d, &err), 0);
	mf_digest_hex(hex, &d);
	(void)snprintf(name, sizeof name, "blobs/sha256/%s", hex);
	(void)snprintf(index, sizeof index,
		       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/"
		       "vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\","
		       "\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"1.0\"}}]}",
		       hex, strlen(MANIFEST));
	write_in(w->layout, "oci-layout", MF_STR("{\"imageLayoutVersion\":\"1.0.0\"}"));
	write_in(w->layout, name, MF_STR(MANIFEST));
	write_in(w->layout, "index.json", mf_str_c(index));
	open_as(w, "home", "alice");
}

static inline void world_drop(struct world *w)
{
	manifesto_free(w->m);
	free(w->home);
	free(w->cache);
	free(w->image);
	free(w->layout);
}

static inline struct manifesto_change_options put_of(const struct world *w, const char *text)
{
	struct manifesto_change_options o = MANIFESTO_INIT(manifesto_change_options);
	o.image = w->image;
	o.type = "qa";
	o.data = text;
	o.data_length = strlen(text);
	o.init = 1;
	return o;
}

struct outcome {
	int status, unchanged;
	int64_t version;
};

static inline struct outcome put(struct world *w, const struct manifesto_change_options *o)
{
	struct manifesto_error err;
	const struct manifesto_change_result *r = NULL;
	if (manifesto_put(w->m, o, &r, &err) < 0)
		return (struct outcome){.status = err.status};
	struct outcome out = {0, r->items[0]->unchanged, r->version};
	manifesto_result_free(r);
	return out;
}

static inline int collect(void *arg, const void *p, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	return mf_buf_add(arg, p, n, &err);
}

/* Status; what was handed out must be `expected`, nothing with NULL. */
static inline int get(struct world *w, const char *expected)
{
	struct manifesto_error err;
	const struct manifesto_get_result *r = NULL;
	struct manifesto_get_options o = MANIFESTO_INIT(manifesto_get_options);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	o.image = w->image;
	o.type = "qa";
	o.write = collect;
	o.write_arg = &b;
	int rc = manifesto_get(w->m, &o, &r, &err) < 0 ? err.status : 0;
	if (rc == 0)
		manifesto_result_free(r);
	assert_string_equal(mf_buf_str(&b).p, expected ? expected : "");
	return rc;
}

#endif
