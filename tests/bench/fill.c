/* fill IMAGE N HOME CACHE TRUST_SERVER FILE [SUBJECTS]: publishes N records of type "bench" in one step, each
 * with a description and a record signature as `put` makes them. SUBJECTS is a file with N digests
 * (sha256:HEX), one on each line; without it the subjects are made up. The repository must exist and its
 * targets key must be in HOME without a passphrase. FILE is the content of all records and must have been put
 * before: only the trust metadata is stored. */
#include <stdio.h>

#include "crypto/hash.h"
#include "store/file.h"
#include "ops/ops.h"
#include "publish/publish.h"

struct fill {
	size_t n;
	struct mf_tuf_edit *edits; /* in the arena, like their texts */
	struct mf_arena *arena;
	struct mf_image *im;
	struct mf_digest content;
	uint64_t length;
	FILE *subjects; /* NULL: made up */
};

static int die(const char *what)
{
	(void)fprintf(stderr, "fill: %s\n", what);
	return 1;
}

static int cmp(const void *a, const void *b)
{
	const struct mf_tuf_edit *x = a, *y = b;
	return mf_str_cmp(x->name, y->name);
}

static int subject_of(const struct fill *f, size_t i, struct mf_digest *out, struct mf_err *err)
{
	char line[80];
	if (!f->subjects)
		return mf_sha256((struct mf_bytes){(const uint8_t *)&i, sizeof i}, out, err);
	if (!fgets(line, sizeof line, f->subjects) || strlen(line) != 72)
		return mf_fail(err, MF_E_FORMAT, 0, "subject %zu: expected a digest and a line feed", i);
	return mf_digest_parse(out, (struct mf_str){line, 71}, err);
}

/* Of a repository that has shards already, those of the given subjects will do: their first digits, each
 * once.
 */
static int first_digits(struct fill *f, const char *list[17], struct mf_err *err)
{
	static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7",
					     "8", "9", "a", "b", "c", "d", "e", "f"};
	bool seen[16] = {false};
	struct mf_digest d;
	for (size_t i = 0; i < f->n; i++) {
		if (subject_of(f, i, &d, err) < 0)
			return -1;
		seen[d.b[0] >> 4] = true;
	}
	for (size_t i = 0, n = 0; i < 16; i++)
		if (seen[i])
			list[n++] = digits[i];
	if (f->subjects)
		rewind(f->subjects);
	return 0;
}

static int make_edit(const struct fill *f, struct mf_trust *t, struct mf_signer *s, size_t i,
		     struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(512), entry MF_BUF_CLEANUP = MF_BUF_INIT(65536),
			   payload MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	struct mf_buf sig MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	struct mf_digest subject, fp = mf_pubkey_fingerprint(s->pub);
	struct mf_record_fields fields = {.created = 1767225600 + (int64_t)i,
					  .media_type = "application/json",
					  .author = "Bench Mark <bench@example.com>"};
	json_t *tree MF_JSON_CLEANUP = mf_record_make(&fields, err);
	if (!tree || subject_of(f, i, &subject, err) < 0 ||
	    mf_record_name(&name, MF_STR("bench"), &subject, err) < 0)
		return -1;
	struct mf_record_binding b = {.repository = mf_trust_gun(t),
				      .name = mf_buf_str(&name),
				      .length = f->length,
				      .sha256 = f->content};
	if (mf_record_payload(&payload, &b, tree, err) < 0 ||
	    s->sign(s->arg, mf_record_scheme(s->pub), mf_buf_bytes(&payload), &sig, err) != 0 ||
	    mf_record_add_sig(tree, &fp, mf_buf_bytes(&sig), err) < 0 ||
	    mf_buf_addz(&entry, "{\"custom\":", err) < 0 || mf_record_custom(&entry, tree, err) < 0 ||
	    mf_buf_addz(&entry, ",\"hashes\":{\"sha256\":", err) < 0 ||
	    mf_tuf_put_hash(mf_trust_dialect(t), (struct mf_bytes){f->content.b, 32}, &entry, err) < 0 ||
	    mf_buf_printf(&entry, err, "},\"length\":%ju}", (uintmax_t)f->length) < 0)
		return -1;
	const char *kept_name = mf_arena_dup(f->arena, mf_buf_str(&name), err);
	const char *kept_entry = mf_arena_dup(f->arena, mf_buf_str(&entry), err);
	if (!kept_name || !kept_entry)
		return -1;
	f->edits[i] = (struct mf_tuf_edit){mf_str_c(kept_name), mf_str_c(kept_entry)};
	return 0;
}

static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct fill *f = arg;
	struct mf_signer s;
	if (mf_publish_signer(t, mf_trust_role(t, "targets"), &s, NULL, err) < 0)
		return MF_FAILED;
	for (size_t i = 0; i < f->n; i++)
		if (make_edit(f, t, &s, i, err) < 0)
			return MF_FAILED;
	qsort(f->edits, f->n, sizeof *f->edits, cmp);
	*out = (struct mf_publish_change){.role = "targets", .edits = f->edits, .nedits = f->n};
	return MF_FOUND;
}

int main(int argc, char **argv)
{
	if (argc != 7 && argc != 8)
		return die("usage: fill IMAGE N HOME CACHE TRUST_SERVER FILE [SUBJECTS]");
	struct manifesto_options o = MANIFESTO_INIT(manifesto_options);
	struct manifesto_error error;
	struct manifesto *m;
	struct mf_image im;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf content MF_BUF_CLEANUP = MF_BUF_INIT(65536);
	int64_t version;
	o.home = argv[3];
	o.cache_dir = argv[4];
	o.trust_server = *argv[5] ? argv[5] : NULL;
	o.aws_endpoint_url = getenv("AWS_ENDPOINT_URL_S3");
	o.aws_region = getenv("AWS_REGION");
	o.aws_access_key_id = getenv("AWS_ACCESS_KEY_ID");
	o.aws_secret_access_key = getenv("AWS_SECRET_ACCESS_KEY");
	if (manifesto_new(&o, &m, &error) < 0)
		return die(error.message);
	mf_op_begin(m, &error);
	if (mf_file_read(argv[6], 65536, &content, &err) < 0)
		return die(err.msg);
	struct mf_arena arena MF_ARENA_CLEANUP = MF_ARENA_INIT;
	struct fill f = {.arena = &arena, .n = (size_t)strtoul(argv[2], NULL, 10), .im = &im};
	if (argc == 8) {
		f.subjects = fopen(argv[7], "r");
		if (!f.subjects)
			return die("cannot read SUBJECTS");
	}
	const char *digits[17] = {NULL};
	if (first_digits(&f, digits, &err) < 0)
		return die(err.msg);
	const struct mf_publish_intent in = {
	    .prefix = MF_STR("bench/"), .subjects = digits, .fill = fill, .arg = &f};
	f.edits = mf_arena_alloc(&arena, f.n, sizeof *f.edits, &err);
	f.length = content.n;
	if (!f.edits || mf_sha256(mf_buf_bytes(&content), &f.content, &err) < 0 ||
	    mf_image_open(&im, m, argv[1], &err) < 0 || mf_publish_run(im.trust, &in, &version, &err) < 0)
		return die(err.msg);
	if (f.subjects)
		(void)fclose(f.subjects);
	mf_image_close(&im);
	manifesto_free(m);
	return 0;
}
