/* What the strict reader accepts, jansson accepts, and our tree of it is the same as its own; what the reader
 * calls canonical, the writer leaves as it is; canonical text without control characters is its own canonical
 * form; a jansson tree has the same one. */
#include <assert.h>

#include "json/json.h"
#include "json/writer.h"

#define MAX ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_control(struct mf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 32)
			return true;
	return false;
}

static bool read_doc(struct mf_bytes doc, bool *canonical)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	mf_json_reader_init(&r, doc);
	if (mf_json_skip(&r, NULL, &err) < 0 || mf_json_end(&r, &err) < 0) {
		assert(err.code == MF_E_FORMAT);
		return false;
	}
	*canonical = mf_json_canonical_since(&r, 0);
	return true;
}

/* Canonical bytes are copied without being written again: a space in front prevents that. */
static int canonicalize_slowly(struct mf_str text, struct mf_buf *out)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf in MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	if (mf_buf_addc(&in, ' ', &err) < 0 || mf_buf_add_str(&in, text, &err) < 0)
		abort();
	return mf_json_canonicalize(mf_buf_str(&in), out, &err);
}

static void check_canonical(struct mf_str canonical)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf again MF_BUF_CLEANUP = MF_BUF_INIT(MAX), wire MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	struct mf_buf back MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	bool canonical_again = false;
	if (has_control(canonical)) {
		assert(mf_json_wire(canonical, &wire, &err) < 0);
		return;
	}
	assert(read_doc(mf_bytes_of(canonical), &canonical_again) && canonical_again);
	assert(canonicalize_slowly(canonical, &again) == 0);
	assert(mf_str_eq(mf_buf_str(&again), canonical));
	assert(mf_json_wire(canonical, &wire, &err) == 0);
	assert(canonicalize_slowly(mf_buf_str(&wire), &back) == 0);
	assert(mf_str_eq(mf_buf_str(&back), canonical));
}

static void check_tree(const json_t *j, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf dumped MF_BUF_CLEANUP = MF_BUF_INIT(MAX), direct MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	if (mf_json_dump_canonical(j, &dumped, &err) < 0)
		return;
	assert(canonicalize_slowly(text, &direct) == 0);
	assert(mf_str_eq(mf_buf_str(&dumped), mf_buf_str(&direct)));
}

static void check_quote(struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf quoted MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	bool canonical;
	struct mf_json_out j;
	mf_json_to_buf(&j, MF_JSON_SHOWN, &quoted, &err);
	mf_json_add_str(&j, NULL, text);
	assert(mf_json_finish(&j) == 0);
	assert(read_doc(mf_buf_bytes(&quoted), &canonical));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_str text = mf_str_of((struct mf_bytes){data, size});
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(MAX);
	bool canonical = false;
	if (size > MAX / 16)
		return 0;
	check_quote(text);
	if (!read_doc((struct mf_bytes){data, size}, &canonical)) {
		assert(mf_json_canonicalize(text, &out, &err) < 0 && err.code == MF_E_FORMAT);
		return 0;
	}
	json_t *j MF_JSON_CLEANUP =
	    json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	json_t *ours MF_JSON_CLEANUP = mf_json_load((struct mf_bytes){data, size}, MAX, &err);
	assert(j && ours && json_equal(j, ours));
	check_tree(j, text);
	if (canonicalize_slowly(text, &out) < 0) {
		assert(!canonical);
		return 0;
	}
	assert(canonical == mf_str_eq(mf_buf_str(&out), text));
	check_canonical(mf_buf_str(&out));
	return 0;
}
