/* The `custom` of a target entry: whatever is read survives being written, keeps to its limits, and is signed
 * by nobody. The first bytes are tried as a target name, too. */
#include <assert.h>

#include "base/limits.h"
#include "record/promoted.h"

#define MAX ((size_t)1 << 24)
#define ORIGINAL_NAME "qa-approval/sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct mf_str name)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(1024);
	struct mf_str type;
	struct mf_digest subject;
	if (!mf_record_name_parse(name, &type, &subject))
		return;
	assert(mf_record_type_check(type, &err) == 0);
	if (mf_record_name(&again, type, &subject, &err) < 0)
		abort();
	assert(mf_str_eq(mf_buf_str(&again), name));
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_again(const struct mf_record *r)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MAX), text2 MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	struct mf_record back MF_RECORD_CLEANUP = {0};
	if (mf_record_custom(&text, r->tree, &err) < 0) {
		assert(err.code == MF_E_FORMAT); /* a fraction has no canonical form */
		return;
	}
	int rc = mf_record_parse(&back, mf_buf_str(&text), &err);
	if (rc < 0) /* canonical form holds control characters as they are, which JSON does not */
		return;
	assert(rc == 1 && back.created == r->created && back.expires == r->expires && back.nsigs == r->nsigs);
	assert(back.withdrawn == r->withdrawn && back.has_artifact == r->has_artifact);
	assert(same_text(back.author, r->author) && same_text(back.reason, r->reason));
	if (mf_record_custom(&text2, back.tree, &err) < 0)
		abort();
	assert(mf_str_eq(mf_buf_str(&text), mf_buf_str(&text2)));
}

/* Whatever is accepted was signed, and is promoted once more unless it is too deep or large. */
static void check_originals(const struct mf_record *r)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_originals all MF_ORIGINALS_CLEANUP = {0};
	struct mf_record_binding b = {.repository = "prod.example.com/app",
				      .name = MF_STR(ORIGINAL_NAME),
				      .length = 9,
				      .sha256 = {{7}}};
	if (mf_originals_read(r, &b, &all, &err) < 0) {
		assert(err.code == MF_E_FORMAT || err.code == MF_E_SIGNATURE);
		return;
	}
	for (size_t i = 0; i < all.n; i++)
		assert(all.v[i].nkeys && all.v[i].depth >= 1 && all.v[i].depth <= MF_MAX_PROMOTIONS);
	const struct mf_origin from = {
	    .dialect = "tuf1", .role = "r", .version = 1, .binding = b, .record = r};
	json_t *made MF_JSON_CLEANUP = mf_record_promote(&from, 1, NULL, &err);
	assert(!made); /* nobody signed it */
}

static void check_signers(const struct mf_record *r)
{
	static const uint8_t raw[32] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd,
					0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5,
					0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8};
	struct mf_err err = MF_ERR_INIT;
	struct mf_pubkey *key MF_PUBKEY_CLEANUP = mf_pubkey_from_ed25519((struct mf_bytes){raw, 32}, &err);
	struct mf_record_binding b = {.repository = "nobody signed for this", .name = MF_STR("a/b")};
	bool valid = true;
	assert(key);
	if (mf_record_signers(r, &b, &key, 1, &valid, &err) < 0)
		assert(err.code == MF_E_FORMAT);
	assert(!valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_record r MF_RECORD_CLEANUP = {0};
	struct mf_str text = {(const char *)data, size};
	check_name(text);
	int rc = mf_record_parse(&r, text, &err);
	if (rc <= 0) {
		assert(!r.tree && (rc == 0 || err.code == MF_E_FORMAT));
		return 0;
	}
	assert(r.nsigs <= MF_MAX_SIGNATURES);
	check_again(&r);
	check_signers(&r);
	check_originals(&r);
	return 0;
}
