/* Sends requests before their answers are needed, at most a given number at once. */
#ifndef MF_BASE_WINDOW_H
#define MF_BASE_WINDOW_H

#include "base/err.h"

struct mf_window {
	size_t n, most; /* n: number of requests; most: how many may be running at once */
	/* Begins request i. Request i - most has ended by then. */
	int (*begin)(void *arg, size_t i, struct mf_err *err);
	void *arg;
	size_t begun;
};

/* To be called before request i is ended: begins it, and those after it for which there is room. */
static inline int mf_window_reach(struct mf_window *w, size_t i, struct mf_err *err)
{
	for (; w->begun < w->n && w->begun < i + w->most; w->begun++)
		if (w->begin(w->arg, w->begun, err) < 0)
			return -1;
	return 0;
}

#endif
