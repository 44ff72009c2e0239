/* Fetches one version after another of a role's file: several requests in flight, and a bound on the sum of
 * their octets. */
#ifndef MF_TRUST_STREAM_H
#define MF_TRUST_STREAM_H

#include "trust/trust.h"

#define MF_STREAM_WINDOW 8 /* requests in flight together, while they are small */

struct mf_stream_slot {
	struct mf_fetch *fetch;
	int64_t seen;
};

struct mf_stream {
	struct mf_trust *t;
	uint64_t *bytes; /* received; at most MF_MAX_HISTORY_BYTES */
	const char *role;
	size_t max, most;   /* octets of a file: of those in flight together, of one alone */
	int64_t next, last; /* to be asked for */
	int step;           /* 1 upward, -1 downward */
	struct mf_stream_slot slots[MF_STREAM_WINDOW];
	size_t window, begun, ended;
};
void mf_stream_clear(struct mf_stream *s); /* cancels what is in flight */
#define MF_STREAM_CLEANUP MF_CLEANUP(mf_stream_clear)

/* How many files of so many octets may be in flight. */
size_t mf_stream_window(size_t bytes);
/* The key of one version; *seen receives the store's time for it. */
struct mf_fetch_key mf_stream_key(const char *role, int64_t version, size_t max, int64_t *seen);
/* The next version's octets, and when the store says that it got them (0: it does not). */
enum mf_found mf_stream_next(struct mf_stream *s, int64_t version, struct mf_buf *out, int64_t *seen,
			     struct mf_err *err) MF_NODISCARD;

#endif
