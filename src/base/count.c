#include "base/count.h"

struct mf_counts *mf_counts(void)
{
	static _Thread_local struct mf_counts counts;
	return &counts;
}
