/* Progress of long operations: one line on standard error when that is a terminal, redrawn in place and
 * removed before anything else is printed. */
#ifndef MF_CLI_PROGRESS_H
#define MF_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "manifesto/manifesto.h"

struct mf_cli_progress {
	bool wanted, drawn;
	int kind;
	int64_t began_ms, drawn_ms; /* of the current operation; began_ms 0: no operation */
};

/* Nothing is ever drawn unless standard error is a terminal that can move its cursor. */
void mf_cli_progress_init(struct mf_cli_progress *p, bool wanted);
/* manifesto_options.progress, with a struct mf_cli_progress. What takes less than a second is not shown. */
void mf_cli_progress_report(void *arg, const struct manifesto_progress *now);
/* Removes the line. */
void mf_cli_progress_clear(struct mf_cli_progress *p);

#endif
