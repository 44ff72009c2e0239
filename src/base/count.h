/* What a thread has hashed, read and written, for those who watch how cost grows. */
#ifndef MF_BASE_COUNT_H
#define MF_BASE_COUNT_H

#include <stdint.h>

/* Octets since the thread began: into digests, and of messages that were signed or whose signature was
 * verified; from files and to files. */
struct mf_counts {
	uint64_t hashed, read, written;
	uint64_t certificates; /* parsed */
};
/* The calling thread's, to be added to. A digest or a file knows no context; as one thread uses a context at
 * a time, the difference between two readings is what was done in between. */
struct mf_counts *mf_counts(void);

#endif
