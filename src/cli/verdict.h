/* What `verify` found, in the formats that people, scripts and CI systems read. */
#ifndef MF_CLI_VERDICT_H
#define MF_CLI_VERDICT_H

#include "cli/show.h"

/* One run of the gate. */
struct mf_cli_verdicts {
	const struct mf_cli *cli;
	const struct mf_cli_verdict_format *format;
	size_t images; /* asked for */
	size_t accepted, refused;
	bool begun; /* there is a first result */
	struct mf_json_out j;
};

/* Writes to standard output, and what a person must see of other formats than text to standard error. */
struct mf_cli_verdict_format {
	const char *name;
	void (*begin)(struct mf_cli_verdicts *v);
	int (*item)(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item);
	void (*end)(struct mf_cli_verdicts *v, const struct manifesto_error *err);
};
/* The one that --format or --json asks for, else text. NULL: MF_E_USAGE. */
const struct mf_cli_verdict_format *mf_cli_verdict_format(const struct mf_cli *cli,
							  struct manifesto_error *err);
/* One finding, for people on standard error (-1: out of memory); and several, as the member "findings". */
int mf_cli_show_finding(const struct manifesto_finding *f);
void mf_cli_show_findings_json(struct mf_json_out *j, const struct manifesto_finding *const *findings,
			       size_t n);

#endif
