#define _GNU_SOURCE
#include "CSystem.h"

#include <pthread.h>

sqlite3_destructor_type csystem_sqlite_transient(void) { return SQLITE_TRANSIENT; }

int csystem_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void csystem_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
