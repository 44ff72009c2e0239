/* SIGINT, SIGTERM and SIGHUP ask the operation to stop; the second of them ends the program at once. */
#ifndef MF_CLI_SIGNALS_H
#define MF_CLI_SIGNALS_H

/* Also ignores SIGPIPE: a closed pipe is then an error of write. A signal that is ignored already (nohup)
 * stays so. */
void mf_cli_signals_install(void);
/* The signal that asked, 0 while none did. The program's `cancelled` callback. */
int mf_cli_signals_pending(void *unused);
/* Ends the program by the signal that asked, so that the shell sees what happened; returns when there was
 * none. */
void mf_cli_signals_reraise(void);

#endif
