/* The index of a targets file, changed by somebody who can write to the cache: what it finds is what the file
 * had when it was verified, or it is not used.
 *
 * Changes, six octets each: where (four octets; the highest bit: in the file), and what is XORed to the two
 * octets there. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "tuf/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SUBJECTS 150

static struct mf_buf index_text = MF_BUF_INIT(1 << 20), file_text = MF_BUF_INIT(1 << 20);
static struct mf_tuf_file *whole;
static struct mf_tuf_set set;
static const uint8_t machine[MF_MAC] = {1};

static bool read_at(void *arg, enum mf_index_part part, uint64_t at, void *p, size_t n)
{
	const struct mf_buf *b = (struct mf_buf *)arg + part;
	if (at > b->n || n > b->n - at)
		return false;
	memcpy(p, b->p + at, n);
	return true;
}

static struct mf_digest subject_of(unsigned i)
{
	struct mf_digest d = {{0}};
	struct mf_err err = MF_ERR_INIT;
	int rc = mf_sha256((struct mf_bytes){(const uint8_t *)&i, sizeof i}, &d, &err);
	assert(rc == 0);
	return d;
}

static struct mf_tuf_file *parse(struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(1 << 20);
	int rc = mf_buf_add_str(&b, text, &err);
	assert(rc == 0);
	return mf_tuf_parse_unverified(&mf_dialect_notary, MF_TUF_TARGETS, &b, &err);
}

static struct mf_index *bind(void)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_index *x = mf_index_new(&(struct mf_index_bound){{machine, MF_MAC}, &set, NULL}, &err);
	assert(x);
	return x;
}

static void make_index(void)
{
	static struct mf_tuf_meta meta = {.name = {"targets", 7}, .has_sha256 = true};
	static struct mf_tuf_file root = {.bytes = MF_BUF_INIT(8)}, snapshot = {.meta = &meta, .nmeta = 1};
	struct mf_err err = MF_ERR_INIT;
	char pad[500];
	memset(pad, 'x', sizeof pad);
	int rc = mf_buf_addz(&file_text,
			     "{\"signed\":{\"_type\":\"Targets\",\"delegations\":{\"keys\":{},\"roles\":[]},"
			     "\"expires\":\"2030-01-01T00:00:00Z\",\"targets\":{",
			     &err);
	for (unsigned i = 0; i < SUBJECTS; i++) {
		char hex[65];
		struct mf_digest d = subject_of(i);
		mf_digest_hex(hex, &d);
		rc |= mf_buf_printf(&file_text, &err, "%s\"note/sha256-%s\":{\"custom\":\"%.*s\"}",
				    i ? "," : "", hex, (int)sizeof pad, pad);
	}
	rc |= mf_buf_addz(&file_text, "},\"version\":7},\"signatures\":[]}", &err);
	assert(rc == 0);
	set = (struct mf_tuf_set){
	    .d = &mf_dialect_notary, .gun = MF_STR("a"), .root = &root, .snapshot = &snapshot};
	whole = parse(mf_buf_str(&file_text));
	assert(whole);
	struct mf_index *x = bind();
	enum mf_found found = mf_index_write(x, whole, &index_text, &err);
	assert(found == MF_FOUND);
	mf_index_free(x);
}

static void check(struct mf_tuf_file *f, const struct mf_index_source *from, unsigned i)
{
	struct mf_err err = MF_ERR_INIT;
	const struct mf_digest d = subject_of(i);
	size_t at, to;
	enum mf_found found = mf_index_find(f, from, &d, &err);
	assert(found != MF_FAILED);
	if (found == MF_ABSENT)
		return;
	mf_tuf_targets_of(f, &d, &at, &to);
	assert(to - at == (i < SUBJECTS));
	if (at == to)
		return;
	ptrdiff_t k = mf_tuf_target_find(whole, mf_tuf_target_name(f, at).raw);
	assert(k >= 0 && mf_str_eq(mf_tuf_target_value(f, at), mf_tuf_target_value(whole, (size_t)k)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf now[2] = {MF_BUF_INIT(1 << 20), MF_BUF_INIT(1 << 20)};
	struct mf_buf head MF_BUF_CLEANUP = MF_BUF_INIT(1 << 20);
	const struct mf_index_source from = {read_at, now};
	if (!whole)
		make_index();
	int rc = mf_buf_add_str(&now[MF_INDEX_INDEX], mf_buf_str(&index_text), &err) |
		 mf_buf_add_str(&now[MF_INDEX_FILE], mf_buf_str(&file_text), &err);
	assert(rc == 0);
	for (size_t i = 0; i + 6 <= size; i += 6) {
		struct mf_buf *b = &now[data[i] >> 7 ? MF_INDEX_FILE : MF_INDEX_INDEX];
		size_t at = ((size_t)(data[i] & 127) << 24 | (size_t)data[i + 1] << 16 |
			     (size_t)data[i + 2] << 8 | data[i + 3]) %
			    (b->n - 1);
		b->p[at] = (char)(b->p[at] ^ data[i + 4]);
		b->p[at + 1] = (char)(b->p[at + 1] ^ data[i + 5]);
	}
	struct mf_index *x = bind();
	enum mf_found found = mf_index_open(x, &from, &head, &err);
	assert(found != MF_FAILED);
	if (found == MF_FOUND) {
		struct mf_tuf_file *f = parse(mf_buf_str(&head));
		assert(f && f->version == 7);
		f->index = x;
		x = NULL;
		for (unsigned i = 0; i < SUBJECTS + 10; i++)
			check(f, &from, i);
		mf_tuf_file_free(f);
	}
	mf_index_free(x);
	mf_buf_clear(&now[0]);
	mf_buf_clear(&now[1]);
	return 0;
}
