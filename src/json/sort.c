#include "json/internal.h"

struct sort {
	size_t size;
	int (*cmp)(const void *, const void *);
};

/* Merges two sorted runs to out; the second, b, is already at the end of out. */
static void merge(const struct sort *s, const char *a, size_t na, const char *b, size_t nb, char *out)
{
	while (na && nb) {
		bool first = s->cmp(a, b) <= 0;
		memcpy(out, first ? a : b, s->size);
		out += s->size;
		if (first) {
			a += s->size;
			na--;
		} else {
			b += s->size;
			nb--;
		}
	}
	if (na)
		memcpy(out, a, na * s->size);
}

/* The depth of the recursion is the logarithm of n. */
static void sort_run(const struct sort *s, char *base, size_t n, char *scratch)
{
	size_t half = n / 2;
	if (n < 2)
		return;
	char *right = base + half * s->size;
	sort_run(s, base, half, scratch);
	sort_run(s, right, n - half, scratch);
	if (s->cmp(right - s->size, right) <= 0)
		return;
	/* The left run is moved away; merging then never overwrites what is left of the right one. */
	memcpy(scratch, base, half * s->size);
	merge(s, scratch, half, right, n - half, base);
}

int mf_json_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *),
		 struct mf_err *err)
{
	struct sort s = {size, cmp};
	if (n < 2)
		return 0;
	char *scratch MF_FREE = mf_calloc(n / 2, size);
	if (!scratch)
		return mf_fail_nomem(err);
	sort_run(&s, base, n, scratch);
	return 0;
}
