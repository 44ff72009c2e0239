/* SIGINT, SIGTERM and SIGHUP ask the operation to stop; the second of them ends the program at once. */
#ifndef MF_CLI_SIGNALS_H
#define MF_CLI_SIGNALS_H

#include <sys/types.h>

/* Also ignores SIGPIPE: a closed pipe is then an error of write. A signal that is ignored already (nohup)
 * stays so. */
void mf_cli_signals_install(void);
/* The signal that asked, 0 while none did. The program's `cancelled` callback. */
int mf_cli_signals_pending(void *unused);
/* As read(2), after a wait that a signal which asks to stop ends with EINTR, even when it came just before
 * it; other signals do not. */
ssize_t mf_cli_signals_read(int fd, void *p, size_t n);
/* Ends the program by the signal that asked, so that the shell sees what happened; returns when there was
 * none. */
void mf_cli_signals_reraise(void);

#endif
