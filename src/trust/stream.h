/* Fetches the versions of a role's file in order, with several requests in flight and a limit on the octets
 * received. */
#ifndef MF_TRUST_STREAM_H
#define MF_TRUST_STREAM_H

#include "trust/trust.h"

#define MF_STREAM_WINDOW 8 /* most requests in flight at a time; fewer for large files */

struct mf_stream_slot {
	struct mf_fetch *fetch;
	int64_t seen;
};

struct mf_stream {
	struct mf_trust *t;
	uint64_t *bytes; /* received; at most MF_MAX_HISTORY_BYTES */
	const char *role;
	size_t max, most;   /* limit of octets for a file: while others are in flight, and alone */
	int64_t next, last; /* versions that are still to be requested */
	int step;           /* 1 upward, -1 downward */
	struct mf_stream_slot slots[MF_STREAM_WINDOW];
	size_t window, begun, ended;
};
void mf_stream_clear(struct mf_stream *s); /* cancels what is in flight */
#define MF_STREAM_CLEANUP MF_CLEANUP(mf_stream_clear)

/* How many files of this many octets may be in flight at a time. */
size_t mf_stream_window(size_t bytes);
/* The request for one version; *seen will receive the store's time for it. */
struct mf_fetch_key mf_stream_key(const char *role, int64_t version, size_t max, int64_t *seen);
/* Gives the file of the next version, which must be `version`. *seen: when the store received it; 0: unknown.
 * MF_ABSENT: there is no such file. */
enum mf_found mf_stream_next(struct mf_stream *s, int64_t version, struct mf_buf *out, int64_t *seen,
			     struct mf_err *err) MF_NODISCARD;

#endif
