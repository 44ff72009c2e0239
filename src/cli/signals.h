/* SIGINT, SIGTERM and SIGHUP ask the operation to stop; the second of them ends the program at once. */
#ifndef MF_CLI_SIGNALS_H
#define MF_CLI_SIGNALS_H

#include <sys/types.h>

/* Also ignores SIGPIPE: a closed pipe is then an error of write. A signal that is ignored already (nohup)
 * stays so. */
void mf_cli_signals_install(void);
/* The signal that arrived, or 0. It is also the `cancelled` callback of the library. */
int mf_cli_signals_pending(void *unused);
/* As read(2), but waits until there is something to read. Fails with EINTR if a signal that asks to stop
 * arrives, or has arrived before; other signals do not end the wait. */
ssize_t mf_cli_signals_read(int fd, void *p, size_t n);
/* Ends the program by the signal that arrived, so that the shell sees it; returns if there was none. */
void mf_cli_signals_reraise(void);

#endif
