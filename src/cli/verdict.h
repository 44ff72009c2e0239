/* What `verify` found, in the formats that people, scripts and CI systems read. */
#ifndef MF_CLI_VERDICT_H
#define MF_CLI_VERDICT_H

#include "cli/show.h"

/* One run of the gate. */
struct mf_cli_verdicts {
	const struct mf_cli *cli;
	const struct mf_cli_verdict_format *format;
	size_t images; /* that were given */
	size_t accepted, refused;
	bool begun; /* `begin` was called, with the first result */
	struct mf_json_out j;
};

/* A format on standard output. Text, JUnit and Markdown also report reasons on standard error. */
struct mf_cli_verdict_format {
	const char *name;
	void (*begin)(struct mf_cli_verdicts *v);
	int (*item)(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item);
	void (*end)(struct mf_cli_verdicts *v, const struct manifesto_error *err);
};
/* The format that --format or --json selects; text if neither is given. NULL: MF_E_USAGE. */
const struct mf_cli_verdict_format *mf_cli_verdict_format(const struct mf_cli *cli,
							  struct manifesto_error *err);
/* Reports one finding on standard error (-1: out of memory). The other function adds several, as the member
 * "findings". */
int mf_cli_show_finding(const struct manifesto_finding *f);
void mf_cli_show_findings_json(struct mf_json_out *j, const struct manifesto_finding *const *findings,
			       size_t n);

#endif
