// The system libraries that Millgate stands on, as one module, and shims for macros and inline functions that Swift
// does not import. The C library itself is Swift's own module `Glibc`: its headers with `_GNU_SOURCE` would clash with
// that here, so what needs it stands in shims.c. Nothing here decides anything: each shim is one call.
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

/// `SQLITE_TRANSIENT`: SQLite copies the bytes before the call returns.
sqlite3_destructor_type csystem_sqlite_transient(void);

/// `accept4` with `SOCK_NONBLOCK | SOCK_CLOEXEC`.
int csystem_accept(int listener, struct sockaddr *address, socklen_t *length);

/// Names the calling thread; at most 15 bytes.
void csystem_name_thread(const char *name);

#endif
