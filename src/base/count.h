/* Counts octets that a thread has hashed, read and written, to measure how cost grows. */
#ifndef MF_BASE_COUNT_H
#define MF_BASE_COUNT_H

#include <stdint.h>

/* Octets since the thread began: hashed (digests, and messages that were signed or whose signature was
 * verified), read from files, written to files. */
struct mf_counts {
	uint64_t hashed, read, written;
	uint64_t certificates; /* parsed */
};
/* The calling thread's counters, to which callers add. Digests and files belong to no context; but one
 * thread uses one context at a time, so the difference between two readings is the work of what ran in
 * between. */
struct mf_counts *mf_counts(void);

#endif
