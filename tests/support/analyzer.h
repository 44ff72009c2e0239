/* Included before every file that clang-tidy analyses. It declares what the analyser cannot see in another
 * file, that failing always returns -1, so that it does not follow impossible paths. */
#include "base/err.h"

static inline int mf_analyzer_failed(int unused)
{
	(void)unused;
	return -1;
}
#define mf_fail(...) mf_analyzer_failed(mf_fail(__VA_ARGS__))
#define mf_wrap(...) mf_analyzer_failed(mf_wrap(__VA_ARGS__))
#define mf_recode(...) mf_analyzer_failed(mf_recode(__VA_ARGS__))
#define mf_fail_nomem(err) mf_analyzer_failed(mf_fail_nomem(err))
