/* Counts what a thread has hashed, read and written, to show how cost grows. */
#ifndef MF_BASE_COUNT_H
#define MF_BASE_COUNT_H

#include <stdint.h>

/* Octets since the thread began: hashed (digests, and messages that were signed or whose signature was
 * verified), read from files, written to files. */
struct mf_counts {
	uint64_t hashed, read, written;
	uint64_t certificates; /* parsed */
};
/* The calling thread's counters; callers add to them. A digest or a file has no context; one thread uses a
 * context at a time, so the difference between two readings is the work done in between. */
struct mf_counts *mf_counts(void);

#endif
