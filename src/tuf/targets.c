/* Looking names up among the targets of a file. */
#include "tuf/tuf.h"

struct mf_json_string mf_tuf_target_name(const struct mf_tuf_file *f, size_t i)
{
	const struct mf_tuf_target *t = &f->targets[i];
	return (struct mf_json_string){{f->bytes.p + t->name, t->name_n}, t->escaped};
}

struct mf_str mf_tuf_target_value(const struct mf_tuf_file *f, size_t i)
{
	return (struct mf_str){f->bytes.p + f->targets[i].value, f->targets[i].value_n};
}

/* Compares a target's decoded name with decoded text that may hold a quote or backslash. */
static int name_cmp(struct mf_json_string a, struct mf_str text)
{
	struct mf_err err = MF_ERR_INIT;
	if (!a.escaped)
		return mf_str_cmp(a.raw, text);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(a.raw.n + 4);
	if (mf_json_string_decode(a, &b, &err) < 0)
		return -1; /* out of memory only: the reader accepted the string */
	return mf_str_cmp(mf_buf_str(&b), text);
}

ptrdiff_t mf_tuf_target_find(const struct mf_tuf_file *f, struct mf_str name)
{
	size_t lo = 0, hi = f->ntargets;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = name_cmp(mf_tuf_target_name(f, mid), name);
		if (c == 0)
			return (ptrdiff_t)mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}
